"""Rows read from pages are those that SQLite reads."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import apsw
import pytest

from vstash.store.connection import create_file, open_writer
from vstash.store.raw_pages import INDEX, TABLE, RawFile, Value, Wrong


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A file with rows of every kind of value, short and over many pages, in a table and in an index."""
    rng = random.Random(5)
    create_file(tmp_path / "x.db")
    opened = open_writer(tmp_path / "x.db", busy_timeout_s=1, durability="full")
    opened.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c)")
    opened.execute("CREATE TABLE w (k PRIMARY KEY, v) WITHOUT ROWID")
    lengths = (0, 1, 60, 127, 128, 2000, 8150, 8157, 8158, 9000, 40_000)
    values = [
        *(None, 0, 1, -1, 127, 128, -32_768, 2**23, 2**31, 2**47, -(2**63), 2**63 - 1, 0.5, -1e300),
        *("ü" * (length // 2) for length in lengths),
        *(rng.randbytes(length) for length in lengths),
    ]
    rows = [(rng.randrange(1, 2**40), *rng.choices(values, k=3)) for _ in range(300)]
    opened.executemany("INSERT OR IGNORE INTO t VALUES (?, ?, ?, ?)", rows)
    keys = [f"{number}{'x' * rng.choice(lengths)}" for number in range(200)]
    opened.executemany("INSERT INTO w VALUES (?, ?)", ((key, rng.choice(values)) for key in keys))
    yield opened
    opened.close()


def rows_of(
    path: Path, kinds: tuple[int, ...], columns: int, *, log: bool = True
) -> list[list[Value]]:
    """All rows with so many columns, the row's number first in those of tables."""
    found = []
    with closing(RawFile(path, log=log)) as raw:
        for page in range(1, raw.page_count + 1):
            for cell in raw.cells(page, kinds):
                values = raw.values(cell)
                if len(values) == columns:
                    found.append([cell.rowid, *values[1:]] if kinds == TABLE else values)
        assert raw.wrong == set()
    return found


def selected(connection: apsw.Connection, table: str) -> list[list[Value]]:
    """The same by SQL."""
    return [list(row) for row in connection.execute(f"SELECT * FROM {table}")]


@pytest.mark.parametrize("moved", [True, False], ids=["in the file", "in the log"])
def test_rows_are_those_of_sql(connection: apsw.Connection, tmp_path: Path, moved: bool) -> None:  # noqa: FBT001 - a case
    """Every value is the same, wherever the page stands, and a transaction that was undone is not there."""
    if moved:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.execute("BEGIN; INSERT INTO t VALUES (77, 'undone', 1, 2)")
    path = tmp_path / "x.db"
    connection.cache_flush()
    tables, indexes = rows_of(path, TABLE, 4), rows_of(path, INDEX, 2)
    connection.execute("ROLLBACK")
    assert sorted(tables, key=repr) == sorted(selected(connection, "t"), key=repr)
    assert sorted(indexes, key=repr) == sorted(selected(connection, "w"), key=repr)
    assert len(tables) > 250


def test_without_the_log_the_file_is_as_it_was(connection: apsw.Connection, tmp_path: Path) -> None:
    """What was not moved yet is not seen; the control above sees it."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    before = selected(connection, "t")
    connection.execute("INSERT INTO t VALUES (77, 'later', 1, 2)")
    path = tmp_path / "x.db"
    assert sorted(rows_of(path, TABLE, 4, log=False), key=repr) == sorted(before, key=repr)
    assert [77, "later", 1, 2] in rows_of(path, TABLE, 4)


def test_noise_gives_rows_or_is_told(tmp_path: Path) -> None:
    """Pages of noise end in nothing but `Wrong`, and take no longer than others."""
    rng = random.Random(3)
    path = tmp_path / "x.db"
    pages = [bytes([rng.choice((2, 10, 13))]) + rng.randbytes(8191) for _ in range(40)]
    path.write_bytes(b"".join(pages))
    with closing(RawFile(path, log=True)) as raw:
        for page in range(1, raw.page_count + 1):
            raw.children(page)
            for cell in raw.cells(page, (*TABLE, *INDEX)):
                with suppress(Wrong):
                    raw.values(cell)
        assert raw.wrong
        with pytest.raises(Wrong):
            raw.page(41)
