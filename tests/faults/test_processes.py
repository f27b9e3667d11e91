"""Several processes on one file."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.processes_loop import SCRIPT, run, run_misuse
from tests.faults.service_process import ENVIRONMENT
from vstash import Memory
from vstash.errors import StoreBusyError
from vstash.settings import Settings

POSIX = pytest.mark.skipif(
    sys.platform == "win32", reason="signals of POSIX, and open files that go"
)


def start(work: str, path: Path, name: str = "-") -> subprocess.Popen[str]:
    """Start another process on the file."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), work, "-", str(path), name, "-", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


@contextmanager
def lock_held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the write lock for the block, or until its standard input is closed."""
    with start("hold", path) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with one document."""
    target = tmp_path / "shared.db"
    with Memory(target, model="fake") as memory:
        memory.add("The port of the staging server is 8090.", key="staging")
    return target


@POSIX
def test_four_writers_and_four_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By every interface, one killed and one stopped: all is there, nobody is refused."""
    # Processes that wait for each other on a loaded machine may need more than the default.
    monkeypatch.setitem(ENVIRONMENT, "VSTASH_BUSY_TIMEOUT_S", "60")
    seen = run(tmp_path, 0, seed=3)
    assert (seen.lost, seen.findings, seen.locked, seen.busy_too_early) == ([], [], 0, 0)
    assert not set(seen.told) - {"killed", "service_unreachable"}
    assert (seen.kills > 0, seen.stops > 0) == (True, True)
    kinds = {"library", "cli", "rest"}
    assert set(seen.ms) == {f"{work} {kind}" for work in ("write", "read") for kind in kinds}


@POSIX
def test_a_deleted_log_is_noticed(tmp_path: Path) -> None:
    """From then on every write is refused; nothing is acknowledged that nobody will ever see."""
    seen = run_misuse(tmp_path, "library")
    assert set(seen.told) == {"store_replaced"}


@POSIX
def test_a_deleted_log_that_nobody_notices(tmp_path: Path) -> None:
    """The control: without the look all seems well, and acknowledged writes are lost."""
    seen = run_misuse(tmp_path, "blind")
    assert (seen.told, bool(seen.lost)) == ({}, True)


@POSIX
def test_a_stray_descriptor(tmp_path: Path) -> None:
    """A host that opens and closes the file drops SQLite's locks; this SQLite survives it."""
    seen = run_misuse(tmp_path, "stray")
    assert (seen.lost, seen.findings, seen.told) == ([], [], {})


@POSIX
def test_a_process_that_is_stopped_while_it_writes(path: Path) -> None:
    """Others get StoreBusyError after their timeout, go on reading, and write once it goes on."""
    with (
        Memory(path, model="fake", settings=Settings(busy_timeout_s=0.3)) as memory,
        lock_held(path) as process,
    ):
        process.send_signal(signal.SIGSTOP)
        # It would let go of the lock, if it went on.
        assert process.stdin is not None
        process.stdin.close()
        for _ in range(3):
            with pytest.raises(StoreBusyError):
                memory.add("too late", key="late")
        assert memory.get(key="staging").key == "staging"
        process.send_signal(signal.SIGCONT)
        process.wait(30)
        memory.add("in time", key="late")
        assert memory.check().ok


def test_a_lock_held_for_too_long_is_named(path: Path) -> None:
    """A write waits for its timeout, then raises StoreBusyError, and changes nothing."""
    with Memory(path, model="fake", settings=Settings(busy_timeout_s=0.3)) as memory:
        with lock_held(path), pytest.raises(StoreBusyError) as caught:
            memory.add("too late", key="late")
        assert caught.value.retryable
        assert memory.stats().documents == 1
        memory.add("in time", key="late")
        assert memory.check().ok


def test_a_lock_held_for_a_moment_is_waited_for(path: Path) -> None:
    """A write that comes while another process writes succeeds when that one is done."""
    with Memory(path, model="fake", settings=Settings(busy_timeout_s=30)) as memory:
        with lock_held(path) as process:
            assert process.stdin is not None
            letting_go = threading.Timer(0.4, process.stdin.close)
            letting_go.start()
            memory.add("patience pays", key="patience")
            letting_go.join()
        assert memory.get(key="patience").text == "patience pays"


def test_searches_go_on_while_the_lock_is_held(path: Path) -> None:
    """A search answers at once, and what it could not log is dropped and counted."""
    with Memory(path, model="fake") as memory:
        memory.search("staging port")
        before = memory.stats()
        with lock_held(path):
            result = memory.search("staging port")
            memory.search("staging port", log=False)
            during = memory.stats()
        assert result.hits[0].document.key == "staging"
        assert (before.log_dropped, during.log_dropped) == (0, 1)
        assert (before.searches_logged, during.searches_logged) == (1, 1)
        memory.search("the port of staging")
        assert memory.stats().searches_logged == 2


def test_two_processes_make_the_same_file(tmp_path: Path) -> None:
    """Two processes that create one file at the same moment both get it, ten times."""
    makers = [start("make", tmp_path, name) for name in ("one", "two")]
    for process in makers:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    answers = []
    for number in range(10):
        for process in makers:
            assert process.stdin is not None
            process.stdin.write(f"{tmp_path / f'new{number}.db'}\n")
            process.stdin.flush()
        for process in makers:
            assert process.stdout is not None
            answers.append(process.stdout.readline())
    for process in makers:
        process.communicate(timeout=30)
    assert answers == ["ok\n"] * 20
    for number in range(10):
        with Memory(tmp_path / f"new{number}.db", model="fake", create=False) as memory:
            assert {item.key for item in memory.list().items} == {"one", "two"}
            assert memory.check().ok
