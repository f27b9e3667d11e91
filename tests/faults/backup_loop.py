"""Make backups while processes write, kill some with -9, and look whether every finished one is whole.

Each writer replaces pairs of documents, step by step, a pair in one transaction. So of a copy it is known
what it must hold: for each writer the state after one of its steps, and none before the last that was
acknowledged when the backup began.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.faults.kill_loop import drained, forked
from tests.faults.waiting import middle_and_most
from vstash import Memory, NewDocument
from vstash.settings import Settings

WRITERS = 2
SLOTS = 25
FILLER = 150
# Writers that never pause would leave a small machine nothing for the backups.
PAUSE_S = 0.002


@dataclass(slots=True)
class Figures:
    """What came of the backups."""

    backups: int = 0
    kills: int = 0
    finished: int = 0
    finished_though_killed: int = 0
    problems: list[str] = field(default_factory=list)
    steps_written: int = 0
    left_behind: int = 0
    ms: list[float] = field(default_factory=list)


def fill(path: Path) -> None:
    """A file of some megabytes, so that a copy of it takes a while."""
    rng = random.Random(1)
    with Memory(path, model="fake") as memory:
        memory.add_batch(
            [
                NewDocument(
                    f"filler {number}",
                    key=f"f{number}",
                    metadata={"x": rng.randbytes(30_000).hex()},
                )
                for number in range(FILLER)
            ]
        )
        for writer in range(WRITERS):
            memory.add_batch([each for slot in range(SLOTS) for each in pair(writer, slot)])


def pair(writer: int, step: int) -> list[NewDocument]:
    """The two documents of a step."""
    slot = step % SLOTS
    return [NewDocument(f"step {step}", key=f"{writer}/{slot}/{half}") for half in "ab"]


def write_for_ever(path: Path, log: Path, writer: int) -> None:
    """Replace pair after pair until killed; after each the number of the step is appended to a log."""
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with Memory(path, model="fake", settings=Settings(busy_timeout_s=60)) as memory:
        for step in range(SLOTS, 1_000_000):
            memory.add_batch(pair(writer, step))
            os.write(told, f"{step}\n".encode())
            time.sleep(PAUSE_S)


def acknowledged(log: Path) -> int:
    """The last step that a log tells of."""
    whole = log.read_text(encoding="ascii").rpartition("\n")[0] if log.exists() else ""
    return int(whole.rpartition("\n")[2] or SLOTS - 1)


@contextmanager
def writing(path: Path, base: Path) -> Iterator[list[Path]]:
    """Writers at work; gives their logs."""
    logs = [base / f"log{writer}" for writer in range(WRITERS)]
    children = [
        forked(lambda writer=writer: write_for_ever(path, logs[writer], writer))  # type: ignore[misc]
        for writer in range(WRITERS)
    ]
    try:
        while any(acknowledged(log) < SLOTS for log in logs):
            time.sleep(0.01)
        yield logs
    finally:
        for child, reading in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reading)


def told(run: Callable[[], object], *, within: float | None = None) -> tuple[object, bool]:
    """What a function returns in a process of its own, and whether that was killed for the time."""

    def tell() -> None:
        os.write(1, (json.dumps(["told", {"value": run()}]) + "\n").encode())

    child, reading = forked(tell)
    until = None if within is None else time.monotonic() + within
    output = drained(reading, until)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    output += drained(reading, None)
    os.close(reading)
    if not output.endswith(b"\n"):
        return None, True
    kind, value = json.loads(output)
    return (value["value"] if kind == "told" else str(value)), False


def look(copy: Path, least: list[int]) -> str:
    """What is wrong with a copy, empty for nothing."""
    with Memory(copy, model="fake", create=False) as memory:
        findings = [finding.code for finding in memory.check().findings]
        held = {
            item.key: str(memory.get(item.id).text)
            for item in memory.list(limit=1000).items
            if not item.key.startswith("f")
        }
        filler = memory.stats().documents - len(held)
    if findings or filler != FILLER:
        return f"findings {findings}, {filler} documents that nobody changes"
    for writer in range(WRITERS):
        steps = [int(held[f"{writer}/{slot}/a"].split()[1]) for slot in range(SLOTS)]
        if any(held[f"{writer}/{slot}/b"] != f"step {step}" for slot, step in enumerate(steps)):
            return f"half of a pair of writer {writer}"
        last = max(steps)
        if sorted(steps) != list(range(last - SLOTS + 1, last + 1)):
            return f"no one moment of writer {writer}: {steps}"
        if last < least[writer]:
            return (
                f"step {least[writer]} of writer {writer} was acknowledged, and {last} is the last"
            )
    return ""


def back_up(path: Path, target: Path) -> float:
    """Make a backup; returns how long it took, in milliseconds."""
    with Memory(path, model="fake", create=False) as memory:
        start = time.perf_counter()
        memory.backup(target)
        return (time.perf_counter() - start) * 1000


def copy_bytes(path: Path, target: Path) -> float:
    """The control: copy the file as one would any other."""
    shutil.copyfile(path, target)
    return 0.0


def run_loop(
    base: Path, *, count: int, seed: int, make: Callable[[Path, Path], float] = back_up
) -> Figures:
    """Make so many, kill a quarter of them, and look at each that has its name."""
    path, folder, rng, figures = base / "live.db", base / "copies", random.Random(seed), Figures()
    folder.mkdir()
    told(lambda: fill(path))
    span = 0.5
    with writing(path, base) as logs:
        for number in range(count):
            target = folder / f"{number}.db"
            least = [acknowledged(log) for log in logs]
            # Some end before the kill comes: others are killed in their place.
            killed = figures.kills < (number + 1) // 4
            start = time.monotonic()
            value, cut = told(
                lambda target=target: make(path, target),  # type: ignore[misc]
                within=rng.uniform(0.2, 1.0) * span if killed else None,
            )
            figures.backups += 1
            figures.kills += cut
            if isinstance(value, float):
                span = 0.7 * span + 0.3 * (time.monotonic() - start)
                figures.ms.append(value)
            elif not cut:
                figures.problems.append(f"{number}: {value}")
            if target.exists():
                figures.finished += 1
                figures.finished_though_killed += cut
                wrong, _ = told(lambda: look(target, least))  # noqa: B023 - used at once
                if wrong != "":
                    figures.problems.append(f"{number}: {wrong}")
                target.unlink()
        figures.steps_written = sum(acknowledged(log) for log in logs)
        told(lambda: make(path, folder / "last.db"))
    figures.left_behind = len(list(folder.glob(".*")))
    return figures


def figures_of(count: int, seed: int, make: Callable[[Path, Path], float] = back_up) -> Figures:
    """Run the loop in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="vstash-backup-") as base:
        return run_loop(Path(base), count=count, seed=seed, make=make)


def measure(count: int, seed: int) -> dict[str, object]:
    """So many backups, a quarter of them killed; the control is a plain copy of the file."""
    found = figures_of(count, seed)
    control = figures_of(max(8, count // 10), seed, copy_bytes)
    return {
        **asdict(found),
        "ms": middle_and_most(found.ms),
        "control": {"copies": control.finished, "wrong": len(control.problems)},
    }
