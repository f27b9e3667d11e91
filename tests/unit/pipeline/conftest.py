"""An open engine over a real file, with a clock to turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.pipeline.plain_bm25 import opened, put
from vstash import Memory
from vstash.pipeline.engine import Engine, open_engine
from vstash.store.sqlite import SqliteStore


class Clock:
    """Microseconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000_000

    def __call__(self) -> int:
        """The time; it grows by one at every look, so that no two writes share it."""
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still but for the looks at it."""
    return Clock()


@pytest.fixture
def engine(tmp_path: Path, clock: Clock) -> Iterator[Engine]:
    """The parts under a Memory, on that clock."""
    opened = open_engine(tmp_path / "x.db", model="fake", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    """An open Memory on an empty file."""
    with Memory(tmp_path / "x.db", model="fake") as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A file with three documents."""
    made = opened(tmp_path / "x.db")
    put(made, {"a": ["amber lamp", "amber"], "b": ["basil lamp lamp"], "c": ["cedar"]})
    yield made
    made.close()


@pytest.fixture
def other(store: SqliteStore) -> Iterator[SqliteStore]:
    """Another user of the same file."""
    made = opened(store.path)
    yield made
    made.close()
