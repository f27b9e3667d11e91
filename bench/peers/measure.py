"""Measure one peer at one size."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.catalogue import PeerSpec
from bench.peers.corpus import Dataset, Judge
from bench.peers.environments import interpreter, run
from bench.peers.peer import PeerError
from bench.peers.worker import Job

__all__ = ["LEGS", "measure"]

LEGS = ("hybrid", "vector", "keyword")
_ROOT = Path(__file__).resolve().parents[2]
# The repository goes to the end of the path, so that an older vstash in the environment is found first.
_START = "import sys; sys.path.append(sys.argv[1]); from bench.peers.worker import main; main(sys.argv[2])"


def measure(
    spec: PeerSpec, data: Dataset, size: int, judge: Judge, *, work: Path, timeout: float
) -> dict[str, Any]:
    """Build a peer's store from nothing, search it, and say what both cost.

    Args:
        spec: The peer.
        data: What goes in.
        size: How many chunks.
        judge: Of the same chunks.
        work: Environments, and the store while it is measured, are kept below it.
        timeout: Seconds for each of the two.

    Returns:
        The figures of a row.

    Raises:
        PeerError: When the peer cannot be installed or fails.
    """
    python = interpreter(spec, work / "env")
    store = work / "store" / spec.name
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir(parents=True)
    try:
        answers = []
        for phase in ("build", "search"):
            answers.append(_work(python, spec, phase, data, store, size, timeout))
            if phase == "build":
                disk = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
        return _row(spec, size, disk, answers[0], answers[1], judge)
    finally:
        shutil.rmtree(store, ignore_errors=True)


def _work(
    python: str,
    spec: PeerSpec,
    phase: str,
    data: Dataset,
    store: Path,
    size: int,
    timeout: float,
) -> dict[str, Any]:
    print(f"{spec.name}: {phase} at {size:,}", file=sys.stderr, flush=True)
    answer = store.parent / f"{spec.name}.json"
    answer.unlink(missing_ok=True)
    job = Job(
        phase,
        spec.module,
        spec.option,
        spec.packages,
        str(data.folder.resolve()),
        str(store.resolve()),
        size,
        str(answer.resolve()),
    )
    # Isolated: neither the working folder nor PYTHONPATH may put another package in front.
    run([python, "-I", "-c", _START, str(_ROOT), json.dumps(asdict(job))], timeout)
    if not answer.exists():
        raise PeerError(f"the {phase} process ended without an answer")
    found: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    answer.unlink()
    return found


def _row(
    spec: PeerSpec,
    size: int,
    disk: int,
    build: dict[str, Any],
    search: dict[str, Any],
    judge: Judge,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "bench": "peers",
        "peer": spec.name,
        "peer_versions": search["versions"],
        "chunks": size,
        "build_s": build["seconds"],
        "disk_mb": round(disk / 2**20, 1),
        "build_peak_mb": build["peak_mb"],
        "build_given_mb": build["given_mb"],
        "search_peak_mb": search["peak_mb"],
        "first_ms": search["first_ms"],
    }
    for leg in LEGS:
        if leg in search:
            times = search[leg]["ms"]
            row[leg] = {
                "p50": round(float(np.median(times)), 2),
                "p99": round(float(np.percentile(times, 99)), 2),
                "hits": round(float(np.mean([len(keys) for keys in search[leg]["keys"]])), 2),
            }
            row["questions"] = len(times)
    if "vector" in search:
        row["vector"]["recall"] = round(judge.recall(search["vector"]["keys"]), 4)
    if search["note"]:
        row["note"] = search["note"]
    return row
