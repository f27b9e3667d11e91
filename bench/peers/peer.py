"""What the benchmark asks of a peer.

A peer is a module of this folder with one function, `peer(folder, option)`. It runs in a process and
mostly in an environment of its own, where neither vstash nor the rest of bench is installed: such a
module imports this file, numpy and its own library, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Chunk", "FloatArray", "Hit", "K", "Peer", "PeerError", "Search", "words"]

K = 10
"""Hits asked of every search."""

FloatArray: TypeAlias = "NDArray[np.float32]"
Hit: TypeAlias = tuple[str, str]
"""Key and passage: reading the passage is a part of every search."""

Search: TypeAlias = Callable[[str, FloatArray], list[Hit]]
"""From a question and its vector to the hits, best first."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Chunk:
    """One passage of the corpus."""

    key: str
    title: str
    text: str

    @property
    def passage(self) -> str:
        """Title and text, for a peer that keeps no title apart."""
        return f"{self.title}\n{self.text}" if self.title else self.text


class PeerError(Exception):
    """Why a peer was not measured, in one line."""


class Peer(Protocol):
    """One store, first written by a process, then opened and searched by another."""

    note: str
    """What the reader of a table has to know, or nothing."""

    def build(self, chunks: Sequence[Chunk], vectors: FloatArray) -> None:
        """Write everything, make all indexes and close the store."""
        ...

    def searches(self) -> dict[str, Search]:
        """Open the store; those of `hybrid`, `vector` and `keyword` that the peer has."""
        ...

    def close(self) -> None:
        """Release what `searches` opened."""
        ...


def words(question: str) -> list[str]:
    """The words in lower case, so that no peer's query language sees an operator in them."""
    return _WORD.findall(question.lower())
