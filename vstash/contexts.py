"""What `Memory.context` returns: passages for a prompt, and what had no room in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Literal, Union

__all__ = [
    "Context",
    "ContextOrder",
    "ContextPassage",
    "LeftOut",
    "LeftOutPassage",
    "TokenCounter",
]

ContextOrder = Literal["edges", "rank", "document"]
TokenCounter = Union[str, "PathLike[str]", Callable[[str], int]]


@dataclass(frozen=True, slots=True)
class ContextPassage:
    """A part of one document as it stands in a context: ``document.text[start:end] == text``.

    Attributes:
        number: What it is cited by, from 1 in the order of the context.
        document_id: Id of its document.
        key: Key of its document.
        title: Of its document, may be empty.
        heading: Headings that all of it stands under, outermost first.
        start: First character's offset in the document's text.
        end: Offset after the last character.
        text: The passage.
        score: The best of the hits in it.
        tokens: What it takes alone, with the line above it.
        chunk_ids: Chunks that it was put together from, in the order of the document.
        truncated: Whether its end was cut off because it alone was larger than the budget.
    """

    number: int
    document_id: str
    key: str
    title: str
    heading: tuple[str, ...]
    start: int
    end: int
    text: str
    score: float
    tokens: int
    chunk_ids: tuple[int, ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class LeftOutPassage:
    """A hit that a context does not hold, and why.

    Attributes:
        why: ``budget``: there was no room; ``duplicate``: a passage with the same text is there.
    """

    chunk_id: int
    document_id: str
    key: str
    score: float
    why: Literal["budget", "duplicate"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The hits that a context does not hold.

    Attributes:
        count: How many.
        best: The best of them, at most 5.
    """

    count: int
    best: tuple[LeftOutPassage, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """Passages that answer a query, put together for a prompt.

    Attributes:
        query: As given.
        text: To be put into a prompt as it is; empty when there is no passage.
        passages: In the order of the text.
        tokens: What ``text`` takes, counted as a whole.
        max_tokens: What it could take.
        left_out: Hits without a place.
        search_id: The ``id`` of the search behind it, for feedback.
        abstained: Why no passage is likely to answer, None where one is.
        degraded: Reasons why this is less than asked for.
        timings_ms: Milliseconds per stage of the search, then `pack`, and `total`.
    """

    query: str
    text: str
    passages: tuple[ContextPassage, ...]
    tokens: int
    max_tokens: int
    left_out: LeftOut
    search_id: str
    abstained: str | None = None
    degraded: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
