"""A wall clock that jumps back and forward between the operations on a file.

`python -m tests.faults clock` does so many operations. Nothing is lost, ids stay unique and ordered within a
process, and what was applied once is applied once. The control trusts the clock: for ids, and for the age of
what is forgotten.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final
from unittest.mock import patch

import uuid6

from tests.faults.operations import ACTIONS, Acting, background, held
from vstash import Memory
from vstash.pipeline import engine

__all__ = ["Outcome", "measure", "run"]

_SECOND_NS: Final = 1_000_000_000
# An hour back, a year forward, a step, and right again.
_JUMPS_S: Final = (-3_600, 365 * 86_400, -2, 0, 0)
_JUMPS_EVERY: Final = 5
_REOPENED_EVERY: Final = 100


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        differs: Names that hold something else than what was acknowledged.
        doubled: Ids that came twice.
        misordered: Documents whose id sorts before that of one made earlier by the same process.
    """

    operations: int = 0
    jumps: int = 0
    differs: list[str] = field(default_factory=list)
    doubled: int = 0
    misordered: int = 0
    findings: list[str] = field(default_factory=list)


class Clock:
    """The time of the system, put forward or back."""

    def __init__(self) -> None:
        self.ahead_ns = 0
        self._real = time.time_ns

    def __call__(self) -> int:
        """Nanoseconds since the epoch."""
        return self._real() + self.ahead_ns

    def jump(self, rng: random.Random) -> None:
        """To another time."""
        self.ahead_ns = rng.choice(_JUMPS_S) * _SECOND_NS


def clock_alone() -> uuid6.UUID:
    """An id of the milliseconds, as of a clock that nobody would ever turn."""
    milliseconds = time.time_ns() // 1_000_000
    return uuid6.UUID(int=milliseconds << 80 | random.getrandbits(76), version=7)


@contextmanager
def turned(*, planted: bool) -> Iterator[Clock]:
    """Every look at the system's time is at a clock of ours."""
    clock = Clock()
    with ExitStack() as stack:
        stack.enter_context(patch.object(time, "time_ns", clock))
        if planted:
            stack.enter_context(patch.object(uuid6, "uuid7", clock_alone))
            stack.enter_context(patch.object(engine, "steady", lambda clock: clock))
        yield clock


def run(folder: Path, operations: int, seed: int, *, planted: bool = False) -> Outcome:
    """Do everything that can be done to a file while the clock jumps."""
    outcome, rng = Outcome(operations), random.Random(seed)
    files, path = folder / "files", folder / "x.db"
    files.mkdir()
    ids: list[str] = []
    with turned(planted=planted) as clock:
        memory = Memory(path, model="fake")
        acting = Acting(memory, files, {}, rng, "clock")
        ACTIONS["feedback"][0](acting)
        for number in range(operations):
            if number % _JUMPS_EVERY == 0:
                clock.jump(rng)
                outcome.jumps += 1
            if number % _REOPENED_EVERY == _REOPENED_EVERY - 1:
                memory.close()
                # What is opened under a wrong clock knows no better.
                clock.ahead_ns = 0
                acting.memory = memory = Memory(path, model="fake")
            ids.append(memory.add(f"note {number}", collection="notes").id)
            acting.state[f"document notes {ids[-1]}"] = [f"note {number}", [], {}]
            acting.act()
        # At least once something is logged that stays, a year later.
        clock.ahead_ns = max(_JUMPS_S) * _SECOND_NS
        memory.search("amber")
        memory.stats()
        clock.ahead_ns = 0
        _look(memory, acting, ids, outcome)
        memory.close()
    return outcome


def _look(memory: Memory, acting: Acting, ids: list[str], outcome: Outcome) -> None:
    found = held(memory)
    expected = background(found, acting.folder) | acting.state
    outcome.differs = sorted(
        name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
    )
    outcome.doubled = len(ids) - len(set(ids))
    outcome.misordered = sum(after <= before for before, after in pairwise(ids))
    outcome.findings = [finding.code for finding in memory.check().findings]


def measure(count: int, seed: int) -> dict[str, object]:
    """So many operations, and the control."""
    outcomes = []
    for planted in (False, True):
        with tempfile.TemporaryDirectory(prefix="vstash-clock-") as folder:
            outcomes.append(asdict(run(Path(folder), count, seed, planted=planted)))
    return {**outcomes[0], "control": outcomes[1]}
