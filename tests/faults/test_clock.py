"""Nothing depends on a wall clock that only goes forward."""

from __future__ import annotations

from pathlib import Path

from tests.faults.clock_loop import run

OPERATIONS = 60


def test_a_clock_that_jumps(tmp_path: Path) -> None:
    """An hour back, a year forward and right again: nothing is lost, doubled or out of order."""
    seen = run(tmp_path, OPERATIONS, seed=1)
    assert (seen.differs, seen.findings) == ([], [])
    assert (seen.doubled, seen.misordered) == (0, 0)
    assert seen.jumps >= 10


def test_a_clock_that_is_trusted(tmp_path: Path) -> None:
    """The control: ids of the clock alone are out of order, and a year ahead the log is forgotten."""
    seen = run(tmp_path, OPERATIONS, seed=1, planted=True)
    assert seen.misordered > 0
    assert any(name.startswith("verdict ") for name in seen.differs)
