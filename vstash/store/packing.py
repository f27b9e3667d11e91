"""How postings lie in a row: gaps between ascending chunk ids in the fewest bytes that hold them.

A row's ids are one byte that says how wide a gap is (1, 2 or 4), the first id in four bytes, then the
gaps. Its counts are left out where all are one, two to a byte where none is above 15, else a byte
each. Many rows are packed and unpacked at once: per row, numpy would cost more than SQLite.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.store.faults import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import IdArray

__all__ = ["Unpacked", "packed", "unpacked"]

_HEAD: Final = np.dtype([("width", "u1"), ("first", "<u4")])
_WIDTHS: Final = (1, 2, 4)
_HALF: Final = 15
# Up to here Python packs counts faster than numpy.
_FEW: Final = 16
_NO_IDS: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The postings of several rows, one after another.

    Attributes:
        ids: Chunk ids, ascending within a row, shape (n,).
        counts: How often the word occurs there, shape (n,).
        sizes: Number of postings of each row.
    """

    ids: IdArray
    counts: NDArray[np.uint8]
    sizes: IdArray


def packed(
    ids: IdArray, counts: NDArray[np.uint8], starts: IdArray
) -> Iterator[tuple[bytes, bytes]]:
    """Pack postings into rows.

    Args:
        ids: Chunk ids of all rows, ascending within each, shape (n,).
        counts: Shape (n,).
        starts: Where each row begins, ascending from 0.

    Yields:
        For each row its ids and its counts.

    Raises:
        StoreCorruptError: When ids do not ascend.
    """
    if not len(starts):
        return
    gaps = np.diff(ids, prepend=0)
    gaps[starts] = 0
    require(bool(np.all(gaps >= 0)))
    widest = np.maximum.reduceat(gaps, starts)
    widths = np.select([widest < 1 << 8, widest < 1 << 16], [1, 2], 4)
    firsts = ids[starts].astype("<u4").tobytes()
    bodies = {
        width: gaps.astype(f"<u{width}").tobytes() if np.any(widths == width) else b""
        for width in _WIDTHS
    }
    most = np.maximum.reduceat(counts, starts).tolist()
    often = counts.tobytes()
    ends = [*starts[1:].tolist(), len(ids)]
    rows = zip(starts.tolist(), ends, widths.tolist(), most, strict=True)
    for row, (start, end, width, highest) in enumerate(rows):
        body = bodies[width][width * (start + 1) : width * end]
        head = bytes((width,)) + firsts[4 * row : 4 * row + 4]
        yield head + body, _packed_counts(often[start:end], highest)


def _packed_counts(counts: bytes, highest: int) -> bytes:
    if highest == 1:
        return b""
    if highest > _HALF or len(counts) == 1:
        return counts
    if len(counts) <= _FEW:
        pairs = zip_longest(counts[::2], counts[1::2], fillvalue=0)
        return bytes(first << 4 | second for first, second in pairs)
    padded = np.frombuffer(counts + b"\0" * (len(counts) % 2), dtype=np.uint8)
    return (padded[::2] << 4 | padded[1::2]).tobytes()


def unpacked(rows: Sequence[tuple[bytes, bytes]]) -> Unpacked:
    """Unpack rows.

    Args:
        rows: Ids and counts of each, as `packed` gives them.

    Raises:
        StoreCorruptError: When a row is not of that form.
    """
    if not rows:
        return Unpacked(_NO_IDS, np.empty(0, dtype=np.uint8), _NO_IDS)
    lengths = np.fromiter((len(row[0]) for row in rows), dtype=np.int64, count=len(rows))
    require(bool(np.all(lengths >= _HEAD.itemsize)))
    heads = np.frombuffer(b"".join(row[0][: _HEAD.itemsize] for row in rows), dtype=_HEAD)
    widths = heads["width"].astype(np.int64)
    require(bool(np.logical_or.reduce([widths == width for width in _WIDTHS]).all()))
    bodies = lengths - _HEAD.itemsize
    require(not np.any(bodies % widths))
    sizes = 1 + bodies // widths
    starts = np.cumsum(sizes) - sizes
    ids = np.zeros(int(sizes.sum()), dtype=np.int64)
    follows = np.ones(len(ids), dtype=np.bool_)
    follows[starts] = False
    for width in np.unique(widths).tolist():
        chosen = np.flatnonzero(widths == width).tolist()
        gaps = np.frombuffer(b"".join(rows[i][0][_HEAD.itemsize :] for i in chosen), f"<u{width}")
        mine = follows if len(chosen) == len(rows) else follows & np.repeat(widths == width, sizes)
        ids[mine] = gaps
    np.cumsum(ids, out=ids)
    ids += np.repeat(heads["first"] - ids[starts], sizes)
    return Unpacked(ids, _counts(rows, sizes), sizes)


def _counts(rows: Sequence[tuple[bytes, bytes]], sizes: IdArray) -> NDArray[np.uint8]:
    lengths = np.fromiter((len(row[1]) for row in rows), dtype=np.int64, count=len(rows))
    halved = (lengths == (sizes + 1) // 2) & (sizes > 1)
    whole = (lengths == sizes) & ~halved
    require(bool(np.all(halved | whole | (lengths == 0))))
    counts = np.ones(int(sizes.sum()), dtype=np.uint8)
    if whole.any():
        chosen = np.flatnonzero(whole).tolist()
        counts[np.repeat(whole, sizes)] = np.frombuffer(
            b"".join(rows[i][1] for i in chosen), dtype=np.uint8
        )
    if halved.any():
        chosen = np.flatnonzero(halved).tolist()
        pairs = np.frombuffer(b"".join(rows[i][1] for i in chosen), dtype=np.uint8)
        both = np.stack([pairs >> 4, pairs & _HALF], axis=1).ravel()
        # The second half of a row's last byte stands for nothing where its postings are odd in number.
        width = 2 * lengths[halved]
        held = np.ones(len(both), dtype=np.bool_)
        held[np.cumsum(width) - 1] = width == sizes[halved]
        counts[np.repeat(halved, sizes)] = both[held]
    return counts
