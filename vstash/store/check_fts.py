"""What FTS5 counts of its rows: it never compares that with anything itself.

A structure record that lost a segment is sound for FTS5's integrity check: words are just not found.
The comparison of all words with the text sees that, and the number of words of each chunk, which
FTS5's own ranking divides by, is compared here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import apsw
import numpy as np

from vstash.store.connection import fetch
from vstash.store.documents import passages
from vstash.store.found import Found, Rules, Tick

__all__ = ["counted_rows", "misconfigured", "uncounted", "unreachable", "unsearchable"]

_AVERAGES: Final = 1
# Chunks that the quick level looks for, each by two of its words.
_SAMPLE: Final = 32
# The formats that FTS5 knows.
_VERSIONS: Final = (4, 5)


def _varint(number: int) -> bytes:
    """A number as SQLite writes it: seven bits a byte, the high bit set on all but the last."""
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))


def _first(data: bytes) -> int:
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    return number


def counted_rows(connection: apsw.Connection) -> int:
    """How many chunks FTS5 believes that its index holds."""
    return _first(_averages(connection))


def _averages(connection: apsw.Connection) -> bytes:
    rows = fetch(
        connection, "SELECT CAST(block AS BLOB) FROM keyword_data WHERE id = ?", (_AVERAGES,)
    )
    return bytes(rows[0][0] or b"") if rows else b""


def misconfigured(connection: apsw.Connection) -> bool:
    """Whether FTS5 would refuse its own tables."""
    rows = fetch(connection, "SELECT v FROM keyword_config WHERE k = 'version'")
    return not rows or rows[0][0] not in _VERSIONS


def unsearchable(connection: apsw.Connection, rules: Rules, _tick: Tick) -> Found:
    """Look for some chunks by their own words: FTS5 notices no segment that its structure lost.

    Args:
        connection: In a read transaction.
        rules: Derive the words.
    """
    first, last = fetch(connection, "SELECT min(id), max(id) FROM chunk")[0]
    if first is None:
        return
    asked = np.unique(np.linspace(first, last, _SAMPLE).astype(np.int64)).tolist()
    for chunk, *texts in list(passages(connection, asked)):
        terms = sorted(set(" ".join(map(rules.words, texts)).split()))
        for term in {*terms[:1], *terms[-1:]}:
            quoted = term.replace('"', '""')
            found = fetch(
                connection,
                "SELECT 1 FROM keyword WHERE keyword MATCH ? AND rowid = ?",
                (f'"{quoted}"', chunk),
            )
            if not found:
                yield "words_missing", [chunk]


def unreachable(connection: apsw.Connection) -> Found:
    """Look every word up: a walk through all words passes by the index that a search goes through.

    Args:
        connection: In a read transaction.
    """
    lost = 0
    for term, chunks in fetch(connection, "SELECT term, doc FROM keyword_row"):
        rows = fetch(connection, "SELECT doc FROM keyword_row WHERE term = ?", (term,))
        lost += rows != [(chunks,)]
    if lost:
        yield "words_damaged", ["words that a search does not find"]


def uncounted(connection: apsw.Connection, sizes: Mapping[int, Sequence[int]]) -> Found:
    """Compare FTS5's counts of words with those of the texts.

    Args:
        connection: In a read transaction.
        sizes: Of each chunk, its number of words by column.
    """
    wrong = [
        chunk
        for chunk, size in connection.execute("SELECT id, CAST(sz AS BLOB) FROM keyword_docsize")
        if chunk in sizes and bytes(size or b"") != _written(sizes[chunk])
    ]
    yield "words_uncounted", wrong
    totals = [len(sizes), *(map(sum, zip(*sizes.values(), strict=True)) if sizes else (0, 0, 0))]
    # An index that never held anything may have no record yet.
    if any(totals) and _averages(connection) != _written(totals):
        yield "words_uncounted", ["all"]


def _written(numbers: Iterable[int]) -> bytes:
    return b"".join(map(_varint, numbers))
