"""A file that is removed or replaced while it is open, and connections that cross a fork."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import apsw
import pytest

from vstash import Memory
from vstash.errors import PathNotFoundError, StoreReplacedError
from vstash.store.presence import Presence

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="open files cannot go there"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

TEXT = "The port of the staging server is 8090."


def removed(path: Path) -> None:
    """The user deletes the file and what is beside it."""
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink()


def without_log(path: Path) -> None:
    """The user deletes the log alone."""
    path.with_name(f"{path.name}-wal").unlink()


def without_index(path: Path) -> None:
    """The user deletes what says what is in the log."""
    path.with_name(f"{path.name}-shm").unlink()


def moved(path: Path) -> None:
    """The user moves the file elsewhere."""
    path.rename(path.with_name("elsewhere.db"))


def replaced(path: Path) -> None:
    """Another file is moved over it, as an outside restore does."""
    other = path.with_name("other.db")
    with Memory(other, model="fake") as memory:
        memory.add("restored", key="restored")
    other.rename(path)


ACCIDENTS = (removed, without_log, without_index, moved, replaced)


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("wrote", [True, False])
def test_nothing_goes_on_without_its_file(
    tmp_path: Path, accident: Callable[[Path], None], *, wrote: bool
) -> None:
    """Readers and writers say what happened, and nothing of it is touched, by closing neither."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add(TEXT, key="staging")
    memory = Memory(path, model="fake")
    if wrote:
        memory.add(TEXT, key="before")
    memory.search("port", log=False)
    accident(path)
    before = contents(tmp_path)
    for call in (
        lambda: memory.add("lost", key="lost"),
        lambda: memory.delete(key="staging"),
        lambda: memory.get(key="staging"),
        lambda: memory.search("port"),
        memory.check,
        memory.compact,
    ):
        with pytest.raises(StoreReplacedError, match="again"):
            call()
    assert memory.health().status == "unavailable"
    memory.close()
    assert contents(tmp_path) == before


def test_a_write_under_way_is_not_acknowledged(tmp_path: Path) -> None:
    """A file that goes away inside a transaction is noticed before the commit."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add(TEXT, key="staging")
        with ExitStack() as stack:
            stack.enter_context(pytest.raises(StoreReplacedError))
            stack.enter_context(memory._engine.store.write()).touch_source("none", 1, 1)
            moved(path)
    with pytest.raises(PathNotFoundError):
        Memory(path, model="fake", create=False)


def test_without_the_look_a_write_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: SQLite alone says that it stored what nobody will ever see."""
    monkeypatch.setattr(Presence, "require", lambda _: None)
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add(TEXT, key="staging")
        removed(path)
        assert memory.add("acknowledged", key="lost").key == "lost"
    assert not path.exists()


def test_others_that_come_and_go_disturb_nobody(tmp_path: Path) -> None:
    """Its log may be deleted while nobody has the file open, and stays while somebody has."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        for number in range(3):
            with Memory(path, model="fake") as other:
                other.add(TEXT, key=str(number))
            assert memory.get(key=str(number)).text == TEXT
            memory.add(TEXT, key=f"own{number}")
        assert memory.check().ok


def test_a_file_without_a_log_gets_one(tmp_path: Path) -> None:
    """A copy, or a file whose first writer was killed, has none until it is written to."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add(TEXT, key="staging")
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    with Memory(path, model="fake") as memory:
        assert memory.get(key="staging").text == TEXT
        memory.add(TEXT, key="after")
        assert memory.get(key="after").text == TEXT
        without_log(path)
        with pytest.raises(StoreReplacedError):
            memory.get(key="after")


@pytest.mark.parametrize("kept", [True, False])
def test_a_child_closes_nothing_that_it_inherited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, kept: bool
) -> None:
    """Not even its garbage collector does; the control, without our word, would."""
    if not kept:
        monkeypatch.setattr(Presence, "abandon", lambda _: None)
    path = tmp_path / "x.db"
    memory = Memory(path, model="fake")
    memory.add(TEXT, key="staging")
    memory.search("port", log=False)
    child = os.fork()
    if not child:
        before = descriptors(path)
        memory.close()
        del memory
        gc.collect()
        os._exit(0 if descriptors(path) == before else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == (0 if kept else 1)
    memory.add(TEXT, key="after")
    memory.close()
    with Memory(path, model="fake") as reopened:
        assert reopened.check().ok
        assert reopened.stats().documents == 2


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".db-shm"}


def descriptors(path: Path) -> int:
    """How many of this process are of a file or what is beside it."""
    held = set()
    for number in range(100):
        with suppress(OSError):
            held.add((number, os.fstat(number).st_ino))
    beside = {each.stat().st_ino for each in path.parent.glob(f"{path.name}*")}
    return sum(inode in beside for _, inode in held)
