"""What parts of a check hand over: the code of a finding and the rows that it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vstash.findings import KINDS
from vstash.reports import Finding

__all__ = ["Found", "Piece", "Rules", "Tick", "told"]

_EXAMPLES: Final = 5

Found = Iterator[tuple[str, Iterable[object]]]
Tick = Callable[[int, int], None]
"""Called with how much of a part is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a chunk lies in its text."""

    start: int
    end: int
    heading: tuple[str, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class Rules:
    """How what is derived follows from text, which is not the store's own business.

    Attributes:
        words: Derived tokens of a text, joined by spaces.
        version: Of those rules, as it stands in the file.
        digest: Of what is embedded for a chunk, from title, headings joined by lines, and text.
        pieces: Cuts a text of a media type.
        new_id: Makes an id for a document.
        learned: Whether parameters of a learner can be used with vectors of a dimension.
    """

    words: Callable[[str], str]
    version: int
    digest: Callable[[str, str, str], bytes]
    pieces: Callable[[str, str], Sequence[Piece]]
    new_id: Callable[[], str]
    learned: Callable[[str, bytes, int], bool]


def told(code: str, rows: Sequence[object]) -> Finding:
    """A finding as it is told: how many rows, and ids of some."""
    return Finding(
        code, KINDS[code].message, len(rows), tuple(str(row) for row in rows[:_EXAMPLES])
    )
