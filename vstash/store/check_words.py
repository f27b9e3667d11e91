"""Integrity of what is derived from words: keyword index, packed postings, lengths."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from vstash.store import documents
from vstash.store.check_fts import uncounted, unreachable
from vstash.store.check_segments import packed_words, segment_findings
from vstash.store.connection import fetch
from vstash.store.faults import require
from vstash.store.found import Found, Rules, Tick
from vstash.store.lengths import MAX_LENGTH, all_lengths
from vstash.store.postings import MAX_COUNT

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["words"]

_COLUMNS: Final = ("title", "heading", "body")
# Titles and headings whose words are kept: those of a document come one after another.
_TEXTS: Final = 256
_ROWS: Final = 65_536


@lru_cache(maxsize=65_536)
def mark(term: str) -> int:
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "big")


def words(connection: apsw.Connection, rules: Rules, tick: Tick) -> Found:
    """Compare each chunk's words in both indexes with those that its text gives now.

    FTS5's own integrity check cannot see the content of a contentless table. Sums of hashes stand
    for the words of a chunk, with their places or their counts, so that memory grows with the
    chunks and not with the words. What was embedded is compared by its digest: where that and the
    keyword index both know another text, it is the chunk that changed.

    Args:
        connection: In a read transaction.
        rules: Derive words and digests of a text.
        tick: Called with chunks done.

    Yields:
        What does not agree.
    """
    total = int(fetch(connection, "SELECT count(*) FROM chunk")[0][0])
    held = _Held(connection)
    derived = lru_cache(maxsize=_TEXTS)(rules.words)
    for done, (chunk, title, heading, body) in enumerate(documents.passages(connection)):
        if not done % 256:
            tick(done, total)
        columns = [derived(title).split(), derived(heading).split(), rules.words(body).split()]
        held.compare(chunk, columns, rules.digest(title, heading, body))
    yield from held.different()
    yield from uncounted(connection, held.sizes)
    yield from segment_findings(connection, held.bounds)
    yield from _searchable(connection)
    yield from unreachable(connection)


class _Held:
    """What the file has derived of its chunks, to be compared with what their texts give."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.sizes: dict[int, tuple[int, ...]] = {}
        self._digests: dict[int, bytes] = dict(
            connection.execute("SELECT chunk, digest FROM passage")
        )
        self._lengths = all_lengths(connection).astype(np.int64)
        last = fetch(connection, "SELECT coalesce(max(id), 0) FROM chunk")[0][0]
        self._indexed, self._beyond = _indexed(connection, int(last) + 1)
        self._packed = packed_words(connection, len(self._lengths), mark)
        self._wrong: dict[str, list[int]] = {}

    def compare(self, chunk: int, columns: list[list[str]], digest: bytes) -> None:
        """Look at one chunk."""
        places, counts = _expected(columns)
        self.sizes[chunk] = tuple(map(len, columns))
        found = int(self._indexed[chunk])
        self._indexed[chunk] = 0
        if found != places:
            self._note("words_differ" if found else "words_missing", chunk)
        inside = chunk < len(self._lengths)
        if not inside or int(self._packed.sums[chunk]) != counts:
            self._note("postings_differ", chunk)
        length = min(max(sum(self.sizes[chunk]), 1), MAX_LENGTH)
        if not inside or self._lengths[chunk] != length:
            self._note("length_differs", chunk)
        if self._digests.get(chunk, digest) != digest:
            self._note("passage_differs", chunk)
            if found and found != places:
                self._note("chunk_differs", chunk)

    @property
    def bounds(self) -> dict[int, tuple[int, int]]:
        """The lowest and the highest chunk in each segment of the postings."""
        return self._packed.bounds

    def _note(self, code: str, chunk: int) -> None:
        self._wrong.setdefault(code, []).append(chunk)

    def different(self) -> Found:
        """What did not agree, and what is derived of no chunk."""
        yield from self._wrong.items()
        yield "words_orphaned", [*np.flatnonzero(self._indexed).tolist(), *self._beyond]
        yield "postings_damaged", self._packed.damaged


def _indexed(connection: apsw.Connection, size: int) -> tuple[NDArray[np.uint64], list[int]]:
    """By chunk id, the sum over its words of their mark by their place; and ids that are too high.

    Both tables go through the words in one order, so that the many rows need not name theirs.
    """
    terms = fetch(connection, "SELECT term, cnt FROM keyword_row")
    marks = np.fromiter((mark(term) for term, _ in terms), dtype=np.uint64, count=len(terms))
    ends = np.cumsum(np.array([count for _, count in terms], dtype=np.int64))
    sums, beyond, done = np.zeros(size, dtype=np.uint64), set[int](), 0
    rows = connection.execute(
        f"SELECT doc, 2 * ({len(_COLUMNS)} * offset + (col = 'heading') + 2 * (col = 'body')) + 1 "
        "FROM keyword_instance"
    )
    while part := list(chain.from_iterable(islice(rows, _ROWS))):
        ids, places = np.array(part, dtype=np.int64).reshape(-1, 2).T
        numbers = np.searchsorted(ends, np.arange(done, done + len(ids)), side="right")
        done += len(ids)
        require(len(ends) > 0 and done <= ends[-1])
        weights = marks[numbers] * places.astype(np.uint64)
        inside = (ids > 0) & (ids < size)
        np.add.at(sums, ids[inside], weights[inside])
        beyond.update(ids[~inside].tolist())
    require(done == (ends[-1] if len(ends) else 0))
    return sums, sorted(beyond)


def _expected(columns: list[list[str]]) -> tuple[int, int]:
    """The same sum for a text, and that of its words by how often they occur."""
    sizes = [len(terms) for terms in columns]
    terms = chain.from_iterable(columns)
    marks = np.fromiter(map(mark, terms), dtype=np.uint64, count=sum(sizes))
    offsets = np.concatenate([np.arange(size) for size in sizes])
    column = np.repeat(np.arange(len(_COLUMNS)), sizes)
    places = (2 * (offsets * len(_COLUMNS) + column) + 1).astype(np.uint64)
    distinct, often = np.unique(marks, return_counts=True)
    counts = 2 * np.minimum(often, MAX_COUNT).astype(np.uint64) + np.uint64(1)
    return int((marks * places).sum(dtype=np.uint64)), int((distinct * counts).sum(dtype=np.uint64))


def _searchable(connection: apsw.Connection) -> Found:
    try:
        fetch(connection, "SELECT count(*) FROM keyword('vstash')")
    except apsw.Error as error:
        yield "words_damaged", [type(error).__name__]
