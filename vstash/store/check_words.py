"""Integrity of what is derived from words: keyword index, packed postings, lengths."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from vstash.errors import StoreCorruptError
from vstash.reports import Finding
from vstash.store import documents
from vstash.store.connection import fetch
from vstash.store.lengths import MAX_LENGTH, all_lengths
from vstash.store.packing import unpacked
from vstash.store.postings import MAX_COUNT

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["finding", "words"]

_EXAMPLES: Final = 5
_COLUMNS: Final = {"title": 0, "heading": 1, "body": 2}


def finding(code: str, message: str, rows: Iterable[object]) -> Iterator[Finding]:
    """One finding about some rows, none where there are no rows."""
    ids = [str(row) for row in rows]
    if ids:
        yield Finding(code, message, len(ids), tuple(ids[:_EXAMPLES]))


@lru_cache(maxsize=65_536)
def _mark(term: str) -> int:
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "big")


def words(connection: apsw.Connection, normalise: Callable[[str], str]) -> Iterator[Finding]:
    """Compare each chunk's words in both indexes with those that its text gives now.

    FTS5's own integrity check cannot see the content of a contentless table. Sums of hashes stand
    for the words of a chunk, with their places or their counts, so that memory grows with the
    chunks and not with the words.

    Args:
        connection: In a read transaction.
        normalise: Derives the words of a text.

    Yields:
        What does not agree.
    """
    indexed = _indexed(connection)
    lengths = all_lengths(connection).astype(np.int64)
    packed, damaged = _packed(connection, len(lengths))
    missing: list[int] = []
    different: list[int] = []
    unpacked: list[int] = []
    mismeasured: list[int] = []
    for chunk, *texts in documents.passages(connection):
        columns = [normalise(text).split() for text in texts]
        places, counts = _expected(columns)
        found = indexed.pop(chunk, 0)
        if found != places:
            (different if found else missing).append(chunk)
        inside = chunk < len(lengths)
        if not inside or int(packed[chunk]) != counts:
            unpacked.append(chunk)
        total = min(max(sum(map(len, columns)), 1), MAX_LENGTH)
        if not inside or lengths[chunk] != total:
            mismeasured.append(chunk)
        elif inside:
            lengths[chunk] = 0
    yield from finding("words_missing", "Chunks are not in the keyword index.", missing)
    yield from finding(
        "words_differ", "The keyword index holds other words than the text.", different
    )
    yield from finding(
        "words_orphaned", "The keyword index holds chunks that do not exist.", indexed
    )
    yield from finding(
        "postings_differ", "The packed postings hold other words than the text.", unpacked
    )
    yield from finding("postings_damaged", "Packed postings cannot be read.", damaged)
    yield from finding("length_differs", "The number of words of chunks is wrong.", mismeasured)
    gone = set(np.flatnonzero(lengths).tolist()) - set(mismeasured)
    yield from finding("length_orphaned", "Chunks that do not exist have a number of words.", gone)
    yield from _searchable(connection)


def _indexed(connection: apsw.Connection) -> dict[int, int]:
    indexed: dict[int, int] = {}
    for term, chunk, column, offset in connection.execute(
        "SELECT term, doc, col, offset FROM keyword_instance"
    ):
        place = 2 * (offset * len(_COLUMNS) + _COLUMNS[column]) + 1
        indexed[chunk] = (indexed.get(chunk, 0) + _mark(term) * place) % 2**64
    return indexed


def _packed(connection: apsw.Connection, size: int) -> tuple[NDArray[np.uint64], list[str]]:
    sums = np.zeros(size, dtype=np.uint64)
    damaged = []
    for segment, word, ids, counts in connection.execute(
        "SELECT segment, word, ids, counts FROM posting"
    ):
        try:
            found = unpacked([(ids, counts)])
        except StoreCorruptError:
            damaged.append(str(segment))
            continue
        if int(found.ids[-1]) >= size:
            damaged.append(str(segment))
            continue
        often = 2 * found.counts.astype(np.uint64) + 1
        sums[found.ids] += np.uint64(_mark(word)) * often
    return sums, damaged


def _expected(columns: list[list[str]]) -> tuple[int, int]:
    places = counts = 0
    for column, terms in enumerate(columns):
        for offset, term in enumerate(terms):
            places += _mark(term) * (2 * (offset * len(_COLUMNS) + column) + 1)
    for term, count in Counter(term for terms in columns for term in terms).items():
        counts += _mark(term) * (2 * min(count, MAX_COUNT) + 1)
    return places % 2**64, counts % 2**64


def _searchable(connection: apsw.Connection) -> Iterator[Finding]:
    try:
        fetch(connection, "SELECT count(*) FROM keyword('vstash')")
    except apsw.Error as error:
        message = "The keyword index cannot be searched."
        yield from finding("words_damaged", message, [type(error).__name__])
