"""Let a process have ever less memory, and look what is left of the file.

`python -m tests.faults memory` tries more limits than a test has time for.
"""

from __future__ import annotations

import mmap
import os
import resource
import shutil
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

# Before numpy: a process that is forked should have one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from tests.faults.children import look, run_in_child, short_lived, warm_up
from tests.faults.io_loop import Attempt, Run
from tests.faults.steps import Facts, Step, fits, hasty, scripted, with_change

__all__ = ["measure", "swept"]

_NAME: Final = "memory.db"
# Beyond what the process has: from too little for anything to enough for everything.
_LEAST_BYTES: Final = 64 * 2**10
_MOST_BYTES: Final = 256 * 2**20
_CONTROLS: Final = 6


class Limit:
    """So much memory and no more, until it is lifted.

    Args:
        more: Bytes beyond what the process has now.
    """

    calls = 0
    failed = 0

    def __init__(self, more: int) -> None:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _, self._most = resource.getrlimit(resource.RLIMIT_AS)
        size = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_AS, (size, self._most))

    def heal(self) -> None:
        """Lift it."""
        resource.setrlimit(resource.RLIMIT_AS, (self._most, self._most))


def limited(base: Path, more: int, *, planted: bool = False) -> tuple[int, Attempt]:
    """Do the steps with so many bytes more than the process has.

    Args:
        base: Where a folder is made for it.
        more: Bytes.
        planted: Whether by the control, which acknowledges what ended for want of memory.

    Returns:
        The exit code of the process, and what came of it.
    """
    folder = base / f"memory-{more}"
    folder.mkdir()
    steps: Sequence[Step] = scripted(folder)
    if planted:
        steps = hasty(steps, MemoryError)
    done = mmap.mmap(-1, 1)

    def work() -> Attempt:
        def count(number: int) -> None:
            done[0] = number

        run = Run(folder / _NAME, Limit(more), allowed=(MemoryError,), done=count)
        return run.all(steps)

    ended = run_in_child(work)
    found = ended.value if isinstance(ended.value, Attempt) else Attempt()
    seen = look(folder / _NAME)
    if ended.code == -signal.SIGALRM:
        found.wrong.append(f"it hung: {ended.trace}")
    if ended.value is not None:
        found.judge(seen)
    else:
        found.wrong += seen.findings
        # It ended in the middle: what was acknowledged is there, and of the next step all or nothing.
        facts: Facts = {}
        for step in steps[: done[0]]:
            facts = with_change(facts, step.effect.change)
        next_one = steps[done[0]].effect if done[0] < len(steps) else None
        if seen.facts is None or not fits(seen.facts, facts, next_one):
            found.wrong.append("the file does not hold what was acknowledged")
    shutil.rmtree(folder)
    return ended.code, found


def swept(base: Path, count: int, *, planted: bool = False) -> dict[str, object]:
    """Try so many limits."""
    errors: Counter[str] = Counter()
    exits: Counter[int] = Counter()
    wrong: list[str] = []
    for number in range(count):
        share = number / max(1, count - 1)
        more = round(_LEAST_BYTES * (_MOST_BYTES / _LEAST_BYTES) ** share)
        code, found = limited(base, more, planted=planted)
        exits[code] += 1
        errors.update(each.rpartition(": ")[2] for each in found.errors)
        wrong += [f"{more:,}: {each}" for each in found.wrong]
    return {
        "limits": count,
        "errors": dict(errors.most_common()),
        "exits": {str(code): often for code, often in sorted(exits.items())},
        "wrong": len(wrong),
        "wrong_how": wrong[:20],
    }


def measure(count: int, _seed: int) -> dict[str, object]:
    """Try so many limits, and some by the control."""
    with short_lived("memory") as base:
        warm_up(base)
        return {**swept(base, count), "control": swept(base, min(count, _CONTROLS), planted=True)}
