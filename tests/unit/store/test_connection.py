"""What is in force on every connection."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from vstash.errors import StoreForeignError
from vstash.store import connection as connections
from vstash.store.connection import create_file, fetch, id_list, open_reader, open_writer
from vstash.store.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A new file with our schema."""
    target = tmp_path / "x.db"
    SqliteStore(target).close()
    return target


@pytest.fixture(params=["reader", "writer"])
def connection(request: pytest.FixtureRequest, path: Path) -> Iterator[apsw.Connection]:
    """Each kind of connection in turn."""
    opened = (
        open_reader(path, busy_timeout_s=1.5, immutable=False)
        if request.param == "reader"
        else open_writer(path, busy_timeout_s=1.5, durability="full")
    )
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("trusted_schema", 0), ("foreign_keys", 1), ("mmap_size", 0), ("cell_size_check", 1)),
        *(("temp_store", 2), ("cache_size", -16_384), ("page_size", 8192), ("journal_mode", "wal")),
        *(("application_id", 0x76737468), ("auto_vacuum", 2), ("busy_timeout", 1500)),
    ],
)
def test_pragmas_are_in_force(connection: apsw.Connection, name: str, value: object) -> None:
    """Readers and writers alike are set as designed."""
    found = connection.pragma(name)
    assert (found or 0) == value


def test_a_writer_is_durable_and_forgets(path: Path) -> None:
    """The write connection syncs at every commit, zeroes deleted rows and bounds the log."""
    writer = open_writer(path, busy_timeout_s=1, durability="full")
    assert writer.pragma("synchronous") == 2
    assert writer.pragma("secure_delete") == 1
    assert writer.pragma("journal_size_limit") == 64 * 1024 * 1024
    writer.close()
    writer = open_writer(path, busy_timeout_s=1, durability="normal")
    assert writer.pragma("synchronous") == 1
    writer.close()


@pytest.mark.parametrize("immutable", [False, True])
def test_a_reader_cannot_write(path: Path, immutable: bool) -> None:  # noqa: FBT001 - a parameter
    """A read connection refuses every change."""
    reader = open_reader(path, busy_timeout_s=1, immutable=immutable)
    with pytest.raises(apsw.ReadOnlyError):
        reader.execute("DELETE FROM meta")
    reader.close()


def test_no_extension_can_be_loaded_afterwards(connection: apsw.Connection) -> None:
    """The door that sqlite-vec came through is shut again, for SQL too."""
    assert fetch(connection, "SELECT vec_version()")[0][0].startswith("v0.1")
    with pytest.raises(apsw.Error):
        connection.load_extension("anything")
    with pytest.raises(apsw.SQLError):
        connection.execute("SELECT load_extension('anything')")


@pytest.mark.parametrize("name", ["with space.db", "100%.db", "a?b#c.db", "naïve ü.db", "q'\".db"])
@pytest.mark.skipif(sys.platform == "win32", reason="characters that Windows forbids in names")
def test_any_name_of_a_file_works(tmp_path: Path, name: str) -> None:
    """A name that means something in a URI opens the file of that name."""
    path = tmp_path / name
    SqliteStore(path).close()
    reader = open_reader(path, busy_timeout_s=1, immutable=False)
    assert fetch(reader, "SELECT count(*) FROM document") == [(0,)]
    reader.close()
    assert {item.name for item in tmp_path.iterdir()} <= {name, f"{name}-wal", f"{name}-shm"}


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_an_existing_file_keeps_its_content_and_mode(tmp_path: Path) -> None:
    """create_file makes what is missing and leaves what is there."""
    path = tmp_path / "deep" / "er" / "x.db"
    create_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.write_bytes(b"content")
    path.chmod(0o640)
    create_file(path)
    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with pytest.raises(StoreForeignError):
        create_file(path / "below.db")


def test_ids_are_bound_whatever_their_number(connection: apsw.Connection) -> None:
    """A list of ids can be empty, one, or many."""
    for ids in ([], [7], list(range(5000))):
        rows = fetch(
            connection,
            "SELECT value FROM carray(?) WHERE value >= 0 ORDER BY value",
            (id_list(np.array(ids, dtype=np.int64)),),
        )
        assert [row[0] for row in rows] == ids


def test_a_failed_setup_leaves_no_connection(tmp_path: Path) -> None:
    """Where the file is no database, opening raises and holds nothing open."""
    path = tmp_path / "noise.db"
    path.write_bytes(b"no database at all" * 100)
    before = len(list(apsw.connections()))
    with pytest.raises(apsw.NotADBError):
        open_writer(path, busy_timeout_s=1, durability="full")
    assert len(list(apsw.connections())) == before
    assert int.from_bytes(b"vsth", "big") == connections.APPLICATION_ID
