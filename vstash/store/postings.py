"""Packed postings: per word and segment one array of chunk ids and one of counts.

Each commit adds one small segment. Segments of a level are merged into one of the next, a bounded
number of words at a time inside later commits: a word's rows move from the sources to the target in
the same transaction, so that a reader of all segments always sees each posting once. Postings of
chunks that are gone stay until a merge drops them; their length is 0 and says so.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np

from vstash.store.connection import fetch
from vstash.store.faults import require
from vstash.store.lengths import all_lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "MAX_COUNT",
    "Posting",
    "add_postings",
    "clear_postings",
    "merge_some",
    "postings",
]

# Eight segments of a level become one of the next: a query meets a few dozen at a million chunks.
FAN_IN: Final = 8
MAX_COUNT: Final = 255
# Words moved by one step of a merge, so that no commit waits long for it.
_STEP_WORDS: Final = 500
_ID_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Posting:
    """Where a word occurs.

    Attributes:
        ids: Chunk ids, shape (n,), each once; those of chunks that are gone included.
        counts: How often it occurs there, at most 255, shape (n,).
    """

    ids: NDArray[np.uint32]
    counts: NDArray[np.uint8]

    def fits(self, size: int) -> bool:
        """Whether every id is below a number."""
        return not len(self.ids) or int(self.ids.max()) < size


def add_postings(connection: apsw.Connection, chunks: Sequence[tuple[int, Counter[str]]]) -> int:
    """Write the words of new chunks as one segment.

    Args:
        connection: The write connection inside its transaction.
        chunks: Ids greater than any before, ascending, and how often each word occurs.

    Returns:
        Number of rows written: one for each distinct word.
    """
    if not chunks:
        return 0
    connection.execute("INSERT INTO segment (level) VALUES (0)")
    segment = connection.last_insert_rowid()
    by_word: defaultdict[str, tuple[array[int], bytearray]] = defaultdict(
        lambda: (array("I"), bytearray())
    )
    for chunk, counts in chunks:
        for word, count in counts.items():
            ids, times = by_word[word]
            ids.append(chunk)
            times.append(min(count, MAX_COUNT))
    connection.executemany(
        "INSERT INTO posting (segment, word, ids, counts) VALUES (?, ?, ?, ?)",
        (
            (segment, word, _little_endian(ids), bytes(times))
            for word, (ids, times) in sorted(by_word.items())
        ),
    )
    return len(by_word)


def postings(connection: apsw.Connection, word: str) -> Posting:
    """Where a word occurs, over all segments.

    Args:
        connection: In a transaction.
        word: A derived token.
    """
    rows = fetch(
        connection,
        # CROSS keeps the segments outside: one look-up each, never a scan of all words.
        "SELECT ids, counts FROM segment CROSS JOIN posting "
        "ON posting.segment = segment.id AND posting.word = ?",
        (word,),
    )
    return _posting(rows)


def _posting(rows: Sequence[tuple[Any, ...]]) -> Posting:
    ids = b"".join(row[0] for row in rows)
    counts = b"".join(row[1] for row in rows)
    require(len(ids) == _ID_BYTES * len(counts))
    return Posting(np.frombuffer(ids, dtype="<u4"), np.frombuffer(counts, dtype=np.uint8))


def _little_endian(ids: array[int]) -> bytes:
    if sys.byteorder == "big":
        ids.byteswap()
    return ids.tobytes()


def merge_some(connection: apsw.Connection, rows: int) -> None:
    """Move the merging of segments on by a bounded number of rows.

    Args:
        connection: The write connection inside its transaction.
        rows: At least this many are moved, if there is something to merge.
    """
    moved = 0
    while moved < rows:
        job = _job(connection)
        if job is None:
            return
        moved += _step(connection, *job)


def clear_postings(connection: apsw.Connection) -> None:
    """Remove every posting, to build them anew."""
    connection.execute("DELETE FROM posting")
    connection.execute("DELETE FROM segment")


def _job(connection: apsw.Connection) -> tuple[int, list[int]] | None:
    """The merge under way, or the next one that is due: its target and its sources."""
    rows = fetch(connection, "SELECT merge_into, id FROM segment WHERE merge_into IS NOT NULL")
    if rows:
        return rows[0][0], [row[1] for row in rows if row[0] == rows[0][0]]
    full = fetch(
        connection,
        "SELECT level FROM segment GROUP BY level HAVING count(*) >= ? ORDER BY level LIMIT 1",
        (FAN_IN,),
    )
    if not full:
        return None
    sources = [
        row[0]
        for row in fetch(
            connection,
            "SELECT id FROM segment WHERE level = ? ORDER BY id LIMIT ?",
            (full[0][0], FAN_IN),
        )
    ]
    return _new_target(connection, sources), sources


def _new_target(connection: apsw.Connection, sources: Sequence[int]) -> int:
    marks = ",".join("?" * len(sources))
    connection.execute(
        f"INSERT INTO segment (level) SELECT 1 + max(level) FROM segment WHERE id IN ({marks})",
        tuple(sources),
    )
    target = connection.last_insert_rowid()
    connection.execute(
        f"UPDATE segment SET merge_into = ? WHERE id IN ({marks})", (target, *sources)
    )
    return target


def _step(connection: apsw.Connection, target: int, sources: Sequence[int]) -> int:
    """Move some words from the sources to the target; returns how many rows, 0 when done."""
    heads = [
        fetch(
            connection,
            "SELECT word, ids, counts FROM posting WHERE segment = ? ORDER BY word LIMIT ?",
            (source, _STEP_WORDS),
        )
        for source in sources
    ]
    # Beyond the last word of a source that has more, the others would run ahead of it.
    limits = [rows[-1][0] for rows in heads if len(rows) == _STEP_WORDS]
    last = min(limits) if limits else None
    rows = sorted(
        (row for head in heads for row in head if last is None or row[0] <= last), key=itemgetter(0)
    )
    lengths = all_lengths(connection)
    joined = (
        (target, word, *_joined(list(group), lengths))
        for word, group in groupby(rows, key=itemgetter(0))
    )
    connection.executemany(
        "INSERT INTO posting (segment, word, ids, counts) VALUES (?, ?, ?, ?)",
        (row for row in joined if row[2]),  # a word that no chunk has any more is forgotten
    )
    connection.executemany(
        "DELETE FROM posting WHERE segment = ?1 AND (?2 IS NULL OR word <= ?2)",
        ((source, last) for source in sources),
    )
    if last is None:
        connection.execute("DELETE FROM segment WHERE merge_into = ?", (target,))
    return len(rows)


def _joined(
    rows: Sequence[tuple[str, bytes, bytes]], lengths: NDArray[np.uint16]
) -> tuple[bytes, bytes]:
    posting = _posting([row[1:] for row in rows])
    require(posting.fits(len(lengths)))
    living = lengths[posting.ids] > 0
    return posting.ids[living].tobytes(), posting.counts[living].tobytes()
