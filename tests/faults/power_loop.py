"""Cut the power again and again, and look what the disk holds.

A child works on a real file while every write, truncation, sync and deletion is recorded, with the moments at
which calls returned. From that the disk is rebuilt as it may be after a cut at any moment: what was synced is
there; what was not is there, or not, or some of its sectors are. `python -m tests.faults power` cuts more often
than a test has time for.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, Literal

# Before numpy: a process that is forked should have one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from tests.faults.children import Look, look, run_in_child, short_lived, warm_up
from tests.faults.disk import Call, lay_over
from tests.faults.steps import Effect, Facts, at_random, fits, with_change
from vstash import Memory
from vstash.settings import Settings

__all__ = ["LEVELS", "Disk", "Figures", "measure", "run_level"]

Level = Literal["full", "normal", "off"]
LEVELS: Final[tuple[Level, ...]] = ("full", "normal", "off")
_NAME: Final = "power.db"
# Pages after which SQLite moves the log into the file: small, so that a short run sees many.
_CHECKPOINT_PAGES: Final = 40
_STEPS: Final = 60
_CUTS_PER_RUN: Final = 50
_SECTORS: Final = (512, 4096)
_KEPT_SHARES: Final = (0.0, 0.1, 0.5, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        kind: Of a call, or ``asked`` and ``done`` with the number of a step.
        name: Of the file.
        at: The offset, the new size, or the step's number.
        data: Of a write.
    """

    kind: str
    name: str = ""
    at: int = 0
    data: bytes = b""


@dataclass(slots=True)
class Figures:
    """What the cuts left.

    Attributes:
        cuts: How many.
        in_flight: Cuts during a call.
        lost: Cuts after which something acknowledged was missing.
        most_lost: Acknowledged calls missing after one cut.
        corrupt: What was wrong otherwise, one line a cut.
    """

    cuts: int = 0
    in_flight: int = 0
    lost: int = 0
    most_lost: int = 0
    corrupt: list[str] = field(default_factory=list)


class Disk:
    """Files with what was written to them and is not yet safe."""

    def __init__(self) -> None:
        self._safe: dict[str, bytearray] = {}
        self._waiting: dict[str, list[Entry]] = {}

    def take(self, entry: Entry) -> None:
        """Take note of what was done to a file."""
        if entry.kind == "open":
            self._safe.setdefault(entry.name, bytearray())
        elif entry.kind == "delete":
            self._safe.pop(entry.name, None)
            self._waiting.pop(entry.name, None)
        elif entry.kind == "sync":
            for each in self._waiting.pop(entry.name, ()):
                _apply(self._safe[entry.name], each)
        elif entry.kind in {"write", "truncate"}:
            self._waiting.setdefault(entry.name, []).append(entry)

    def cut(self, rng: random.Random) -> dict[str, bytes]:
        """The files as they may be after a power cut now."""
        left = {}
        for name, safe in self._safe.items():
            content = bytearray(safe)
            waiting = list(self._waiting.get(name, ()))
            if rng.random() < 0.5:
                rng.shuffle(waiting)
            share, sector = rng.choice(_KEPT_SHARES), rng.choice(_SECTORS)
            torn = rng.random() < 0.5
            for entry in waiting:
                if torn and entry.kind == "write":
                    for part in _sectors(entry, sector):
                        if rng.random() < share:
                            _apply(content, part)
                elif rng.random() < share:
                    _apply(content, entry)
            left[name] = bytes(content)
        return left


def _sectors(entry: Entry, size: int) -> list[Entry]:
    """A write as the sectors of the disk that it touches."""
    parts = []
    at, end = entry.at, entry.at + len(entry.data)
    while at < end:
        stop = min(end, (at // size + 1) * size)
        parts.append(Entry("write", entry.name, at, entry.data[at - entry.at : stop - entry.at]))
        at = stop
    return parts


def _apply(content: bytearray, entry: Entry) -> None:
    size = entry.at if entry.kind == "truncate" else entry.at + len(entry.data)
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if entry.kind == "truncate":
        del content[size:]
    else:
        content[entry.at : size] = entry.data


def recorded(folder: Path, level: Level, seed: int) -> tuple[list[Entry], list[Effect]]:
    """Work on a file; returns what happened and what each step changes."""
    entries: list[Entry] = []

    def watch(call: Call) -> int:
        if call.kind in {"write", "truncate", "sync", "open", "delete"} and call.name:
            data = call.data if call.kind == "write" else b""
            entries.append(Entry(call.kind, call.name, call.offset, data))
        return 0

    lay_over(watch)
    durability: Literal["full", "normal"] = "normal" if level == "normal" else "full"
    settings = Settings(model="fake", durability=durability)
    steps = list(islice(at_random(random.Random(seed), folder), _STEPS))
    with Memory(folder / _NAME, settings=settings) as memory:
        writer = memory._engine.store._write_connection()  # type: ignore[attr-defined]
        writer.pragma("wal_autocheckpoint", _CHECKPOINT_PAGES)
        if level == "off":
            writer.pragma("synchronous", "off")
        for number, step in enumerate(steps):
            entries.append(Entry("asked", at=number))
            step.run(memory)
            entries.append(Entry("done", at=number))
    return entries, [step.effect for step in steps]


def chosen_cuts(entries: Sequence[Entry], count: int, rng: random.Random) -> list[int]:
    """Moments to cut at.

    Half of them are right after a call returned, where losing it would show, and a tenth while the file is made.
    """
    returned = [at + 1 for at, entry in enumerate(entries) if entry.kind == "done"]
    made = next(at for at, entry in enumerate(entries) if entry.kind == "asked")
    cuts = [rng.choice(returned) for _ in range(count // 2)]
    cuts += [rng.randrange(1, made) for _ in range(count // 10)]
    cuts += [rng.randrange(1, len(entries)) for _ in range(count - len(cuts))]
    return sorted(cuts)


def _judge(figures: Figures, seen: Look, past: list[Facts], steps: Sequence[Effect]) -> None:
    """Compare what a disk holds after a cut with what it may hold.

    Args:
        figures: Told of it.
        seen: What it holds.
        past: What the file held before each call, the empty file first.
        steps: The calls that had returned, and the one under way if there is one: as many as in
            ``past``, or one less.
    """
    figures.cuts += 1
    figures.in_flight += len(steps) == len(past)
    if seen.findings or seen.facts is None:
        figures.corrupt.append(", ".join(seen.findings))
        return
    for back, at in enumerate(reversed(range(len(past)))):
        step = steps[at] if at < len(steps) else None
        if fits(seen.facts, past[at], step):
            figures.lost += back > 0
            figures.most_lost = max(figures.most_lost, back)
            return
    figures.corrupt.append("holds what it never held")


def _run(figures: Figures, base: Path, level: Level, *, cuts: int, seed: int) -> None:
    """Record one run and cut it so many times."""
    work = base / f"work-{seed}"
    work.mkdir()
    ended = run_in_child(lambda: recorded(work, level, seed))
    if not isinstance(ended.value, tuple):
        figures.corrupt.append(str(ended))
        return
    entries, steps = ended.value
    rng = random.Random(seed)
    disk, past, asked = Disk(), [Facts()], 0
    position = 0
    for number, cut in enumerate(chosen_cuts(entries, cuts, rng)):
        for entry in entries[position:cut]:
            disk.take(entry)
            asked += entry.kind == "asked"
            if entry.kind == "done":
                past.append(with_change(past[-1], steps[entry.at].change))
        position = cut
        folder = base / f"disk-{seed}-{number}"
        folder.mkdir()
        for name, content in disk.cut(rng).items():
            (folder / name).write_bytes(content)
        _judge(figures, look(folder / _NAME), past, steps[:asked])


def run_level(level: Level, *, cuts: int, seed: int) -> Figures:
    """Cut the power so many times under one level of durability."""
    figures = Figures()
    with short_lived("power") as base:
        warm_up(base)
        for start in range(0, cuts, _CUTS_PER_RUN):
            count = min(_CUTS_PER_RUN, cuts - start)
            _run(figures, base, level, cuts=count, seed=seed + start)
    return figures


def measure(count: int, seed: int) -> dict[str, object]:
    """Cut so many times per level; without syncs, the control, files must be found damaged."""
    rows: dict[str, object] = {}
    for level in LEVELS:
        found = run_level(level, cuts=count, seed=seed)
        rows[level] = {
            "cuts": found.cuts,
            "in_flight": found.in_flight,
            "corrupt": len(found.corrupt),
            "corrupt_how": sorted(set(found.corrupt))[:5],
            "lost": found.lost,
            "most_calls_lost": found.most_lost,
        }
    return {"full": rows["full"], "normal": rows["normal"], "control": rows["off"]}
