"""One model takes the place of another while the file is searched and written: downtime, kill, rollback.

    python -m bench.learning.switch corpus.jsonl --passages 20000 --model ./all-MiniLM-L6-v2 --work /tmp/switch

A file of passages is made with the shipped model. One thread searches it without a pause and one adds a
document every fifth of a second, first alone, then beside `vstash reindex` in a process of its own, which
is killed with -9 half way and started again. Then the file goes back to the first model: at once, after
documents were written since, and at once with their vectors left for later. Every error of a search or
a write counts; nothing that was committed before the kill may be embedded again. Appends to
bench/results/switch.jsonl.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.latency import questions
from bench.lines import read_lines
from bench.machine import append_row
from vstash import Memory, ModelState, NewDocument, VstashError, install_model
from vstash.settings import Settings

RESULTS: Final = Path(__file__).parents[1] / "results" / "switch.jsonl"
NAME: Final = "second"
BATCH: Final = 500
PAUSE_S: Final = 0.2
# Documents written between a switch and the way back.
WRITTEN: Final = 100


class Traffic:
    """A thread that searches and one that writes, until they are told to stop.

    Args:
        memory: What they use.
        asked: Questions, taken in turn.
    """

    def __init__(self, memory: Memory, asked: list[str]) -> None:
        self._memory = memory
        self._asked = asked
        self._ended = threading.Event()
        self._started = time.perf_counter()
        self._times: list[float] = []
        self._writes: list[float] = []
        self.errors: list[str] = []
        self._threads = [threading.Thread(target=each) for each in (self._search, self._write)]
        for thread in self._threads:
            thread.start()

    def _search(self) -> None:
        number = 0
        while not self._ended.is_set():
            self._timed(self._times, partial(self._memory.search, self._asked[number], k=10))
            number = (number + 1) % len(self._asked)

    def _write(self) -> None:
        while not self._ended.wait(PAUSE_S):
            text = f"written at {time.time_ns()} beside a switch"
            self._timed(self._writes, partial(self._memory.add, text))

    def _timed(self, times: list[float], call: Any) -> None:
        start = time.perf_counter()
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
            self.errors.append(f"{type(error).__name__}: {error}")
        times.append((time.perf_counter() - start) * 1000)

    def stop(self) -> dict[str, Any]:
        """End both and say how they fared."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        seconds = time.perf_counter() - self._started
        return {
            "seconds": round(seconds, 1),
            "searches": len(self._times),
            "searches_per_s": round(len(self._times) / seconds, 1),
            **_percentiles("search", self._times),
            "writes": len(self._writes),
            **_percentiles("write", self._writes),
            "errors": len(self.errors),
            "first_error": self.errors[0] if self.errors else None,
        }


def _percentiles(name: str, times: list[float]) -> dict[str, float]:
    if not times:
        return {}
    return {f"{name}_p{p}_ms": round(float(np.percentile(times, p)), 1) for p in (50, 99, 100)}


def state(memory: Memory, name: str) -> ModelState | None:
    """A model of the file, None before it is known."""
    return next((each for each in memory.models() if each.name == name), None)


def started(path: Path, settings: Settings) -> subprocess.Popen[bytes]:
    """A process that reindexes the file."""
    command = [
        sys.executable,
        "-m",
        "vstash",
        "reindex",
        "--model",
        NAME,
        "--db",
        str(path),
        "--json",
    ]
    environment = {**os.environ, "VSTASH_MODELS_FOLDER": settings.models_folder}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)


def reindexed(memory: Memory, asked: list[str], settings: Settings) -> dict[str, Any]:
    """Search and write while another process reindexes, is killed half way, and goes on."""
    chunks = memory.stats().chunks
    traffic = Traffic(memory, asked)
    first = started(memory.path, settings)
    while (there := state(memory, NAME)) is None or there.vectors < chunks // 2:
        if first.poll() is not None:
            raise SystemExit("the first run ended before it could be killed")
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    left = state(memory, NAME)
    assert left is not None
    second = started(memory.path, settings)
    output, _ = second.communicate()
    report = json.loads(output)
    # The searches notice the switch by themselves: some seconds with the new model.
    time.sleep(2)
    found = traffic.stop()
    after = state(memory, NAME)
    kept = next(each for each in memory.models() if each.index == "kept")
    assert after is not None
    return found | {
        "committed_before_kill": left.vectors,
        "embedded_after_kill": report["embedded"],
        # What the model before lacks was written after the switch, with the new one.
        "embedded_twice": left.vectors + report["embedded"] + kept.awaiting - after.vectors,
        "locked_ms": report["locked_ms"],
        "reindex_s": report["seconds"],
        "bytes": report["bytes"],
        "active": memory.stats().model.name,
        "awaiting": memory.stats().awaiting,
        "findings": len(memory.check(level="quick").findings),
    }


def rolled_back(memory: Memory, first: str) -> dict[str, Any]:
    """Go back to the first model and forth again, with nothing and with something written since."""
    since = state(memory, first)
    assert since is not None
    start = time.perf_counter()
    memory.use_model(first)
    figures: dict[str, Any] = {
        "rollback_after_traffic_s": round(time.perf_counter() - start, 3),
        "rollback_after_traffic_chunks": since.awaiting,
    }
    memory.use_model(NAME)
    for name, count, embed in (
        ("rollback_s", 0, "now"),
        (f"rollback_after_{WRITTEN}_s", WRITTEN, "now"),
        (f"rollback_after_{WRITTEN}_later_s", WRITTEN, "later"),
    ):
        memory.add_batch([NewDocument(f"{name} number {n}") for n in range(count)])
        start = time.perf_counter()
        report = memory.use_model(first, embed=embed)  # type: ignore[arg-type]  # one of the two
        figures[name] = round(time.perf_counter() - start, 3)
        figures[f"{name}_awaiting"] = report.awaiting
        memory.embed()
        memory.use_model(NAME)
    return figures


def main() -> None:
    """Measure it all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--words", type=int, default=60, help="of each passage, at most")
    parser.add_argument("--model", type=Path, required=True, help="folder of the second model")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=10.0, help="of searching alone")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    path = given.work / "switch.db"
    for name in ("", "-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    settings = Settings(models_folder=str(given.work / "models"))
    second = install_model(given.model, name=NAME, settings=settings)
    with Memory(path, settings=settings) as memory:
        rows = islice(read_lines(given.corpus), given.passages)
        texts = (" ".join(str(row["text"]).split()[: given.words]) for row in rows)
        memory.add_many([text for text in texts if text])
        first = memory.stats().model
        asked = questions(given.corpus, 9, seed=5)
        traffic = Traffic(memory, asked)
        time.sleep(given.seconds)
        alone = traffic.stop()
        beside = reindexed(memory, asked, settings)
        back = rolled_back(memory, first.name)
        result = {
            "chunks": memory.stats().chunks,
            "models": [f"{first.name} {first.dimension}", f"{given.model.name} {second.dimension}"],
            "alone": alone,
            "beside_a_reindex": beside,
            **back,
            "sound": not memory.check().findings,
        }
    print(json.dumps(result, indent=1))
    append_row(given.results, {"bench": "switch", **result})


if __name__ == "__main__":
    try:
        main()
    except VstashError as error:
        raise SystemExit(f"{error.code}: {error.message}") from error
