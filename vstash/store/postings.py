"""Packed postings: per word and segment one array of chunk ids and one of counts.

Each commit adds one small segment. Segments of a level are merged into one of the next, a bounded
number of words at a time inside later commits: a word's rows move from the sources to the target in
the same transaction, so that a reader of all segments always sees each posting once. Postings of
chunks that are gone stay until a merge drops them; their length is 0 and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np

from vstash.errors import StoreCorruptError
from vstash.store.connection import fetch
from vstash.store.faults import require
from vstash.store.lengths import all_lengths
from vstash.store.levels import FAN_IN, level_of
from vstash.store.packing import packed, unpacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import IdArray

__all__ = [
    "MAX_COUNT",
    "STEP_WORDS",
    "Posting",
    "add_postings",
    "clear_postings",
    "holds_gone",
    "last_posted",
    "merge_some",
    "postings",
    "renew",
]

# Segments of 32,768 chunks and more stay as they are: merging them would cost a bulk load more than
# looking into some thirty of them costs a search of a million chunks.
FINAL_LEVEL: Final = 5
MAX_COUNT: Final = 255
# A final segment of which fewer than this share live is made anew.
_LEAST_LIVING: Final = 0.5
# Words moved at most by one step of a merge, so that no commit waits long for it.
STEP_WORDS: Final = 500


@dataclass(frozen=True, slots=True)
class Posting:
    """Where a word occurs.

    Attributes:
        ids: Chunk ids, shape (n,), each once; those of chunks that are gone included.
        counts: How often it occurs there, at most 255, shape (n,).
    """

    ids: IdArray
    counts: NDArray[np.uint8]

    def fits(self, size: int) -> bool:
        """Whether every id is below a number."""
        return not len(self.ids) or int(self.ids.max()) < size


class _Numbers(dict[str, int]):
    """Numbers words in the order in which they are first asked for."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


def add_postings(connection: apsw.Connection, chunks: Sequence[tuple[int, Sequence[str]]]) -> int:
    """Write the words of new chunks as one segment.

    Args:
        connection: The write connection inside its transaction.
        chunks: Ids greater than any before, ascending, and each one's words with repetitions.

    Returns:
        Number of rows written: one for each distinct word.
    """
    if not chunks:
        return 0
    connection.execute(
        "INSERT INTO segment (level, first, last, chunks) VALUES (?, ?, ?, ?)",
        (level_of(len(chunks)), chunks[0][0], chunks[-1][0], len(chunks)),
    )
    segment = connection.last_insert_rowid()
    numbers = _Numbers()
    flat = [number for _, words in chunks for number in map(numbers.__getitem__, words)]
    places = np.repeat(np.arange(len(chunks)), [len(words) for _, words in chunks])
    keys, often = np.unique(np.array(flat, dtype=np.int64) << 32 | places, return_counts=True)
    ids = np.array([chunk for chunk, _ in chunks], dtype=np.int64)[keys & 0xFFFFFFFF]
    counts = np.minimum(often, MAX_COUNT).astype(np.uint8)
    rows = zip(numbers, packed(ids, counts, _starts(keys >> 32)), strict=True)
    # In the order of the table: its pages are then filled one after another.
    connection.executemany(
        "INSERT INTO posting (segment, word, ids, counts) VALUES (?, ?, ?, ?)",
        ((segment, word, *row) for word, row in sorted(rows)),
    )
    return len(numbers)


def _starts(groups: IdArray) -> IdArray:
    """Where each run of equal numbers begins."""
    return np.flatnonzero(np.diff(groups, prepend=-1))


def postings(
    connection: apsw.Connection, words: Sequence[str], *, after: int = 0
) -> dict[str, Posting]:
    """Where words occur, over all segments.

    Args:
        connection: In a transaction.
        words: Distinct derived tokens.
        after: Only in chunks with higher ids.

    Returns:
        For each word its posting, which may be empty.
    """
    found: dict[str, list[tuple[bytes, bytes]]] = {word: [] for word in words}
    if words:
        rows = fetch(
            connection,
            # CROSS keeps the segments outside: one look-up for each word, never a scan of all.
            "SELECT posting.word, posting.ids, posting.counts FROM segment CROSS JOIN "
            "carray(?) AS asked CROSS JOIN posting ON posting.segment = segment.id "
            "AND posting.word = asked.value WHERE segment.last > ?",
            (apsw.carray(tuple(words)), after),
        )
        for word, ids, counts in rows:
            found[word].append((ids, counts))
    return _posted(found, after)


def _posted(found: Mapping[str, Sequence[tuple[bytes, bytes]]], after: int) -> dict[str, Posting]:
    every = unpacked([row for rows in found.values() for row in rows])
    ends = np.cumsum(every.sizes)
    posted, row, start = {}, 0, 0
    for word, rows in found.items():
        row += len(rows)
        end = int(ends[row - 1]) if row else 0
        posting = Posting(every.ids[start:end], every.counts[start:end])
        if after:
            new = posting.ids > after
            posting = Posting(posting.ids[new], posting.counts[new])
        posted[word] = posting
        start = end
    return posted


def last_posted(connection: apsw.Connection) -> int:
    """The highest chunk id that any segment holds or held."""
    return int(fetch(connection, "SELECT coalesce(max(last), 0) FROM segment")[0][0])


def merge_some(
    connection: apsw.Connection, rows: int, *, removed: bool = True, words: int = STEP_WORDS
) -> bool:
    """Move the merging of segments on by a bounded number of rows.

    Args:
        connection: The write connection inside its transaction.
        rows: At least this many are moved, if there is something to merge.
        removed: Whether chunks went since the last call, so that final segments are looked at.
        words: Of each segment that are moved at once; no fewer rows than that are.

    Returns:
        Whether there may be more to merge.
    """
    moved = 0
    # What is damaged stays as it is, for the check to find; it must not keep others from writing.
    with suppress(StoreCorruptError):
        while moved < rows:
            job = _job(connection) or (_stale(connection) if removed else None)
            if job is None:
                return False
            moved += _step(connection, *job, words=words)
    return moved >= rows


def renew(connection: apsw.Connection, segment: int) -> None:
    """Begin to make a segment anew from itself, unless it is being merged or gone by now."""
    rows = fetch(
        connection, "SELECT level FROM segment WHERE id = ? AND merge_into IS NULL", (segment,)
    )
    if rows:
        _new_target(connection, [segment], rows[0][0])


def holds_gone(connection: apsw.Connection, segment: int) -> bool:
    """Whether a segment has words of chunks that are gone.

    Raises:
        StoreCorruptError: When it cannot be read.
    """
    lengths = all_lengths(connection)
    rows = connection.execute("SELECT ids, counts FROM posting WHERE segment = ?", (segment,))
    while part := list(islice(rows, STEP_WORDS)):
        ids = unpacked(part).ids
        require(int(ids.max()) < len(lengths))
        if not lengths[ids].all():
            return True
    return False


def clear_postings(connection: apsw.Connection) -> None:
    """Remove every posting, to build them anew."""
    connection.execute("DELETE FROM posting")
    connection.execute("DELETE FROM segment")


def _job(connection: apsw.Connection) -> tuple[int, list[int]] | None:
    """The merge under way, or the next one that is due: its target and its sources."""
    rows = fetch(
        connection, "SELECT merge_into, id FROM segment WHERE merge_into IS NOT NULL ORDER BY id"
    )
    if rows:
        return rows[0][0], [row[1] for row in rows if row[0] == rows[0][0]]
    full = fetch(
        connection,
        "SELECT level FROM segment WHERE level < ? GROUP BY level HAVING count(*) >= ? "
        "ORDER BY level LIMIT 1",
        (FINAL_LEVEL, FAN_IN),
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
    return _new_target(connection, sources, full[0][0] + 1), sources


def _stale(connection: apsw.Connection) -> tuple[int, list[int]] | None:
    """A final segment of which most chunks are gone, to be made anew from itself."""
    rows = fetch(
        connection,
        "SELECT id, level, first, last, chunks FROM segment WHERE level >= ?",
        (FINAL_LEVEL,),
    )
    if not rows:
        return None
    lengths = all_lengths(connection)
    for segment, level, first, last, chunks in rows:
        if _living(lengths, first, last) < _LEAST_LIVING * chunks:
            return _new_target(connection, [segment], level), [segment]
    return None


def _living(lengths: NDArray[np.uint16], first: int, last: int) -> int:
    return int(np.count_nonzero(lengths[first : last + 1]))


def _new_target(connection: apsw.Connection, sources: Sequence[int], level: int) -> int:
    marks = ",".join("?" * len(sources))
    connection.execute(
        "INSERT INTO segment (level, first, last) SELECT ?, min(first), max(last) FROM segment "
        f"WHERE id IN ({marks})",
        (level, *sources),
    )
    target = connection.last_insert_rowid()
    connection.execute(
        f"UPDATE segment SET merge_into = ? WHERE id IN ({marks})", (target, *sources)
    )
    return target


def _step(connection: apsw.Connection, target: int, sources: Sequence[int], *, words: int) -> int:
    """Move so many words of each source to the target; returns how many rows, 0 when done."""
    heads = [
        fetch(
            connection,
            "SELECT word, ids, counts FROM posting WHERE segment = ? ORDER BY word LIMIT ?",
            (source, words),
        )
        for source in sources
    ]
    # Beyond the last word of a source that has more, the others would run ahead of it.
    limits = [rows[-1][0] for rows in heads if len(rows) == words]
    last = min(limits) if limits else None
    rows = sorted(
        (row for head in heads for row in head if last is None or row[0] <= last), key=itemgetter(0)
    )
    if rows:
        connection.executemany(
            "INSERT INTO posting (segment, word, ids, counts) VALUES (?, ?, ?, ?)",
            ((target, *row) for row in _joined(rows, all_lengths(connection))),
        )
    connection.executemany(
        "DELETE FROM posting WHERE segment = ?1 AND (?2 IS NULL OR word <= ?2)",
        ((source, last) for source in sources),
    )
    if last is None:
        connection.execute("DELETE FROM segment WHERE merge_into = ?", (target,))
        _count_living(connection, target)
    return len(rows)


def _count_living(connection: apsw.Connection, segment: int) -> None:
    rows = fetch(connection, "SELECT first, last FROM segment WHERE id = ?", (segment,))
    # A damaged tree can list a row that it does not find.
    require(bool(rows))
    bounds = rows[0]
    chunks = _living(all_lengths(connection), *bounds)
    connection.execute("UPDATE segment SET chunks = ? WHERE id = ?", (chunks, segment))


def _joined(
    rows: Sequence[tuple[Any, ...]], lengths: NDArray[np.uint16]
) -> list[tuple[str, bytes, bytes]]:
    """Rows sorted by word, one for each word that a living chunk has."""
    every = unpacked([row[1:] for row in rows])
    require(int(every.ids.max()) < len(lengths))
    words = [row[0] for row in rows]
    firsts = [number == 0 or word != words[number - 1] for number, word in enumerate(words)]
    groups = np.repeat(np.cumsum(firsts) - 1, every.sizes)
    living = lengths[every.ids] > 0
    groups, ids, counts = groups[living], every.ids[living], every.counts[living]
    # Sources of different sizes may interleave: single commits between those of a bulk.
    places = groups << 32 | ids
    if np.any(np.diff(places) < 0):
        order = np.argsort(places)
        groups, ids, counts = groups[order], ids[order], counts[order]
    starts = _starts(groups)
    distinct = [word for word, first in zip(words, firsts, strict=True) if first]
    kept = (distinct[number] for number in groups[starts].tolist())
    return [(word, *row) for word, row in zip(kept, packed(ids, counts, starts), strict=True)]
