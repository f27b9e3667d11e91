"""What was learnt takes the place of another together with what is said of it, or not at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.faults.learn_loop import halves, made, measure, sound
from vstash import Memory

CRASHED: Final = 77
# Learns, promotes and rolls back in a process that ends the nth time that a point is passed.
CHILD: Final = """
import os, sys
from pathlib import Path
from tests.learnt import Told, learning
from vstash.pipeline.engine import open_engine
path, point, nth = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
passed = 0
def at(name):
    global passed
    passed += name == point
    if name == point and passed == nth:
        os._exit(77)
engine = open_engine(path, model="fake", crash_point=at)
run = dict(learner="all", seed=1, budget_s=None, promote=True, progress=None)
first = learning(engine, Told()).learn(None, **run).learned[0].id
engine.learning.rollback(None, learner="fusion")
engine.learning.promote(first, collection=None, force=False)
"""
# How many are in use afterwards: the one of before, then both of the run, then again.
POINTS: Final = [
    *(("learned:add", 2, 1), ("learned:on", 2, 1), ("commit", 2, 1)),
    *(("learned:off", 3, 2), ("learned:switch", 4, 2)),
]


@pytest.mark.parametrize(("point", "nth", "in_use"), POINTS)
def test_a_crash_on_the_way(tmp_path: Path, point: str, nth: int, in_use: int) -> None:
    """The file says of each learner what is in use, and searches use that."""
    path = tmp_path / "x.db"
    made(path)
    command = [sys.executable, "-c", CHILD, str(path), point, str(nth)]
    assert subprocess.run(command, check=False).returncode == CRASHED
    assert halves(path) == []
    assert sound(path)
    with Memory(path, model="fake") as memory:
        assert len(memory.search("amber lamp").learned) == in_use


def test_killed_at_random() -> None:
    """Nothing is ever half done, and searches never see it so; the control's switches are."""
    figures = measure(2, 5)
    assert [figures[name] for name in ("whole", "sound", "together")] == [2, 2, 2]
    assert figures["control_half"] != 0
