"""A switch of models happens together or not at all, and goes on after a kill."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.faults.switch_loop import made, measure, switched_by_hand
from vstash import Memory
from vstash.settings import Settings

COUNT: Final = 120
CRASHED: Final = 77
# Reindexes in a process of its own, which ends the nth time that a point is passed.
CHILD: Final = """
import os, sys
from pathlib import Path
from vstash.pipeline.engine import open_engine
path, cases = Path(sys.argv[1]), sys.argv[2:]
passed = 0
def at(name):
    global passed
    passed += name == cases[0]
    if name == cases[0] and passed == int(cases[1]):
        os._exit(77)
open_engine(path, model="fake", crash_point=at).switching.reindex("fake-32")
"""
POINTS: Final = [
    *(("reindex:begin", 1), ("reindex:fill", 1), ("reindex:fill", 3)),
    *(("commit", 1), ("commit", 2), ("commit", 4)),
    *(("switch:active", 1), ("switch:end", 1)),
]


@pytest.mark.parametrize(("point", "nth"), POINTS)
def test_a_crash_on_the_way(tmp_path: Path, point: str, nth: int) -> None:
    """The file is whole, searched with the model before, and the next reindex does only the rest."""
    path = tmp_path / "x.db"
    made(path)
    command = [sys.executable, "-c", CHILD, str(path), point, str(nth)]
    assert subprocess.run(command, check=False).returncode == CRASHED
    with Memory(path, settings=Settings()) as memory:
        assert memory.stats().model.name == "fake"
        assert memory.check().ok
        there = sum(each.vectors for each in memory.models() if each.name == "fake-32")
        report = memory.reindex("fake-32")
        assert (report.switched, report.embedded) == (True, COUNT - there)
        assert memory.check().ok


def test_killed_at_random() -> None:
    """Every file is whole after every kill, and what was committed is not embedded again."""
    figures = measure(2, 3)
    assert [figures[name] for name in ("whole", "resumed", "whole_after")] == [2, 2, 2]
    assert figures["control_unnoticed"] is False


def test_a_switch_without_vectors_is_found(tmp_path: Path) -> None:
    """The control: a model that was made the active one by hand lacks a vector, and the check says so."""
    assert switched_by_hand(tmp_path / "x.db") is False


def test_another_process_follows(tmp_path: Path) -> None:
    """What the command line switches, an open file notices at its next operation, in both directions."""
    path = tmp_path / "x.db"
    made(path)
    with Memory(path, settings=Settings()) as memory:
        for words in (["reindex", "--model", "fake-32"], ["model", "use", "fake"]):
            command = [sys.executable, "-m", "vstash", *words, "--db", str(path), "--json"]
            done = subprocess.run(command, capture_output=True, check=True)
            hit = memory.search("amber number7", k=1, mode="vector").hits[0]
            assert hit.document.key == "d7"
            assert memory.stats().model.name == json.loads(done.stdout)["model"]
            memory.add(f"written after {words}")
            assert memory.stats().awaiting == 0
        assert memory.check().ok
