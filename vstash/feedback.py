"""What callers say of the chunks that searches returned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

__all__ = ["VERDICTS", "Feedback", "JudgedSearch", "Verdict", "VerdictName"]

VerdictName = Literal["helpful", "not_helpful", "cited", "opened"]
VERDICTS: Final[tuple[VerdictName, ...]] = get_args(VerdictName)


@dataclass(frozen=True, slots=True)
class Feedback:
    """A verdict to be stored; the fields mean what they mean in `Memory.feedback`."""

    search_id: str
    chunk_id: int
    verdict: VerdictName
    collection: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said of one chunk for one search.

    Attributes:
        chunk_id: None once its document was replaced, which ends chunks but no feedback.
        document_id: Of the document that the chunk is or was part of.
        document_key: Unique in the collection that was searched.
        verdict: ``helpful``, ``not_helpful``, ``cited`` or ``opened``.
        at: UTC; when it was given, and not when it was repeated.
    """

    chunk_id: int | None
    document_id: str
    document_key: str
    verdict: VerdictName
    at: datetime


@dataclass(frozen=True, slots=True)
class JudgedSearch:
    """A logged search with what was said of its answers.

    Attributes:
        search_id: The ``id`` of the `SearchResult`; of a search that was asked again, of the last.
        query: As it was looked up; None where only its keyed hash was kept.
        at: UTC time of the search.
        verdicts: At least one, in the order in which chunks were first judged.
    """

    search_id: str
    query: str | None
    collection: str
    at: datetime
    verdicts: tuple[Verdict, ...]
