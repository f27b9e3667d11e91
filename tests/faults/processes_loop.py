"""Several processes on one file, by every interface, some killed and some stopped for a while.

`python -m tests.faults processes` goes on for so many seconds and says what was lost, what users were told,
and how long a write and a search took. In the control somebody deletes the log, and nobody looks.
"""

from __future__ import annotations

import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults.service_process import ENVIRONMENT, Served
from vstash import Memory, VstashError

__all__ = ["Outcome", "Worker", "measure", "run", "run_misuse"]

SCRIPT: Final = Path(__file__).with_name("worker.py")
_WRITERS: Final = ("library", "library", "cli", "rest")
_READERS: Final = ("library", "library", "cli", "rest")
# Errors after which nothing was changed, as each says itself.
_UNCHANGED: Final = {"store_busy", "store_replaced", "overloaded"}
# Below the busy timeout of 5 seconds, and above it, which one of so many stops is in a long run.
_SHORT_STOP_S: Final = (0.5, 2.0)
_LONG_STOP_S: Final = 6.5
_LONG_EVERY: Final = 10
_LONG_RUN_S: Final = 60
# Between two disturbances, in a short run and in a long one.
_PAUSE_S: Final = 0.8
_LONG_PAUSE_S: Final = 3.0
# Between two calls of a worker, in a long run and in a short one.
_REST_S: Final = 0.01
_LONG_REST_S: Final = 0.1
_MISUSED_AFTER: Final = 20
_PATIENCE_S: Final = 120


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        writes: Acknowledged.
        lost: Keys that hold something else than what was acknowledged last.
        locked: How often a user was shown that a database is locked.
        told: Errors by code.
        busy_too_early: That others were writing for too long, though nobody was stopped for long.
        ms: Median and 99th percentile by interface and kind of work.
    """

    writes: int = 0
    searches: int = 0
    lost: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    locked: int = 0
    told: dict[str, int] = field(default_factory=dict)
    busy_too_early: int = 0
    kills: int = 0
    stops: int = 0
    long_stops: int = 0
    ms: dict[str, dict[str, float]] = field(default_factory=dict)


class Worker:
    """A process of worker.py, started again under its name when it was killed.

    Args:
        work: ``write`` or ``read``.
        kind: ``library``, ``cli``, ``rest``; for misuse ``stray`` or ``blind``.
        where: The file, or the address of the service.
        name: Of its documents.
        folder: For what it says; it ends when there is a file ``ended``.
        rest_s: How long it does nothing between two calls.
    """

    def __init__(
        self,
        work: str,
        kind: str,
        where: str,
        name: str,
        folder: Path,
        *,
        rest_s: float = _REST_S,
    ) -> None:
        self.work = work
        self.kind = kind
        self._arguments = [work, kind, where, name, str(folder / "ended"), str(rest_s)]
        self._ended = folder / "ended"
        self._said = folder / f"{name}.jsonl"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Begin."""
        with self._said.open("ab") as said:
            # What a killed one left unfinished must not run into the next line.
            said.write(b"\n")
            said.flush()
            self.process = subprocess.Popen(
                [sys.executable, str(SCRIPT), *self._arguments], stdout=said, env=ENVIRONMENT
            )

    def said(self) -> Iterator[tuple[str, Any]]:
        """All that it said so far."""
        for line in self._said.read_bytes().splitlines():
            try:
                word, value = json.loads(line)
            except ValueError:
                continue
            yield word, value

    def wait_for(self, count: int, *words: str) -> None:
        """Wait until it said one of these words so often."""
        assert self.process is not None
        end = time.monotonic() + _PATIENCE_S
        while sum(word in words for word, _ in self.said()) < count:
            assert self.process.poll() is None, "a worker has ended"
            assert time.monotonic() < end, "a worker says nothing"
            time.sleep(0.02)

    def end(self) -> None:
        """Wait for its end; one that is not told to end is killed."""
        assert self.process is not None
        if not self._ended.exists():
            self.process.kill()
            self.process.wait()
        else:
            assert self.process.wait(_PATIENCE_S) == 0


def run(folder: Path, seconds: float, seed: int) -> Outcome:
    """Let four writers and four readers work, and disturb them."""
    path, outcome = folder / "x.db", Outcome()
    stopped: list[tuple[float, float]] = []
    # Nine processes that never rest would keep a small machine from starting them in time.
    rest_s = _REST_S if seconds > _LONG_RUN_S else _LONG_REST_S
    Memory(path, model="fake").close()
    with Served(path) as service, ExitStack() as stack:
        workers = []
        for work, kinds in (("write", _WRITERS), ("read", _READERS)):
            for number, kind in enumerate(kinds):
                where = service.address if kind == "rest" else str(path)
                name = f"{work}{number}"
                workers.append(Worker(work, kind, where, name, folder, rest_s=rest_s))
                stack.callback(workers[-1].end)
        for worker in workers:
            worker.wait_for(1, "done")
        _disturb(workers, service, seconds, random.Random(seed), outcome, stopped)
        for worker in workers:
            worker.wait_for(1, "done")
        (folder / "ended").touch()
    _judge(path, workers, outcome, stopped)
    return outcome


def _disturb(
    workers: list[Worker],
    service: Served,
    seconds: float,
    rng: random.Random,
    outcome: Outcome,
    stopped: list[tuple[float, float]],
) -> None:
    """Kill one and stop one for a while, in turn."""
    end = time.monotonic() + seconds
    victims: list[Worker | Served] = [worker for worker in workers if worker.kind == "library"]
    victims.append(service)
    pause = _LONG_PAUSE_S if seconds > _LONG_RUN_S else _PAUSE_S
    while not outcome.stops or time.monotonic() < end:
        time.sleep(pause * rng.uniform(0.5, 1.0))
        victim = rng.choice(victims)
        _kill(victim)
        outcome.kills += 1
        time.sleep(pause * rng.uniform(0.5, 1.0))
        victim = rng.choice(victims)
        assert victim.process is not None
        outcome.stops += 1
        long = seconds > _LONG_RUN_S and outcome.stops % _LONG_EVERY == 0
        begin = time.monotonic()
        victim.process.send_signal(signal.SIGSTOP)
        time.sleep(_LONG_STOP_S if long else rng.uniform(*_SHORT_STOP_S))
        victim.process.send_signal(signal.SIGCONT)
        if long:
            outcome.long_stops += 1
            stopped.append((begin, time.monotonic() + _LONG_STOP_S))


def _kill(victim: Worker | Served) -> None:
    """Kill one and start it again."""
    if isinstance(victim, Served):
        victim.stop(signal.SIGKILL)
    else:
        assert victim.process is not None
        victim.process.kill()
        victim.process.wait()
    victim.start()


def _judge(
    path: Path, workers: list[Worker], outcome: Outcome, stopped: list[tuple[float, float]]
) -> None:
    """Compare what the file holds with what was acknowledged, and sum up what users were told."""
    took: defaultdict[str, list[float]] = defaultdict(list)
    told: Counter[str] = Counter()
    possible: dict[str, set[str | None]] = {}
    for worker in workers:
        possible |= _possible(worker.said())
        for word, value in worker.said():
            if word == "done":
                took[f"{worker.work} {worker.kind}"].append(float(value))
            elif word == "finding":
                outcome.findings.append(value)
            elif word == "failed":
                code, message, at = value
                told[code] += 1
                outcome.locked += "locked" in message
                early = not any(begin <= at <= end for begin, end in stopped)
                outcome.busy_too_early += code == "store_busy" and early
    outcome.told = dict(told)
    outcome.writes = sum(len(each) for name, each in took.items() if name.startswith("write"))
    outcome.searches = sum(len(each) for name, each in took.items() if name.startswith("read"))
    outcome.ms = {name: _percentiles(each) for name, each in sorted(took.items())}
    _compare(path, possible, outcome)


def _possible(said: Iterator[tuple[str, Any]]) -> dict[str, set[str | None]]:
    """What each key of a writer may hold: more than one text where nobody knows what came about."""
    possible: dict[str, set[str | None]] = {}
    asked: tuple[str, str | None] | None = None
    # What was asked last, and of what nothing was said, may be there or not.
    for word, value in [*said, ("ready", None)]:
        if word == "asked":
            asked = value
            continue
        if asked is None:
            continue
        key, text = asked
        if word == "done":
            possible[key] = {text}
        elif word == "ready" or value[0] not in _UNCHANGED:
            possible.setdefault(key, {None}).add(text)
        asked = None
    return possible


def _compare(path: Path, possible: dict[str, set[str | None]], outcome: Outcome) -> None:
    try:
        with Memory(path, model="fake") as memory:
            items = memory.list(limit=1000).items
            found = {item.key: memory.get(item.id).text for item in items}
            outcome.findings += [finding.code for finding in memory.check().findings]
    except VstashError as error:
        outcome.findings.append(error.code)
        return
    outcome.lost = sorted(
        key
        for key in possible.keys() | found.keys()
        if found.get(key) not in possible.get(key, {None})
    )


def _percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p99": round(ordered[int(len(ordered) * 0.99)], 1),
        "max": round(ordered[-1], 1),
    }


def run_misuse(folder: Path, kind: str) -> Outcome:
    """A writer beside misuse.

    Args:
        folder: Where the file is.
        kind: ``stray`` opens and closes the file beside SQLite, which drops its locks, while another
            process comes and goes. Under ``library`` and ``blind`` somebody deletes the log, as litter;
            the latter does not look whether its file is still there, which is the control.
    """
    path, outcome = folder / "x.db", Outcome()
    with ExitStack() as stack:
        worker = Worker("write", kind, str(path), kind, folder)
        stack.callback(worker.end)
        for turn in range(1, 4):
            worker.wait_for(turn * _MISUSED_AFTER, "done", "failed")
            if kind != "stray" and turn == 1:
                for ending in ("wal", "shm"):
                    path.with_name(f"{path.name}-{ending}").unlink()
            with Memory(path, model="fake") as visitor:
                visitor.add("visited", key="visitor")
        worker.wait_for(4 * _MISUSED_AFTER, "done", "failed")
        (folder / "ended").touch()
    _judge(path, [worker], outcome, [])
    outcome.lost = [key for key in outcome.lost if key != "visitor"]
    return outcome


def measure(count: int, seed: int) -> dict[str, object]:
    """Go on for so many seconds; then misuse that is survived or noticed, and the control."""
    with ExitStack() as stack:
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vstash-processes-")))
            for _ in range(4)
        ]
        return {
            **vars(run(folders[0], count, seed)),
            "stray_descriptor": vars(run_misuse(folders[1], "stray")),
            "log_deleted": vars(run_misuse(folders[2], "library")),
            "control": vars(run_misuse(folders[3], "blind")),
        }
