"""All operations mixed for long: descriptors, threads, memory, log and waiting stay as they were.

`python -m tests.faults soak` goes on for so many seconds. The control leaks on purpose. Besides, files are
opened and closed fifty times, and a reader keeps its snapshot while others write.
"""

from __future__ import annotations

import gc
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import apsw

from tests.faults.operations import Acting, background, held
from vstash import Memory

__all__ = ["Soaked", "flat", "measure", "open_and_close", "slow_reader", "soak"]

_WINDOWS: Final = 12
_ROUNDS: Final = 50
# What the log is cut to whenever it was moved into the file, and what writes may add before that.
WAL_LIMIT: Final = 64 * 2**20 + 16 * 2**20
_MOST_RSS_DRIFT: Final = 0.05
_SMALLEST_RSS_DRIFT_MB: Final = 8.0
_MOST_P99: Final = 2.0
_LEAKED_EACH_TIME: Final = 64 * 1024


@dataclass
class Window:
    """A part of the time."""

    descriptors: int
    threads: int
    rss_mb: float
    wal_mb: float
    file_mb: float
    documents: int
    write_p99_ms: float
    search_p99_ms: float


@dataclass
class Soaked:
    """What came of it."""

    operations: int = 0
    windows: list[Window] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def descriptors() -> int:
    """How many this process has open."""
    folder = Path("/proc/self/fd" if Path("/proc/self/fd").exists() else "/dev/fd")
    return len(list(folder.iterdir()))


def rss_mb() -> float:
    """What this process has in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def soak(
    folder: Path, seconds: float, seed: int, *, least: int = 0, leaking: bool = False
) -> Soaked:
    """Do everything at random for so long.

    Args:
        folder: Where the file is.
        seconds: How long.
        seed: Of what is done.
        least: Operations that are done in any case, however long they take.
        leaking: The control: a connection and some memory are kept each time.
    """
    files, path, soaked = folder / "files", folder / "x.db", Soaked()
    files.mkdir()
    leaks: list[object] = []
    with Memory(path, model="fake") as memory:
        acting = Acting(memory, files, {}, random.Random(seed), "soak")
        for number in range(1, _WINDOWS + 1):
            times: dict[str, list[float]] = {"write": [], "search": []}
            end = time.monotonic() + seconds / _WINDOWS
            while time.monotonic() < end or soaked.operations < least * number / _WINDOWS:
                begin = time.perf_counter()
                name = acting.act()
                took = (time.perf_counter() - begin) * 1000
                if name in {"add", "search"}:
                    times["write" if name == "add" else "search"].append(took)
                if leaking:
                    leaks.append((apsw.Connection(str(path)), bytearray(_LEAKED_EACH_TIME)))
                soaked.operations += 1
            soaked.windows.append(_window(memory, times))
        found = held(memory)
        expected = background(found, files) | acting.state
        soaked.differs = sorted(
            name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
        )
        soaked.findings = [finding.code for finding in memory.check().findings]
    for leak in leaks:
        leak[0].close()  # type: ignore[index]  # a pair
    return soaked


def _window(memory: Memory, times: dict[str, list[float]]) -> Window:
    gc.collect()
    wal = memory.path.with_name(f"{memory.path.name}-wal")
    ends = {
        name: sorted(each)[int(len(each) * 0.99)] if each else 0.0 for name, each in times.items()
    }
    return Window(
        descriptors=descriptors(),
        threads=threading.active_count(),
        rss_mb=round(rss_mb(), 1),
        wal_mb=round(wal.stat().st_size / 2**20, 2),
        file_mb=round(memory.path.stat().st_size / 2**20, 2),
        documents=memory.stats().documents,
        write_p99_ms=round(ends["write"], 1),
        search_p99_ms=round(ends["search"], 1),
    )


def flat(soaked: Soaked) -> dict[str, bool]:
    """Whether the last third is as the first third after the warm-up, by what is looked at."""
    third = len(soaked.windows) // 3
    # The first windows fill the pool of connections and what is kept in memory.
    first, last = soaked.windows[third : 2 * third], soaked.windows[-third:]

    def middle(windows: list[Window], value: Callable[[Window], float]) -> float:
        ordered = sorted(map(value, windows))
        return ordered[len(ordered) // 2]

    rss_before, rss_after = (middle(part, lambda window: window.rss_mb) for part in (first, last))
    allowed = max(rss_before * _MOST_RSS_DRIFT, _SMALLEST_RSS_DRIFT_MB)
    return {
        "descriptors": max(window.descriptors for window in last)
        <= max(window.descriptors for window in first) + 2,
        "threads": max(window.threads for window in last)
        <= max(window.threads for window in first),
        "rss": rss_after - rss_before <= allowed,
        "wal": max(window.wal_mb for window in soaked.windows) * 2**20 <= WAL_LIMIT,
    }


def slower(soaked: Soaked) -> dict[str, float]:
    """The last third's 99th percentiles, as a share of the first third's after the warm-up."""
    third = len(soaked.windows) // 3
    first, last = soaked.windows[third : 2 * third], soaked.windows[-third:]
    return {
        name: round(
            sum(getattr(window, name) for window in last)
            / max(sum(getattr(window, name) for window in first), 0.1),
            2,
        )
        for name in ("write_p99_ms", "search_p99_ms")
    }


def open_and_close(folder: Path, rounds: int = _ROUNDS) -> dict[str, list[float]]:
    """Open, use and close a file so often; descriptors, threads and memory after each round."""
    seen: dict[str, list[float]] = {"descriptors": [], "threads": [], "rss_mb": []}
    for number in range(rounds):
        with Memory(folder / "rounds.db", model="fake") as memory:
            memory.add(f"round {number} about the port", key=str(number % 5))
            memory.search("port")
        gc.collect()
        seen["descriptors"].append(descriptors())
        seen["threads"].append(threading.active_count())
        seen["rss_mb"].append(round(rss_mb(), 1))
    return seen


def slow_reader(folder: Path, writes: int) -> dict[str, float]:
    """Keep a snapshot under so many writes; how large the log was with it, and after it, in MiB."""
    path = folder / "slow.db"
    wal = path.with_name("slow.db-wal")

    def size() -> float:
        return round(wal.stat().st_size / 2**20, 2)

    with Memory(path, model="fake") as memory:
        memory.add("kept " * 50, key="kept")
        lines = memory.export()
        next(lines)
        for number in range(writes):
            memory.add(f"{number} amber basil cedar " * 60, key=str(number % 50))
        during = size()
        lines.close()
        memory.compact()
        after = size()
        for number in range(writes):
            memory.add(f"{number} delta ember fjord " * 60, key=str(number % 50))
        without = size()
    return {"writes": writes, "with_reader": during, "after": after, "without_reader": without}


def measure(count: int, seed: int) -> dict[str, object]:
    """Go on for so many seconds, open and close, keep a snapshot; and the control."""
    with tempfile.TemporaryDirectory(prefix="vstash-soak-") as name:
        base = Path(name)
        folders = [base / each for each in ("soak", "rounds", "slow", "control")]
        for folder in folders:
            folder.mkdir()
        soaked = soak(folders[0], count, seed)
        rounds = open_and_close(folders[1])
        control = soak(folders[3], min(count, 12), seed, leaking=True)
        return {
            "operations": soaked.operations,
            "flat": flat(soaked),
            "slower": slower(soaked),
            "differs": soaked.differs,
            "findings": soaked.findings,
            "windows": [asdict(window) for window in soaked.windows],
            "rounds": {each: [values[4], values[-1]] for each, values in rounds.items()},
            "slow_reader": slow_reader(folders[2], min(count * 2, 3_000)),
            "control": {"operations": control.operations, "flat": flat(control)},
        }
