"""Readers beside a writer, and how long a command takes from its start.

    python -m bench.concurrent FILE.db corpus.jsonl

FILE.db was made by `bench.latency`; it grows by what the writer adds. Four threads search for some
seconds, alone and then beside a thread that adds ten ready passages at a time as fast as it can; both
are measured three times in turn. Then ``vstash search`` is run as a command, keyword alone and, with
--start, on another file made with the shipped model. Appends to bench/results/concurrent.jsonl.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.latency import ProjectionEmbedder, passages, questions
from bench.machine import append_row
from vstash import Memory
from vstash.settings import Settings

if TYPE_CHECKING:
    from vstash.types import FloatArray

RESULTS = Path(__file__).parent / "results" / "concurrent.jsonl"
READERS = 4
RUNS = 7


def reads(memory: Memory, asked: list[str], ready: FloatArray, seconds: float) -> float:
    """Searches a second of all readers together."""
    end = time.perf_counter() + seconds
    done = [0] * READERS
    errors: list[Exception] = []

    def read(number: int) -> None:
        try:
            while time.perf_counter() < end:
                place = (done[number] * READERS + number) % len(asked)
                memory.search(asked[place], vector=ready[place], log=False)
                done[number] += 1
        except Exception as error:  # noqa: BLE001 - raised again below, in the main thread
            errors.append(error)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return sum(done) / seconds


def beside_a_writer(
    memory: Memory, model: ProjectionEmbedder, corpus: Path, seconds: float
) -> dict[str, Any]:
    """Reads a second alone and beside a writer, in turn."""
    asked = questions(corpus, 11, 21, 200)
    ready = model.embed_queries(asked)
    rows = list(islice(passages(corpus), 2_000))
    vectors = model.embed_passages([text for _, _, text in rows])
    stop = threading.Event()
    written = 0
    numbers = count()

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            start = next(numbers) * 10 % (len(rows) - 10)
            part = rows[start : start + 10]
            memory.add_many([row[2] for row in part], vectors=vectors[start : start + 10])
            written += 10

    alone, beside, rates = [], [], []
    for _ in range(3):
        alone.append(reads(memory, asked, ready, seconds))
        stop.clear()
        written = 0
        writer = threading.Thread(target=write)
        writer.start()
        beside.append(reads(memory, asked, ready, seconds))
        stop.set()
        writer.join()
        rates.append(written / seconds)
    share = float(np.median(beside) / np.median(alone))
    return {
        "readers": READERS,
        "reads_per_s_alone": round(float(np.median(alone))),
        "reads_per_s_beside_writer": round(float(np.median(beside))),
        "share": round(share, 3),
        "written_per_s": round(float(np.median(rates))),
    }


def command_s(path: Path, *words: str) -> float:
    """Median seconds of a search as a command of its own."""
    spent = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "vstash", "--db", str(path), "search", "--no-log", *words],
            capture_output=True,
            check=True,
        )
        spent.append(time.perf_counter() - start)
    return round(float(np.median(spent)), 3)


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--start", type=Path, help="a file made with the shipped model")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    model = ProjectionEmbedder()
    with Memory(given.file, model=model, settings=Settings()) as memory:
        result = {"chunks": memory.stats().chunks} | beside_a_writer(
            memory, model, given.corpus, given.seconds
        )
    if given.start is not None:
        with Memory(given.start, create=False) as memory:
            chunks = memory.stats().chunks
        question = "which signal ends a process at once"
        result["command"] = {
            "chunks": chunks,
            "hybrid_s": command_s(given.start, question),
            "keyword_s": command_s(given.start, question, "--mode", "keyword"),
            "python_s": command_s_of_nothing(),
        }
    print(json.dumps(result))
    append_row(given.results, {"bench": "concurrent", **result})


def command_s_of_nothing() -> float:
    """Median seconds of ``vstash --version``: the interpreter and the command line alone."""
    spent = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "vstash", "--version"], capture_output=True, check=True
        )
        spent.append(time.perf_counter() - start)
    return round(float(np.median(spent)), 3)


if __name__ == "__main__":
    main()
