"""How many searches a second the REST service answers, and what it does with more.

    python -m bench.load FILE.db corpus.jsonl

FILE.db holds passages of the corpus with vectors of the shipped model (`--fill 50000` makes it, in ten
minutes on two cores). ``vstash serve`` runs on it as a process of its own, and wrk on the same machine
sends questions of 11 words taken from passages. For each way of asking: as many as it answers, then
latency at half of that, with requests that come independently of each other. For questions to embed
also twice and four times as many as it answers: the share that it sheds, the latency of what it
accepts, how long until latency is back, and how its memory grew. Prints a row and appends it to
bench/results/load.jsonl. Needs wrk 4.1 on the PATH.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bench.latency import passages, questions
from bench.machine import append_row
from bench.serving import served
from vstash import Memory
from vstash.embed.catalogue import open_model

RESULTS = Path(__file__).parents[1] / "results" / "load.jsonl"
SCRIPT = Path(__file__).with_name("ask.lua")
PORT: Final = 8797
WAYS: Final = ("embedded", "keyword", "ready", "ready_vector_leg")
AT_ONCE: Final = 8
OPEN: Final = 64
BATCH: Final = 500


def fill(path: Path, corpus: Path, size: int) -> None:
    """Store passages until there are ``size`` documents, with the shipped model."""
    with Memory(path) as memory:
        rows = islice(passages(corpus), memory.stats().documents, size)
        while batch := list(islice(rows, BATCH)):
            keys, titles, texts = zip(*batch, strict=True)
            memory.add_many(texts, keys=keys, titles=titles)


def write_bodies(folder: Path, corpus: Path) -> float:
    """One file of request bodies for each way of asking; returns questions embedded a second."""
    asked = questions(corpus, 11, 5, 2_000)
    model = open_model("")
    model.embed_queries(asked[:10])
    start = time.perf_counter()
    vectors = model.embed_queries(asked)
    rate = len(asked) / (time.perf_counter() - start)
    files = {way: (folder / way).open("w", encoding="utf-8") for way in WAYS}
    for query, vector in zip(asked, vectors, strict=True):
        ready = [round(float(value), 7) for value in vector]
        bodies: dict[str, dict[str, Any]] = {
            "embedded": {"query": query},
            "keyword": {"query": query, "mode": "keyword"},
            "ready": {"query": query, "vector": ready},
            "ready_vector_leg": {"query": query, "vector": ready, "mode": "vector"},
        }
        for way, body in bodies.items():
            files[way].write(json.dumps(body) + "\n")
    for file in files.values():
        file.close()
    return round(rate, 1)


def answered(body: str) -> float:
    """Seconds that an answer takes, 0 where there is none."""
    connection = HTTPConnection("127.0.0.1", PORT, timeout=30)
    start = time.perf_counter()
    try:
        connection.request("POST", "/v1/search", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
    except OSError:
        return 0.0
    finally:
        connection.close()
    return time.perf_counter() - start if answer.status == 200 else 0.0


def wrk(bodies: Path, seconds: int, rate: float, connections: int) -> dict[str, Any]:
    """Send requests; ``rate`` 0 sends as fast as they are answered."""
    done = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "30", "-s", SCRIPT),
            *(f"http://127.0.0.1:{PORT}", "--", bodies, str(rate), str(connections)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.rpartition("RESULT ")[2])
    statuses = found.pop("statuses")
    asked = sum(statuses.values())
    return {
        "asked_per_s": round(asked / found["seconds"], 1),
        "answered_per_s": round(statuses.get("200", 0) / found["seconds"], 1),
        "shed_share": round(1 - statuses.get("200", 0) / max(asked, 1), 4),
        "other_statuses": {
            code: count for code, count in statuses.items() if code not in {"200", "429", "503"}
        },
        "connection_errors": found["errors"],
        "p50_ms": found["p50"],
        "p99_ms": found["p99"],
    }


def resident_mib(pid: int) -> float:
    """Memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def recovered(body: str, usual_s: float) -> float:
    """Seconds until five answers in a row take less than twice as long as usual."""
    start, good = time.perf_counter(), 0
    while good < 5:
        took = answered(body)
        good = good + 1 if 0 < took < 2 * usual_s else 0
    return round(time.perf_counter() - start, 2)


def overloaded(folder: Path, pid: int, capacity: float, seconds: int) -> dict[str, Any]:
    """Twice and four times as many questions as are answered."""
    rows: dict[str, Any] = {}
    (body, *_) = (folder / "embedded").read_text(encoding="utf-8").splitlines()
    usual = statistics.median(answered(body) for _ in range(9))
    for times in (2, 4):
        before = resident_mib(pid)
        rows[f"overload_{times}x"] = {
            **wrk(folder / "embedded", seconds, times * capacity, OPEN * times),
            "recovered_s": recovered(body, usual),
            "grown_mib": round(resident_mib(pid) - before, 1),
        }
    return rows


def measured(path: Path, corpus: Path, seconds: int) -> dict[str, Any]:
    """Everything, on a service that has been warmed up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows: dict[str, Any] = {"model_per_s": write_bodies(folder, corpus)}
        return rows | asked_of_a_service(path, folder, seconds)


def asked_of_a_service(path: Path, folder: Path, seconds: int) -> dict[str, Any]:
    """The rows of a service that runs meanwhile."""
    rows: dict[str, Any] = {}
    with served(path, PORT) as pid:
        for way in WAYS:
            wrk(folder / way, 3, 0, AT_ONCE)
            full = wrk(folder / way, seconds, 0, AT_ONCE)
            rows[way] = {
                "saturated": full,
                "half": wrk(folder / way, seconds, full["answered_per_s"] / 2, OPEN),
            }
        capacity = rows["embedded"]["saturated"]["answered_per_s"]
        return rows | overloaded(folder, pid, capacity, seconds)


def main() -> None:
    """Measure and append a row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("file", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--fill", type=int, default=0, help="store so many passages before")
    parser.add_argument("--seconds", type=int, default=15, help="of each run")
    given = parser.parse_args()
    if given.fill:
        fill(given.file, given.corpus, given.fill)
    with Memory(given.file) as memory:
        chunks = memory.stats().chunks
    row = {
        "benchmark": "load",
        "chunks": chunks,
        **measured(given.file, given.corpus, given.seconds),
    }
    append_row(RESULTS, row)
    print(json.dumps(row, indent=2))


if __name__ == "__main__":
    main()
