"""One phase of one peer, in a process of its own.

`build` writes the store, `search` opens and asks it. The two are apart, so that the memory of a search
does not hold what the build needed. Peak memory is that of the process as the kernel counts it
(VmHWM), imports and mapped files included; in `build` the texts and vectors handed over are part of it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import distributions, version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.peer import Chunk, FloatArray, Peer, Search

__all__ = ["Job", "main"]


@dataclass(frozen=True)
class Job:
    """What the driver tells a worker; travels as JSON."""

    phase: str
    module: str
    option: str
    packages: tuple[str, ...]
    data: str
    store: str
    size: int
    answer: str
    """The file to write the answer to: a library may print what it likes."""


def main(text: str) -> None:
    """Do a job and write its answer."""
    job = Job(**json.loads(text))
    peer: Peer = import_module(f"bench.peers.{job.module}").peer(Path(job.store), job.option)
    answer = _build(peer, job) if job.phase == "build" else _search(peer, job)
    answer["peak_mb"] = round(_peak_bytes() / 2**20)
    answer["note"] = peer.note
    answer["versions"] = _versions(job.packages)
    Path(job.answer).write_text(json.dumps(answer), encoding="utf-8")


def _build(peer: Peer, job: Job) -> dict[str, Any]:
    data = Path(job.data)
    with (data / "chunks.jsonl").open(encoding="utf-8") as file:
        chunks = [Chunk(*json.loads(line)) for line in islice(file, job.size)]
    vectors = np.array(np.load(data / "vectors.npy", mmap_mode="r")[: job.size])
    given = _peak_bytes()
    start = time.perf_counter()
    peer.build(chunks, vectors)
    seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 2), "given_mb": round(given / 2**20)}


def _search(peer: Peer, job: Job) -> dict[str, Any]:
    data = Path(job.data)
    asked: dict[str, list[str]] = json.loads((data / "questions.json").read_text("utf-8"))
    vectors = {name: np.load(data / f"{name}.npy") for name in asked}
    start = time.perf_counter()
    searches = peer.searches()
    first = next(iter(searches.values()))
    first(asked["warm"][0], vectors["warm"][0])
    answer: dict[str, Any] = {"first_ms": round((time.perf_counter() - start) * 1_000, 1)}
    for name, search in searches.items():
        _ask(search, asked["warm"], vectors["warm"])
        times, keys = _ask(search, asked["timed"], vectors["timed"])
        answer[name] = {"ms": times, "keys": keys}
    peer.close()
    return answer


def _ask(
    search: Search, questions: Sequence[str], vectors: FloatArray
) -> tuple[list[float], list[list[str]]]:
    """Milliseconds and keys of each question, one after the other."""
    times, keys = [], []
    for question, vector in zip(questions, vectors, strict=True):
        start = time.perf_counter()
        hits = search(question, vector)
        times.append((time.perf_counter() - start) * 1_000)
        if not all(text for _, text in hits):
            raise ValueError("a hit came without its passage")
        keys.append([key for key, _ in hits])
    return times, keys


def _peak_bytes() -> int:
    """The most memory that this process has held.

    Linux hands `ru_maxrss` on from parent to child, so the kernel's own line is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _versions(packages: Sequence[str]) -> dict[str, str]:
    installed = {str(found.metadata["Name"]).lower() for found in distributions()}
    return {name: version(name) for name in packages if name.lower() in installed}
