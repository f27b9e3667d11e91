"""Learning by itself: seldom, in idle time, within its share, and off unless asked for."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.learnt import Told, learning
from tests.unit.pipeline.conftest import Clock
from vstash import Memory, NewDocument
from vstash.errors import LearningError
from vstash.learning import LearnProgress
from vstash.pipeline.automatic import BackgroundLearning, Paced, StoppedError
from vstash.pipeline.engine import Engine
from vstash.pipeline.teaching import Lesson, Taught, Teaching
from vstash.settings import Settings
from vstash.types import JsonObject

STEP = LearnProgress("x", 0, 0)
DAY_US = 86_400_000_000
SEARCHES = 3


class _Nothing(Teaching):
    """Finds too little to learn from, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def taught(self, _lesson: Lesson) -> Iterator[Taught]:
        """Nothing."""
        self.asked += 1
        raise LearningError("too little")


def automatic(engine: Engine, clock: Clock, teaching: Teaching) -> BackgroundLearning:
    """Of an engine whose teacher needs no data."""
    parts = SimpleNamespace(searching=engine.searching, learning=learning(engine, teaching, clock))
    settings = Settings(learn_auto=True, learn_auto_searches=SEARCHES)
    return BackgroundLearning(engine.store, lambda: cast("Engine", parts), settings, clock)


def searched(engine: Engine, *queries: str) -> None:
    """Search, and wait for the log."""
    options: JsonObject = {"where": None, "strategy": None, "vector": None, "collection": None}
    for query in queries:
        engine.searching.search(query, k=1, mode="hybrid", explain=False, log=True, **options)  # type: ignore[arg-type]
    engine.recorder.flush()
    # Nobody searched for a while.
    engine.searching.last_search = -math.inf


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A file with a document."""
    engine.writing.add(NewDocument("Tea is hot.", key="tea"))
    return engine


def test_off_by_default(tmp_path: Path) -> None:
    """Without the setting nothing begins, whatever there is to learn."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("Tea is hot.")
        memory.learn_in_background()
        assert not memory.auto_learning().on
        assert [thread.name for thread in threading.enumerate()].count("vstash-learning") == 0


def test_it_ends_with_the_file(tmp_path: Path) -> None:
    """The thread that waits for something to learn does not hold up the closing."""
    memory = Memory(tmp_path / "x.db", model="fake", settings=Settings(learn_auto=True))
    memory.learn_in_background()
    memory.learn_in_background()
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("vstash-learning") == 1
    memory.close()
    assert "vstash-learning" not in [thread.name for thread in threading.enumerate()]


def test_once_a_day_after_enough_searches(filled: Engine, clock: Clock) -> None:
    """It takes new searches and a day since the last time, and what is taken is used."""
    auto = automatic(filled, clock, Told())

    def due() -> bool:
        (only,) = auto.state().collections
        return only.due

    searched(filled, "tea", "hot")
    assert (due(), auto.learn()) == (False, 0)
    searched(filled, "is tea hot")
    assert (due(), auto.learn()) == (True, 1)
    with filled.store.read() as reader:
        assert set(reader.learned.active("default", 1)) == {"fusion", "adapter"}
    searched(filled, "cold tea", "green tea", "black tea")
    assert (due(), auto.learn()) == (False, 0)
    clock.now += DAY_US
    assert (due(), auto.learn()) == (True, 1)
    clock.now += DAY_US
    assert (due(), auto.learn()) == (False, 0)


def test_too_little_is_not_tried_again_at_once(filled: Engine, clock: Clock) -> None:
    """A collection that teaches nothing is left alone for a day."""
    teaching = _Nothing()
    auto = automatic(filled, clock, teaching)
    searched(filled, "tea", "hot", "is tea hot")
    assert [auto.learn(), auto.learn(), teaching.asked] == [1, 0, 1]
    clock.now += DAY_US
    assert [auto.learn(), teaching.asked] == [1, 2]


def test_share_of_a_core() -> None:
    """After each step it waits until what was used is no more than its share of the time that passed."""
    spent = iter(range(100))
    paced = Paced(0.2, threading.Event(), lambda: -math.inf, used=lambda: next(spent) / 100)
    start = time.monotonic()
    paced.step(STEP)
    paced.step(STEP)
    # A hundredth of a second was used before each of them.
    assert time.monotonic() - start >= 2 * 0.01 / 0.2


def test_it_gives_way_to_searches() -> None:
    """A step waits until nobody searched for some time."""
    start = time.monotonic()
    Paced(1.0, threading.Event(), lambda: start, quiet_s=0.1).step(STEP)
    assert time.monotonic() - start >= 0.1


def test_closing_ends_a_wait() -> None:
    """Who waits for its share, or for searches to end, is stopped at once; nothing is stored."""
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(StoppedError):
        Paced(0.01, stopped, time.monotonic, quiet_s=1000).step(STEP)
