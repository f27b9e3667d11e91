"""Several processes on one file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from vstash import Memory
from vstash.errors import StoreBusyError
from vstash.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("worker.py")


def start(work: str, path: Path, name: str, seconds: float) -> subprocess.Popen[str]:
    """Start another process on the file."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), work, str(path), name, str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "VSTASH_CONFIG": os.devnull},
    )


def ended(process: subprocess.Popen[str]) -> Any:
    """What the process printed, as JSON."""
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return json.loads(output)


@contextmanager
def lock_held(path: Path, seconds: float) -> Iterator[None]:
    """Another process holds the write lock from the start of the block, for so long."""
    with start("hold", path, "-", seconds) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with one document."""
    target = tmp_path / "shared.db"
    with Memory(target, model="fake") as memory:
        memory.add("The port of the staging server is 8090.", key="staging")
    return target


def test_three_writers_and_two_readers(path: Path) -> None:
    """Nobody fails below the timeout, all that was acknowledged is there, the check is clean."""
    writers = [start("write", path, f"w{number}", 2.0) for number in range(3)]
    readers = [start("read", path, f"r{number}", 2.0) for number in range(2)]
    wrote = [ended(process) for process in writers]
    seen = [ended(process) for process in readers]
    assert [error for done in (*wrote, *seen) for error in done["errors"]] == []
    assert min(done["steps"] for done in (*wrote, *seen)) > 3
    expected = {key: text for done in wrote for key, text in done["held"].items()}
    with Memory(path, model="fake") as memory:
        held = {
            item.key: memory.get(item.id).text
            for item in memory.list(limit=1000).items
            if item.key != "staging"
        }
        assert held == expected
        assert memory.check().findings == ()


def test_a_lock_held_for_too_long_is_named(path: Path) -> None:
    """A write waits for its timeout, then raises StoreBusyError, and changes nothing."""
    with Memory(path, model="fake", settings=Settings(busy_timeout_s=0.3)) as memory:
        with lock_held(path, 2.0):
            begin = time.monotonic()
            with pytest.raises(StoreBusyError) as caught:
                memory.add("too late", key="late")
            waited = time.monotonic() - begin
        assert 0.25 <= waited < 1.2
        assert caught.value.retryable
        assert memory.stats().documents == 1
        memory.add("in time", key="late")
        assert memory.check().ok


def test_a_lock_held_for_a_moment_is_waited_for(path: Path) -> None:
    """A write that comes while another process writes succeeds when that one is done."""
    with Memory(path, model="fake", settings=Settings(busy_timeout_s=10)) as memory:
        with lock_held(path, 0.4):
            memory.add("patience pays", key="patience")
        assert memory.get(key="patience").text == "patience pays"


def test_searches_go_on_while_the_lock_is_held(path: Path) -> None:
    """A search answers at once, and what it could not log is dropped and counted."""
    with Memory(path, model="fake") as memory:
        memory.search("staging port")
        before = memory.stats()
        with lock_held(path, 2.5):
            begin = time.monotonic()
            result = memory.search("staging port")
            memory.search("staging port", log=False)
            answered = time.monotonic() - begin
            during = memory.stats()
            counted = time.monotonic() - begin
        assert result.hits[0].document.key == "staging"
        assert answered < 1.0
        assert counted < 2.0
        assert (before.log_dropped, during.log_dropped) == (0, 1)
        assert (before.searches_logged, during.searches_logged) == (1, 1)
        memory.search("staging port")
        assert memory.stats().searches_logged == 2


def test_two_processes_make_the_same_file(tmp_path: Path) -> None:
    """Two processes that create one file at the same moment both get it, ten times."""
    makers = [start("make", tmp_path, name, 0) for name in ("one", "two")]
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
