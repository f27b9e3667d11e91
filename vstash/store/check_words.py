"""Integrity of what is derived from words: keyword index, packed postings, lengths."""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import lru_cache
from typing import Final

import apsw
import numpy as np

from vstash.store import documents
from vstash.store.check_fts import uncounted, unreachable
from vstash.store.check_segments import packed_words, segment_findings
from vstash.store.connection import fetch
from vstash.store.found import Found, Rules, Tick
from vstash.store.lengths import MAX_LENGTH, all_lengths
from vstash.store.postings import MAX_COUNT

__all__ = ["words"]

_COLUMNS: Final = {"title": 0, "heading": 1, "body": 2}
# Titles and headings whose words are kept: those of a document come one after another.
_TEXTS: Final = 256


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
        self._indexed = _indexed(connection)
        self._digests: dict[int, bytes] = dict(
            connection.execute("SELECT chunk, digest FROM passage")
        )
        self._lengths = all_lengths(connection).astype(np.int64)
        self._packed = packed_words(connection, len(self._lengths), mark)
        self._wrong: dict[str, list[int]] = {}

    def compare(self, chunk: int, columns: list[list[str]], digest: bytes) -> None:
        """Look at one chunk."""
        places, counts = _expected(columns)
        self.sizes[chunk] = tuple(map(len, columns))
        found = self._indexed.pop(chunk, 0)
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
        yield "words_orphaned", self._indexed
        yield "postings_damaged", self._packed.damaged


def _indexed(connection: apsw.Connection) -> dict[int, int]:
    indexed: dict[int, int] = {}
    for term, chunk, column, offset in connection.execute(
        "SELECT term, doc, col, offset FROM keyword_instance"
    ):
        place = 2 * (offset * len(_COLUMNS) + _COLUMNS[column]) + 1
        indexed[chunk] = (indexed.get(chunk, 0) + mark(term) * place) % 2**64
    return indexed


def _expected(columns: list[list[str]]) -> tuple[int, int]:
    places = counts = 0
    for column, terms in enumerate(columns):
        for offset, term in enumerate(terms):
            places += mark(term) * (2 * (offset * len(_COLUMNS) + column) + 1)
    for term, count in Counter(term for terms in columns for term in terms).items():
        counts += mark(term) * (2 * min(count, MAX_COUNT) + 1)
    return places % 2**64, counts % 2**64


def _searchable(connection: apsw.Connection) -> Found:
    try:
        fetch(connection, "SELECT count(*) FROM keyword('vstash')")
    except apsw.Error as error:
        yield "words_damaged", [type(error).__name__]
