"""Deadlines: what holds, for whom, and that work stops."""

from __future__ import annotations

import threading
from contextvars import copy_context
from pathlib import Path

import apsw
import pytest

from vstash import Memory, deadlines
from vstash.errors import DeadlineError, StoreBusyError
from vstash.pipeline.overlap import overlapped
from vstash.settings import Settings
from vstash.store.sqlite import SqliteStore

# Counts far longer than any test may take.
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def test_without_one() -> None:
    """Nothing is stopped that has no deadline."""
    deadlines.check()
    assert not deadlines.passed()
    assert deadlines.patience(7) == 7


def test_the_nearest_holds() -> None:
    """An inner deadline cannot put off an outer one, and ends with its block."""
    with deadlines.deadline(1000) as outer:
        with deadlines.deadline(5000) as inner:
            assert inner.left() <= 1000
            assert deadlines.patience(2000) <= 1000
            outer.stop()
            with pytest.raises(DeadlineError):
                deadlines.check()
        with deadlines.unhurried():
            deadlines.check()
        with pytest.raises(DeadlineError):
            deadlines.check()
    deadlines.check()


def test_other_threads_are_free() -> None:
    """A deadline holds in its context alone, and in what was given a copy of it."""
    with deadlines.deadline(0):
        free = threading.Thread(target=deadlines.check)
        free.start()
        free.join()
        with pytest.raises(DeadlineError):
            copy_context().run(deadlines.check)
        with pytest.raises(DeadlineError):
            list(overlapped([1], lambda _: deadlines.check(), workers=1))


def test_a_statement_is_stopped(tmp_path: Path) -> None:
    """SQLite gives up a statement that would never end; the store goes on to work."""
    store = SqliteStore(tmp_path / "x.db")
    with pytest.raises(DeadlineError), deadlines.deadline(0.05), store.read() as reader:
        reader._connection.execute(ENDLESS).fetchall()
    with store.read() as reader:
        assert reader.chunk_count == 0
    store.close()


def test_a_write_is_undone(tmp_path: Path) -> None:
    """What a write did before its deadline is not there after it; the next write is."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        store = memory._engine.store
        change = "UPDATE meta SET value = 99 WHERE name = 'chunk_count'"
        with pytest.raises(DeadlineError), deadlines.deadline(0.05), store.write() as writer:
            [writer._connection.execute(sql).fetchall() for sql in (change, ENDLESS)]
        with store.read() as reader:
            assert reader.chunk_count == 0
        memory.add("Ada prefers tea.")
        assert memory.check().ok


def test_too_late_to_commit(tmp_path: Path) -> None:
    """A write whose deadline passes just before its commit is undone; within the commit it is done."""

    def stop_at(name: str) -> bool:
        with Memory(tmp_path / f"{name}.db", model="fake") as memory:
            with deadlines.deadline(1000) as limit:
                memory._engine.store._crash_point = (  # type: ignore[attr-defined]
                    lambda point: limit.stop() if point == name else None
                )
                try:
                    memory.add("Ada prefers tea.")
                except DeadlineError:
                    pass
                else:
                    assert name == "never"
            return memory.stats().documents == 1

    assert not stop_at("commit")
    assert stop_at("never")


def test_a_wait_for_the_lock_ends(tmp_path: Path) -> None:
    """Behind another thread's or process' write the deadline ends the wait; the control waits longer."""
    settings = Settings(model="fake", busy_timeout_s=0.5)
    with Memory(tmp_path / "x.db", settings=settings) as memory:
        other = apsw.Connection(str(tmp_path / "x.db"))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DeadlineError), deadlines.deadline(0.1):
            memory.add("two")
        with pytest.raises(StoreBusyError):
            memory.add("two")
        other.close()
        with memory._engine.store.write():
            caught: list[Exception] = []

            def late() -> None:
                try:
                    with deadlines.deadline(0.1):
                        memory.add("two")
                except DeadlineError as error:
                    caught.append(error)

            thread = threading.Thread(target=late)
            thread.start()
            thread.join()
        assert len(caught) == 1
        memory.add("three")
        assert memory.stats().documents == 1


def test_many_passages_are_not_all_embedded(tmp_path: Path) -> None:
    """Embedding looks at the clock between passages, and a search between its stages."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("Ada prefers tea.")
        with deadlines.deadline(0):
            with pytest.raises(DeadlineError):
                memory.search("tea")
            with pytest.raises(DeadlineError):
                memory._engine.bulk._embedder.embed_passages(["one", "two"])
