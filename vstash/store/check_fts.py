"""What FTS5 counts of its rows: it never compares that with anything itself.

A structure record that lost a segment is sound for FTS5's integrity check: words are just not found.
The comparison of all words with the text sees that, and the number of words of each chunk, which
FTS5's own ranking divides by, is compared here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import apsw

from vstash.store.connection import fetch
from vstash.store.found import Found

__all__ = ["counted_rows", "uncounted"]

_AVERAGES: Final = 1


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
        if byte < 0x80:
            break
    return number


def counted_rows(connection: apsw.Connection) -> int:
    """How many chunks FTS5 believes that its index holds."""
    rows = fetch(connection, "SELECT block FROM keyword_data WHERE id = ?", (_AVERAGES,))
    return _first(bytes(rows[0][0])) if rows else 0


def uncounted(connection: apsw.Connection, sizes: Mapping[int, Sequence[int]]) -> Found:
    """Compare FTS5's counts of words with those of the texts.

    Args:
        connection: In a read transaction.
        sizes: Of each chunk, its number of words by column.
    """
    wrong = [
        chunk
        for chunk, size in connection.execute("SELECT id, sz FROM keyword_docsize")
        if chunk in sizes and bytes(size or b"") != _written(sizes[chunk])
    ]
    yield "words_uncounted", wrong
    rows = fetch(connection, "SELECT block FROM keyword_data WHERE id = ?", (_AVERAGES,))
    totals = [len(sizes), *(map(sum, zip(*sizes.values(), strict=True)) if sizes else (0, 0, 0))]
    # An index that never held anything may have no record yet.
    if any(totals) and (not rows or bytes(rows[0][0] or b"") != _written(totals)):
        yield "words_uncounted", ["all"]


def _written(numbers: Iterable[int]) -> bytes:
    return b"".join(map(_varint, numbers))
