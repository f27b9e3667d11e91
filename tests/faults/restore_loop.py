"""Restore a backup into a file, kill that with -9 at random, and look whether it is all old or all new."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import vstash
from tests.faults.backup_loop import told
from tests.faults.waiting import middle_and_most
from vstash import Memory, NewDocument

OLD, NEW = 60, 90


@dataclass(slots=True)
class Figures:
    """What came of the restores."""

    restores: int = 0
    kills: int = 0
    old: int = 0
    new: int = 0
    problems: list[str] = field(default_factory=list)
    left_behind: int = 0
    ms: list[float] = field(default_factory=list)


def fill(path: Path, word: str, count: int) -> None:
    """A file that holds so many documents, all with a word."""
    rng = random.Random(word)
    with Memory(path, model="fake") as memory:
        memory.add_batch(
            [
                NewDocument(
                    f"{word} {number}",
                    key=f"{word}{number}",
                    metadata={"x": rng.randbytes(30_000).hex()},
                )
                for number in range(count)
            ]
        )


def look(path: Path) -> str:
    """Which of the two it is, or what is wrong."""
    with Memory(path, model="fake", create=False) as memory:
        found = [finding.code for finding in memory.check().findings]
        words = [item.key[:3] for item in memory.list(limit=1000).items]
        first = memory.search("new old", mode="keyword", k=1).hits[0].document.key[:3]
    whole = {"old": ["old"] * OLD, "new": ["new"] * NEW}
    if found or words != whole.get(first):
        return f"findings {found}, {words.count('old')} old and {words.count('new')} new"
    return first


def in_place(backup: Path, path: Path) -> float:
    """Restore into the file; returns how long it took, in milliseconds."""
    start = time.perf_counter()
    vstash.restore(backup, path, force=True, model="fake")
    return (time.perf_counter() - start) * 1000


def copy_bytes(backup: Path, path: Path) -> float:
    """The control: copy the backup over the file, as one would any other, and be killed half way."""
    content = backup.read_bytes()
    with path.open("r+b") as target:
        target.write(content[: len(content) // 2])
        target.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


def run_loop(
    base: Path, *, count: int, seed: int, make: Callable[[Path, Path], float] = in_place
) -> Figures:
    """Restore so many times the other of two states, and kill three quarters of them."""
    path, rng, figures = base / "live.db", random.Random(seed), Figures()
    states = {"old": base / "old.db", "new": base / "new.db"}
    told(lambda: fill(states["old"], "old", OLD))
    told(lambda: fill(states["new"], "new", NEW))
    shutil.copyfile(states["old"], path)
    now, span = "old", 0.5
    for number in range(count):
        wanted = "new" if now == "old" else "old"
        start = time.monotonic()
        value, cut = told(
            lambda wanted=wanted: make(states[wanted], path),  # type: ignore[misc]
            within=rng.uniform(0.2, 1.1) * span if number % 4 else None,
        )
        figures.restores += 1
        figures.kills += cut
        if isinstance(value, float):
            span = 0.7 * span + 0.3 * (time.monotonic() - start)
            figures.ms.append(value)
        seen, _ = told(lambda: look(path))
        if seen not in states or (seen == now and not cut):
            figures.problems.append(f"{number}: {seen if seen not in states else value}")
            shutil.copyfile(states["old"], path)
            seen = "old"
        figures.new += seen == wanted
        figures.old += seen == now
        now = str(seen)
    told(lambda: in_place(states["old"], path))
    figures.left_behind = len(list(base.glob(".*")))
    return figures


def figures_of(count: int, seed: int, make: Callable[[Path, Path], float] = in_place) -> Figures:
    """Run the loop in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="vstash-restore-") as base:
        return run_loop(Path(base), count=count, seed=seed, make=make)


def measure(count: int, seed: int) -> dict[str, object]:
    """So many restores, most of them killed; the control is a plain copy over the file."""
    found = figures_of(count, seed)
    control = figures_of(max(8, count // 10), seed, copy_bytes)
    return {
        **asdict(found),
        "ms": middle_and_most(found.ms),
        "control": {"restores": control.restores, "wrong": len(control.problems)},
    }
