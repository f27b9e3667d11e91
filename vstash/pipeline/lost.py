"""What a file loses with documents, and which queries that it keeps tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.store.traces import texts_in
from vstash.text.normalise import indexed, tokens
from vstash.types import Document

if TYPE_CHECKING:
    from vstash.store.session import Reader
    from vstash.store.traces import LoggedQuery
    from vstash.types import IdArray

__all__ = ["Lost", "lost_with", "queries_telling"]

_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Lost:
    """What goes with documents.

    Attributes:
        chunks: Their ids, shape (n,), ascending.
        words: Derived words that no other document holds.
        before: By collection, a chunk id: a document of it was changed since it was made, and what is
            gone below that id may have been an earlier version. Nothing says whose it was.
    """

    chunks: IdArray
    words: frozenset[str]
    before: Mapping[str, int]

    def same(self, other: Lost) -> bool:
        """Whether the same queries tell of both, whatever else the file holds."""
        alone = not self.before and not other.before
        return alone and self.words == other.words and np.array_equal(self.chunks, other.chunks)


def lost_with(reader: Reader, documents: Sequence[tuple[int, Document]]) -> Lost:
    """What a file loses with documents, given with their internal numbers."""
    ids = reader.traces.chunks_of([number for number, _ in documents])
    chunks = np.array(ids, dtype=np.int64)
    words: set[str] = set()
    for _, *parts in reader.passages(ids):
        for part in parts:
            words.update(indexed(part).split())
    for _, document in documents:
        for text in _told(document):
            words.update(tokens(text))
    words -= reader.traces.held(words, without=chunks)
    before: dict[str, int] = {}
    for number, document in documents:
        if document.updated != document.created:
            own = reader.traces.chunks_of([number])
            first = own[0] if own else 0
            before[document.collection] = max(before.get(document.collection, 0), first)
    return Lost(chunks, frozenset(words), before)


def _told(document: Document) -> Iterator[str]:
    """What describes a document beside its text."""
    yield document.key
    yield from document.tags
    yield from texts_in(document.metadata)


def queries_telling(
    reader: Reader, lost: Lost, found: Iterable[LoggedQuery], *, after: int
) -> tuple[list[int], int]:
    """Queries that list a lost chunk or ask for a lost word.

    Of those that kept only the keyed hash of what was asked, no words are known: their chunks tell.

    Where an earlier version of a document may be concerned, also those that list a chunk which is gone
    or ask for a word that no document holds any more.

    Args:
        reader: In a transaction.
        lost: What goes.
        found: The queries, oldest first.
        after: The number of the last that was looked at before.

    Returns:
        Their numbers, and the number of the last that was looked at.
    """
    rows, numbers, last = iter(found), [], after
    # Not all at once: queries that were made from a large corpus are many.
    while batch := list(islice(rows, _AT_ONCE)):
        numbers += _telling(reader, lost, batch)
        last = batch[-1].number
    return numbers, last


def _telling(reader: Reader, lost: Lost, rows: Sequence[LoggedQuery]) -> list[int]:
    asked = {row.number: frozenset(tokens(row.query or "")) for row in rows}
    doubtful = [row for row in rows if row.collection in lost.before]
    sought = frozenset[str]().union(*(asked[row.number] for row in doubtful))
    held = reader.traces.held(sought, without=lost.chunks) if sought else frozenset[str]()
    listed = frozenset[int]().union(*(row.chunks for row in doubtful))
    living = reader.owners(np.array(sorted(listed), dtype=np.int64)).keys()
    chunks = frozenset(lost.chunks.tolist())

    def tells(row: LoggedQuery) -> bool:
        words = asked[row.number]
        if not row.chunks.isdisjoint(chunks) or not words.isdisjoint(lost.words):
            return True
        limit = lost.before.get(row.collection)
        if limit is None:
            return False
        return not words <= held or any(each < limit and each not in living for each in row.chunks)

    return [row.number for row in rows if tells(row)]
