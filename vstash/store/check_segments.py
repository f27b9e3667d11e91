"""Integrity of packed postings: the words in them, and what segments say of their chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np

from vstash.errors import StoreCorruptError
from vstash.store.connection import fetch
from vstash.store.found import Found
from vstash.store.lengths import all_lengths
from vstash.store.packing import unpacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PackedWords", "packed_words", "segment_findings"]

# Eight to the power of ten: no file has a thousand million chunks.
_HIGHEST_LEVEL: Final = 10
_AT_ONCE: Final = 1000


def segment_findings(connection: apsw.Connection, held: Mapping[int, tuple[int, int]]) -> Found:
    """Compare each segment's bounds and number of chunks with its postings.

    A reader that kept earlier postings reads only the segments whose last chunk is newer, so a bound
    that is too low hides words. What is gone since a segment was made may lie beyond its postings.

    Args:
        connection: In a read transaction.
        held: By segment, the lowest and the highest chunk in its postings.
    """
    lengths = all_lengths(connection)
    segments = fetch(connection, "SELECT id, level, first, last, chunks, merge_into FROM segment")
    targets = {row[5] for row in segments} - {None}
    there = {row[0] for row in segments}
    for segment, level, first, last, chunks, merge_into in segments:
        low, high = held.get(segment, (first, last))
        sound = 0 <= level <= _HIGHEST_LEVEL and 1 <= first <= low and high <= last
        sound = sound and (merge_into is None or merge_into in there - {segment})
        if sound and segment not in targets and merge_into is None:
            # While a merge is under way, its target does not count yet.
            living = int(np.count_nonzero(lengths[first : last + 1]))
            sound = living <= chunks <= last - first + 1
        if not sound:
            yield "segment_differs", [segment]


@dataclass(frozen=True, slots=True)
class PackedWords:
    """What all postings hold.

    Attributes:
        sums: By chunk id, the sum over its words of their mark by how often they occur.
        damaged: Segments of which rows cannot be read.
        bounds: By segment, its lowest and its highest chunk.
    """

    sums: NDArray[np.uint64]
    damaged: list[str]
    bounds: dict[int, tuple[int, int]]


def packed_words(connection: apsw.Connection, size: int, mark: Callable[[str], int]) -> PackedWords:
    """Read all postings.

    Args:
        connection: In a read transaction.
        size: Chunk ids lie below.
        mark: A number of 64 bits that stands for a word.
    """
    made = PackedWords(np.zeros(size, dtype=np.uint64), [], {})
    rows = connection.execute("SELECT segment, word, ids, counts FROM posting ORDER BY segment")
    for segment, of_segment in groupby(rows, key=itemgetter(0)):
        while part := list(islice(of_segment, _AT_ONCE)):
            if not _add(made, segment, part, mark):
                # One damaged row among many.
                sound = [_add(made, segment, [row], mark) for row in part]
                made.damaged.extend(str(segment) for each in sound if not each)
    return made


def _add(
    made: PackedWords, segment: int, rows: Sequence[tuple[Any, ...]], mark: Callable[[str], int]
) -> bool:
    try:
        found = unpacked([row[2:] for row in rows])
    except StoreCorruptError:
        return False
    low, high = int(found.ids.min()), int(found.ids.max())
    if high >= len(made.sums):
        return False
    marks = np.array([mark(row[1]) for row in rows], dtype=np.uint64)
    often = 2 * found.counts.astype(np.uint64) + np.uint64(1)
    np.add.at(made.sums, found.ids, np.repeat(marks, found.sizes) * often)
    known = made.bounds.get(segment, (low, high))
    made.bounds[segment] = (min(low, known[0]), max(high, known[1]))
    return True
