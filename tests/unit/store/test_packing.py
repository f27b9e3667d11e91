"""Packed postings as bytes: small, read back as they were, and refused where they are damaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vstash.errors import StoreCorruptError
from vstash.store.packing import Unpacked, packed, unpacked

# A row's postings: counts by chunk id, in ascending order.
Row = dict[int, int]
HEAD = 5


def pack(rows: Sequence[Mapping[int, int]]) -> list[tuple[bytes, bytes]]:
    """Each row's ids and counts as bytes."""
    ids = np.array([chunk for row in rows for chunk in row], dtype=np.int64)
    counts = np.array([count for row in rows for count in row.values()], dtype=np.uint8)
    sizes = np.array([len(row) for row in rows], dtype=np.int64)
    return list(packed(ids, counts, np.cumsum(sizes) - sizes))


def listed(found: Unpacked) -> list[Row]:
    """The rows, one after another."""
    ends = np.cumsum(found.sizes).tolist()
    assert len(found.ids) == len(found.counts) == (ends[-1] if ends else 0)
    rows = []
    for start, end in zip([0, *ends], ends, strict=False):
        ids, counts = found.ids[start:end].tolist(), found.counts[start:end].tolist()
        rows.append(dict(zip(ids, counts, strict=True)))
        assert len(rows[-1]) == end - start
    return rows


def made(first: int, gaps: list[int], counts: list[int]) -> Row:
    """A row by its first id and the gaps between the others."""
    ids = accumulate([first, *gaps])
    return dict(zip(ids, counts * (len(gaps) + 1), strict=False))


GAPS = (
    st.lists(st.integers(1, 255), max_size=30)
    | st.lists(st.integers(1, 2**16 - 1), max_size=30)
    | st.lists(st.integers(1, 2**26), max_size=30)
)
COUNTS = st.just([1]) | st.lists(st.integers(1, 255), min_size=1, max_size=31)
ROWS = st.lists(st.builds(made, st.integers(0, 2**31), GAPS, COUNTS), max_size=12)


@given(rows=ROWS)
def test_what_is_packed_is_unpacked_as_it_was(rows: list[Row]) -> None:
    """Rows of any widths, with and without counts, come back together with all their postings."""
    found = unpacked(pack(rows))
    assert listed(found) == rows
    assert (found.ids.dtype, found.counts.dtype) == (np.dtype(np.int64), np.dtype(np.uint8))


@given(rows=ROWS)
def test_a_row_does_not_depend_on_its_neighbours(rows: list[Row]) -> None:
    """Packed alone a row has the same bytes, and unpacked alone the same postings."""
    together = pack(rows)
    assert together == [pack([row])[0] for row in rows]
    assert [listed(unpacked([each])) for each in together] == [[row] for row in rows]


@pytest.mark.parametrize(
    ("gap", "width"),
    [(1, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 4), (2**31, 4)],
)
def test_a_gap_takes_the_fewest_bytes_that_hold_it(gap: int, width: int) -> None:
    """The widest gap of a row decides: 1, 2 or 4 bytes for each; the first id takes 4."""
    row = {3: 1, 7: 1, 7 + gap: 1}
    ids, counts = pack([row])[0]
    assert ids[0] == width
    assert len(ids) == HEAD + 2 * width
    assert listed(unpacked([(ids, counts)])) == [row]


def test_the_bytes_are_those_of_the_format() -> None:
    """Width, first id and gaps, little-endian, as files hold them: 3, then 5, then 260."""
    assert pack([{3: 1, 5: 1, 260: 1}]) == [(bytes([1, 3, 0, 0, 0, 2, 255]), b"")]
    assert pack([{3: 1, 5: 7, 261: 1}]) == [
        (bytes([2, 3, 0, 0, 0, 2, 0, 0, 1]), bytes([0x17, 0x10])),
    ]
    assert pack([{3: 1, 4: 16, 5: 255}]) == [(bytes([1, 3, 0, 0, 0, 1, 1]), bytes([1, 16, 255]))]
    assert pack([{2**32 - 1: 9}]) == [(bytes([1, 255, 255, 255, 255]), bytes([9]))]


@pytest.mark.parametrize(
    ("counts", "held"),
    [
        ([1], b""),
        ([1, 1, 1], b""),
        ([1, 2, 1], b"\x12\x10"),
        ([1, 15], b"\x1f"),
        ([1, 16, 1], b"\x01\x10\x01"),
        ([2], b"\x02"),
        ([255], b"\xff"),
        ([1, 2] * 20 + [3], b"\x12" * 20 + b"\x30"),
    ],
)
def test_counts_take_what_they_need(counts: list[int], held: bytes) -> None:
    """No byte where all are one, as most are; half a byte each up to 15; else a byte."""
    row = dict(enumerate(counts, start=1))
    ids, often = pack([row, {9: 3}])[0]
    assert often == held
    assert listed(unpacked([(ids, often)])) == [row]


def test_nothing_is_packed_as_nothing() -> None:
    """No row is no row, in both directions."""
    assert pack([]) == []
    found = unpacked([])
    assert (len(found.ids), len(found.counts), len(found.sizes)) == (0, 0, 0)


def test_ids_that_descend_are_not_packed() -> None:
    """A gap is never negative; only a new row may begin below the end of the last."""
    assert listed(unpacked(pack([{8: 1, 9: 2}, {3: 1, 4: 1}]))) == [{8: 1, 9: 2}, {3: 1, 4: 1}]
    with pytest.raises(StoreCorruptError):
        pack([{3: 1, 4: 1}, {8: 1, 7: 1}])


DAMAGED = {
    "no ids": (b"", b""),
    "head cut": (b"\x01\x03\0\0", b""),
    "width 0": (b"\x00\x03\0\0\0\x02", b""),
    "width 3": (b"\x03\x03\0\0\0\x02\0\0", b""),
    "width 8": (b"\x08\x03\0\0\0" + bytes(8), b""),
    "a gap of two bytes cut": (b"\x02\x03\0\0\0\x02", b""),
    "a gap of four bytes cut": (b"\x04\x03\0\0\0\x02\0\0\0\x07\0\0", b""),
    "too few counts": (b"\x01\x03\0\0\0\x02\x02\x02", b"\x01"),
    "too few for a byte each": (b"\x01\x03\0\0\0\x02\x02\x02", b"\x01\x02\x03"),
    "too many counts": (b"\x01\x03\0\0\0", b"\x01\x02"),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("beside", [0, 2])
def test_damaged_rows_are_refused(damaged: tuple[bytes, bytes], beside: int) -> None:
    """A row that nobody packed is an error, alone and among sound ones."""
    sound = pack([{3: 1, 5: 2}, {70_000: 1, 900_000: 1}])[:beside]
    assert len(listed(unpacked(sound))) == beside
    with pytest.raises(StoreCorruptError):
        unpacked([*sound, damaged])
    with pytest.raises(StoreCorruptError):
        unpacked([damaged, *sound])


def test_one_rows_counts_do_not_make_up_for_anothers() -> None:
    """Sums that agree hide nothing: each row's counts are as many as its ids."""
    ids = pack([{3: 2, 5: 2}])[0][0]
    assert unpacked([(ids, b"\x01\x02"), (ids, b"\x01\x02")]).counts.tolist() == [1, 2, 1, 2]
    with pytest.raises(StoreCorruptError):
        unpacked([(ids, b"\x01"), (ids, b"\x01\x02\x03")])


@given(rows=st.lists(st.tuples(st.binary(max_size=24), st.binary(max_size=6)), max_size=4))
def test_any_bytes_are_read_or_refused(rows: list[tuple[bytes, bytes]]) -> None:
    """Whatever stands in a row, it is postings in ascending order or that one error."""
    try:
        found = unpacked(rows)
    except StoreCorruptError:
        return
    assert len(found.sizes) == len(rows)
    assert len(found.ids) == len(found.counts) == found.sizes.sum()
    ends = np.cumsum(found.sizes)
    for start, end in zip([0, *ends.tolist()], ends.tolist(), strict=False):
        assert (np.diff(found.ids[start:end]) >= 0).all()
