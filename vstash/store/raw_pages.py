"""Rows straight from the pages of a file, without its tree and without SQLite's opinion of it.

The layout is that of https://www.sqlite.org/fileformat2.html, sections 1.5 to 1.7, 2.1 and 4. Files are read through
SQLite's own file system, since closing any other descriptor of a file that is open here would drop its locks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from vstash.store.connection import PAGE_SIZE

__all__ = ["INDEX", "TABLE", "Cell", "RawFile", "Value", "Wrong"]

Value = int | float | str | bytes | None

TABLE: Final = (0x0D,)
"""Leaves of tables."""
INDEX: Final = (0x0A, 0x02)
"""Leaves and inner pages of indexes, which hold entries both."""

_INNER_INDEX: Final = 0x02
_FILE_HEADER: Final = 100
_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_WAL_MAGIC: Final = (0x377F0682, 0x377F0683)
_VARINT_BYTES: Final = 9
_MORE: Final = 0x80
# Serial types of which the names say nothing.
_FLOAT: Final = 7
_NUMBER_BYTES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8}
_FIRST_BLOB: Final = 12
# How much of a payload lies in its cell, for pages of this size without a reserve.
_MOST_TABLE: Final = PAGE_SIZE - 35
_MOST_INDEX: Final = (PAGE_SIZE - 12) * 64 // 255 - 23
_LEAST: Final = (PAGE_SIZE - 12) * 32 // 255 - 23


class Wrong(Exception):  # noqa: N818 - it is no error of the caller's
    """What lies here is not what SQLite writes."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a row or an entry of an index lies.

    Attributes:
        page: Number of its page, from 1.
        offset: In the page, where its payload's header begins.
        size: Of the payload, bytes.
        local: How many of them lie in the cell; the others in further pages.
        rowid: Of a row of a table, 0 of an entry of an index.
        types: Serial types of its columns.
        shape: A letter for each column: n for NULL, i, f, t, b.
    """

    page: int
    offset: int
    size: int
    local: int
    rowid: int
    types: tuple[int, ...]
    shape: str


class RawFile:
    """The pages of a file as of its last commit.

    Args:
        path: A file, closed by `close`.
        log: Whether to read what stands in its write-ahead log.
    """

    def __init__(self, path: Path, *, log: bool) -> None:
        self._main = apsw.VFSFile(
            "", str(path), [apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_MAIN_DB, 0]
        )
        self._logged: dict[int, bytes] = {}
        self.page_count = -(-self._main.xFileSize() // PAGE_SIZE)
        self.wrong: set[int] = set()
        wal = path.with_name(path.name + "-wal")
        if log and wal.exists() and wal.stat().st_size > _WAL_HEADER:
            self._read_log(wal)

    def close(self) -> None:
        """Release the file."""
        self._main.xClose()

    @property
    def logged(self) -> bool:
        """Whether there are pages in the log."""
        return bool(self._logged)

    def _read_log(self, wal: Path) -> None:
        file = apsw.VFSFile("", str(wal), [apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_WAL, 0])
        try:
            header = file.xRead(_WAL_HEADER, 0)
            magic, _, page_size, _ = struct.unpack(">4I", header[:16])
            order = ">" if magic & 1 else "<"
            sums = _checksums(header[:24], (0, 0), order)
            if magic not in _WAL_MAGIC or page_size != PAGE_SIZE or sums != _pair(header[24:]):
                return
            held: dict[int, bytes] = {}
            place = _WAL_HEADER
            while (
                len(frame := file.xRead(_FRAME_HEADER + PAGE_SIZE, place))
                == _FRAME_HEADER + PAGE_SIZE
            ):
                sums = _checksums(frame[:8] + frame[_FRAME_HEADER:], sums, order)
                if frame[8:16] != header[16:24] or sums != _pair(frame[16:24]):
                    return
                number, pages_after = _pair(frame[:8])
                held[number] = frame[_FRAME_HEADER:]
                if pages_after:
                    # A commit: what was held counts from here on.
                    self._logged |= held
                    held, self.page_count = {}, pages_after
                place += len(frame)
        finally:
            file.xClose()

    def page(self, number: int) -> bytes:
        """A page's bytes; zeros where the file ends before it does.

        Raises:
            Wrong: When there is no such page.
        """
        if not 1 <= number <= self.page_count:
            raise Wrong
        found = self._logged.get(number)
        if found is None:
            found = self._main.xRead(PAGE_SIZE, (number - 1) * PAGE_SIZE).ljust(PAGE_SIZE, b"\0")
        return found

    def cells(self, number: int, kinds: Sequence[int]) -> Iterator[Cell]:
        """The cells of a page of one of these kinds; those that make no sense are left out and noted."""
        data = self.page(number)
        start = _FILE_HEADER if number == 1 else 0
        kind = data[start]
        if kind not in kinds:
            return
        pointers = start + (12 if kind == _INNER_INDEX else 8)
        count = int.from_bytes(data[start + 3 : start + 5], "big")
        for place in range(min(count, (PAGE_SIZE - pointers) // 2)):
            try:
                at = pointers + 2 * place
                yield _cell(data, number, int.from_bytes(data[at : at + 2], "big"), kind)
            except (Wrong, IndexError):  # noqa: PERF203 - one bad cell must not hide the others
                self.wrong.add(number)

    def children(self, number: int) -> list[int]:
        """The pages below an inner page of an index."""
        data = self.page(number)
        start = _FILE_HEADER if number == 1 else 0
        if data[start] != _INNER_INDEX:
            return []
        found = [int.from_bytes(data[start + 8 : start + 12], "big")]
        for place in range(int.from_bytes(data[start + 3 : start + 5], "big")):
            at = start + 12 + 2 * place
            offset = int.from_bytes(data[at : at + 2], "big")
            found.append(int.from_bytes(data[offset : offset + 4], "big"))
        return found

    def values(self, cell: Cell) -> list[Value]:
        """The columns of a row.

        Raises:
            Wrong: When a part of it is not there or makes no sense.
        """
        payload = self._payload(cell)
        place = _varint(payload, 0)[0]
        found: list[Value] = []
        for kind in cell.types:
            size = _size(kind)
            if place + size > len(payload):
                raise Wrong
            found.append(_value(kind, payload[place : place + size]))
            place += size
        return found

    def _payload(self, cell: Cell) -> bytes:
        if cell.size > self.page_count * PAGE_SIZE:
            raise Wrong
        data = self.page(cell.page)
        end = cell.offset + cell.local
        parts, left = [data[cell.offset : end]], cell.size - cell.local
        following = int.from_bytes(data[end : end + 4], "big") if left else 0
        while left > 0:
            data = self.page(following)
            parts.append(data[4 : 4 + left])
            left -= len(parts[-1])
            following = int.from_bytes(data[:4], "big")
        return b"".join(parts)


def _pair(data: bytes) -> tuple[int, int]:
    first, second = struct.unpack(">2I", data)
    return first, second


def _checksums(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for place in range(0, len(words), 2):
        first = (first + words[place] + second) & 0xFFFFFFFF
        second = (second + words[place + 1] + first) & 0xFFFFFFFF
    return first, second


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for count in range(1, _VARINT_BYTES + 1):
        byte = data[place + count - 1]
        if count == _VARINT_BYTES:
            return value << 8 | byte, place + count
        value = value << 7 | byte & ~_MORE
        if not byte & _MORE:
            return value, place + count
    raise Wrong


def _cell(data: bytes, page: int, offset: int, kind: int) -> Cell:
    rowid = 0
    size, place = _varint(data, offset + 4 if kind == _INNER_INDEX else offset)
    if kind in TABLE:
        rowid, place = _varint(data, place)
    local = _local(size, _MOST_TABLE if kind in TABLE else _MOST_INDEX)
    if place + local > PAGE_SIZE:
        raise Wrong
    end, at = _varint(data, place)
    end += place
    # A header that goes on in another page is none of our tables'.
    if not at <= end <= place + local:
        raise Wrong
    types = []
    while at < end:
        column, at = _varint(data, at)
        types.append(column)
    shape = "".join(map(_letter, types))
    return Cell(page, place, size, local, rowid, tuple(types), shape)


def _local(size: int, most: int) -> int:
    if size <= most:
        return size
    rest = _LEAST + (size - _LEAST) % (PAGE_SIZE - 4)
    return rest if rest <= most else _LEAST


def _letter(kind: int) -> str:
    if kind >= _FIRST_BLOB:
        return "t" if kind % 2 else "b"
    if kind in {10, 11}:
        raise Wrong
    return {0: "n", _FLOAT: "f"}.get(kind, "i")


def _size(kind: int) -> int:
    if kind >= _FIRST_BLOB:
        return (kind - _FIRST_BLOB) // 2
    return _NUMBER_BYTES.get(kind, 0)


def _value(kind: int, data: bytes) -> Value:
    if kind >= _FIRST_BLOB:
        if kind % 2 == 0:
            return data
        # What is not UTF-8 any more is seen by what is hashed, and hides nothing beside it.
        return data.decode("utf-8", "replace")
    if kind == _FLOAT:
        return float(struct.unpack(">d", data)[0])
    if kind in {8, 9}:
        return kind - 8
    return int.from_bytes(data, "big", signed=True) if kind else None
