"""Delete half of a large file and compact it while others search and write, and time all three.

`python -m tests.faults compact --count 100000`; the count is one of chunks.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from tests.faults.kill_loop import drained, forked
from vstash import CompactReport, Memory

_BATCH: Final = 2_000
_WORDS: Final = tuple(f"{a}{b}" for a in ("ka", "lo", "mi", "ne", "pu") for b in range(2_000))
_WEIGHTS: Final = tuple(1 / (place + 5) for place in range(len(_WORDS)))


def fill(path: Path, count: int, seed: int) -> list[str]:
    """Store so many chunks, each a document of 60 words with a ready vector; returns their ids."""
    rng, drawn = random.Random(seed), np.random.default_rng(seed)
    ids: list[str] = []
    with Memory(path, model="fake") as memory:
        dimension = memory.stats().model.dimension
        for start in range(0, count, _BATCH):
            size = min(_BATCH, count - start)
            texts = [
                f"only{start + place} {' '.join(rng.choices(_WORDS, _WEIGHTS, k=60))}"
                for place in range(size)
            ]
            vectors = drawn.standard_normal((size, dimension)).astype(np.float32)
            tags = ["even" if start // _BATCH % 2 == 0 else "odd"]
            ids += memory.add_many(texts, vectors=vectors, tags=tags)
    return ids


def search_for_ever(path: Path) -> None:
    """Search until killed, and say how long each took."""
    rng = random.Random(2)
    with Memory(path, model="fake") as memory:
        while True:
            query = " ".join(rng.choices(_WORDS, _WEIGHTS, k=5))
            tell(lambda query=query: memory.search(query))  # type: ignore[misc]
            time.sleep(0.005)


def write_for_ever(path: Path) -> None:
    """Store documents until killed, and say how long each took."""
    rng = random.Random(3)
    with Memory(path, model="fake") as memory:
        while True:
            text = " ".join(rng.choices(_WORDS, _WEIGHTS, k=60))
            tell(lambda text=text: memory.add(text))  # type: ignore[misc]
            time.sleep(0.01)


def tell(run: Callable[[], object]) -> None:
    """Time a call and write its milliseconds as a line."""
    start = time.perf_counter()
    run()
    os.write(1, f"{(time.perf_counter() - start) * 1000:.3f}\n".encode())


@contextmanager
def beside(path: Path, *works: Callable[[Path], None]) -> Iterator[list[list[float]]]:
    """Let processes work beside a block; their times are there when it ends."""
    children = [forked(lambda work=work: work(path)) for work in works]  # type: ignore[misc]
    times: list[list[float]] = []
    time.sleep(1.0)
    for _, reading in children:
        drained(reading, time.monotonic() + 0.05)  # what they did before does not count
    try:
        yield times
    finally:
        for child, reading in children:
            said = drained(reading, time.monotonic() + 0.05)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reading)
            times.append([float(line) for line in said.decode().split("\n")[:-1]])


def summed(times: list[float]) -> dict[str, float]:
    """Middle, 99th percentile and largest of times in milliseconds, and how many there were."""
    ranked = sorted(times) or [0.0]
    return {
        "count": len(times),
        "p50": round(statistics.median(ranked), 1),
        "p99": round(ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))], 1),
        "max": round(ranked[-1], 1),
    }


def compacted(path: Path, *, full: bool = False) -> tuple[CompactReport, list[list[float]]]:
    """Compact in this process while others search and write."""
    with (
        Memory(path, model="fake") as memory,
        beside(path, search_for_ever, write_for_ever) as seen,
    ):
        report = memory.compact(full=full)
    return report, seen


def delete_half(path: Path, ids: list[str]) -> None:
    """Delete every other document."""
    with Memory(path, model="fake") as memory:
        for start in range(0, len(ids), 400):
            memory._engine.writing.delete_ids(ids[start : start + 400 : 2])


def measure(count: int, seed: int) -> dict[str, object]:
    """Compact a file half of which was deleted; the control is the time beside no compaction."""
    with tempfile.TemporaryDirectory(prefix="vstash-compact-") as base:
        path = Path(base) / "compact.db"
        ids = fill(path, count, seed)
        full_size = path.stat().st_size
        delete_half(path, ids)
        with beside(path, search_for_ever, write_for_ever) as quiet:
            time.sleep(3.0)
        plain, seen = compacted(path)
        full, seen_full = compacted(path, full=True)
        with Memory(path, model="fake") as memory:
            findings = [finding.code for finding in memory.check().findings]
        return {
            "bytes_full": full_size,
            "bytes_half_deleted": plain.bytes_before,
            "bytes_compacted": plain.bytes_after,
            "bytes_compacted_full": full.bytes_after,
            "reclaimable": plain.reclaimable,
            "steps": plain.steps,
            "longest_step_ms": plain.longest_step_ms,
            "compact_s": plain.seconds,
            "compact_full_s": full.seconds,
            "search_ms": summed(seen[0]),
            "write_ms": summed(seen[1]),
            "search_full_ms": summed(seen_full[0]),
            "write_full_ms": summed(seen_full[1]),
            "findings": findings,
            "control": {"search_ms": summed(quiet[0]), "write_ms": summed(quiet[1])},
        }


if __name__ == "__main__":
    print(json.dumps(measure(2_000, 1)))
