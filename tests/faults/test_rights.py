"""Files and folders with few rights, little space, and processes that fork."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.disks import mounted
from vstash import Memory
from vstash.errors import StoreFullError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="rights of POSIX")

TEXT = "The port of the staging server is 8090."


@pytest.fixture
def folder(open_folder: Path) -> Path:
    """A folder with a closed file of one document and one logged search."""
    made = open_folder / "data"
    made.mkdir()
    with Memory(made / "x.db", model="fake") as memory:
        memory.add(TEXT, key="staging")
        memory.search("port")
    (made / "x.db").chmod(0o600)
    return made


def test_a_folder_that_cannot_be_written_is_read(
    folder: Path, rights_child: Callable[..., Any]
) -> None:
    """The file is searched as it is, writes are refused by name, and the log is silent."""
    folder.chmod(0o555)
    assert rights_child("rights", folder) == {
        "open": "ok",
        "search": "ok",
        "hits": [TEXT],
        "check": [],
        "add": "store_read_only",
        "feedback": "store_read_only",
        "dropped": 0,
    }
    assert [item.name for item in folder.iterdir()] == ["x.db"]


def test_a_file_that_cannot_be_written_is_read(
    folder: Path, rights_child: Callable[..., Any]
) -> None:
    """Beside a read-only file in a writable folder everything but writing goes on."""
    (folder / "x.db").chmod(0o444)
    assert rights_child("rights", folder) == {
        "open": "ok",
        "search": "ok",
        "hits": [TEXT],
        "check": [],
        "add": "store_read_only",
        "feedback": "store_read_only",
        "dropped": 1,
    }


def test_the_control_can_write(folder: Path, rights_child: Callable[..., Any]) -> None:
    """The control: the same user with the usual rights writes, so that the others prove something."""
    seen = rights_child("rights", folder)
    assert (seen["open"], seen["add"], seen["feedback"], seen["dropped"]) == ("ok", "ok", "ok", 0)


def test_a_file_that_cannot_be_read_is_refused(
    folder: Path, rights_child: Callable[..., Any]
) -> None:
    """Without the right to read, opening says so."""
    (folder / "x.db").chmod(0o000)
    assert rights_child("rights", folder) == {"open": "store_read_only"}


def test_a_file_cannot_be_made_where_nothing_may_be_written(
    folder: Path, rights_child: Callable[..., Any]
) -> None:
    """A missing file in a folder that cannot be written is refused as such."""
    (folder / "x.db").unlink()
    folder.chmod(0o555)
    assert rights_child("rights", folder) == {"open": "store_read_only"}


def test_changes_left_in_the_wal_are_never_passed_over(
    open_folder: Path, rights_child: Callable[..., Any]
) -> None:
    """In a read-only folder, a write that a crash left in -wal is read or the file is refused."""
    folder = open_folder / "data"
    folder.mkdir()
    rights_child("leave", folder)
    assert (folder / "x.db-wal").stat().st_size > 0
    for item in folder.iterdir():
        item.chmod(0o600)
    folder.chmod(0o555)
    seen = rights_child("rights", folder)
    assert seen["open"] == "store_read_only" or seen["hits"] == [TEXT]
    folder.chmod(0o755)
    (folder / "x.db-shm").unlink()
    folder.chmod(0o555)
    assert rights_child("rights", folder) == {"open": "store_read_only"}
    folder.chmod(0o755)
    with Memory(folder / "x.db", model="fake") as memory:
        assert memory.get(key="staging").text == TEXT


def test_everything_is_private_whatever_the_umask(
    tmp_path: Path, rights_child: Callable[..., Any]
) -> None:
    """Under umask 000 new folders are 0700, and the file, -wal and -shm are 0600."""
    assert rights_child("modes", tmp_path) == {
        "made": "0o700",
        "deep": "0o700",
        "x.db": "0o600",
        "x.db-wal": "0o600",
        "x.db-shm": "0o600",
    }


def test_a_memory_does_not_cross_a_fork(tmp_path: Path, rights_child: Callable[..., Any]) -> None:
    """In the child every call is refused, a new Memory works, and the parent is not disturbed."""
    assert rights_child("forked", tmp_path) == {
        **dict.fromkeys(("search", "add", "get", "check", "stats"), "forked"),
        "close": "ok",
        "fresh": "ok",
        "keys": ["fresh", "parent", "staging"],
        "findings": [],
    }


def test_a_file_that_may_not_grow_says_so(tmp_path: Path) -> None:
    """At the limit of pages StoreFullError is raised, nothing is lost, and with room it goes on."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add(TEXT, key="staging")
        writer = memory._engine.store._write_connection()  # type: ignore[attr-defined]
        pages = writer.pragma("page_count")
        writer.pragma("max_page_count", pages + 10)
        with pytest.raises(StoreFullError) as caught:
            memory.add("cedar door " * 20_000, key="big")
        assert caught.value.retryable
        assert [document.key for document in memory.list().items] == ["staging"]
        assert memory.search("port").hits[0].text == TEXT
        assert memory.check().ok
        writer.pragma("max_page_count", 1_000_000)
        assert memory.add("cedar door " * 20_000, key="big").chunk_count > 100
        assert memory.check().ok


def test_a_limit_on_file_sizes_loses_nothing(
    tmp_path: Path, rights_child: Callable[..., Any]
) -> None:
    """Where the system refuses to write beyond a size, the error is ours and the file is whole."""
    seen = rights_child("limited", tmp_path)
    assert seen["code"] in {"store_io", "store_full"}
    assert seen["added"] > 3
    assert (seen["missing"], seen["check"]) == ([], [])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB, where this user may mount one."""
    disk = tmp_path / "disk"
    with mounted(disk, "size=2m") as done:
        if not done:
            pytest.skip("only root may mount a disk; the limit on file sizes stands for it")
        yield disk


def test_a_full_disk_loses_nothing(small_disk: Path, rights_child: Callable[..., Any]) -> None:
    """On a full disk the write fails by name, searches go on, and with space writes do too."""
    seen = rights_child("filled", small_disk)
    assert seen["code"] == "store_full"
    assert seen["added"] > 3
    assert seen["hits"] > 0
    assert seen["again"] == "ok"
    assert (seen["missing"], seen["check"]) == ([], [])
    assert seen["documents"] == seen["added"] + 1


def test_apsw_and_the_system_agree_on_the_lock_files(tmp_path: Path) -> None:
    """The file is in WAL mode, so a reader of another program sees it without waiting."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add(TEXT)
        other = apsw.Connection(str(tmp_path / "x.db"), flags=apsw.SQLITE_OPEN_READONLY)
        assert other.pragma("journal_mode") == "wal"
        other.close()
