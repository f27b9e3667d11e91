"""What the log of searches costs the searches: p50 and p99 with and without it, in one process and in four.

    python -m bench.learning.log_cost corpus.jsonl --work /tmp/log-cost --chunks 20000

The corpus is JSON Lines with `_id`, `title` and `text`; vectors are those of `bench.latency` and ready before a
search begins. Blocks of 50 different questions are asked in turn with the log and without; what the log writes
behind the replies falls into its own blocks, and is waited for after each, outside of the time. With four processes
all search the same file at once. Prints a row and appends it to bench/results/learning.jsonl.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.latency import ProjectionEmbedder, fill, passages, questions
from bench.machine import append_row
from vstash import Memory
from vstash.settings import Settings

RESULTS: Final = Path(__file__).resolve().parents[1] / "results" / "learning.jsonl"
_BLOCK: Final = 50
_SETTINGS: Final = {
    "full": Settings(log_searches="full"),
    "ids-only": Settings(log_searches="ids-only"),
}


def measured(
    path: Path, corpus: Path, *, kept: str, blocks: int, seed: int
) -> dict[str, list[float]]:
    """Milliseconds of each search, with the log and without.

    Args:
        path: The file.
        corpus: Where questions come from.
        kept: The setting `log_searches`.
        blocks: Of each kind.
        seed: Of the questions.
    """
    model = ProjectionEmbedder()
    asked = questions(corpus, 11, seed, 2 * blocks * _BLOCK)
    vectors = model.embed_queries(asked)
    times: dict[str, list[float]] = {"with": [], "without": []}
    with Memory(path, model=model, settings=_SETTINGS[kept]) as memory:
        for place in range(_BLOCK):
            memory.search(asked[place], vector=vectors[place], log=False)
        for block in range(2 * blocks):
            log = block % 2 == 0
            for place in range(block * _BLOCK, (block + 1) * _BLOCK):
                start = time.perf_counter()
                memory.search(asked[place], vector=vectors[place], log=log)
                times["with" if log else "without"].append(1000 * (time.perf_counter() - start))
            dropped = memory.flush_log()
    return times | {"dropped": [float(dropped)]}


def told(times: list[dict[str, list[float]]]) -> dict[str, Any]:
    """Percentiles over all processes, and what the log adds."""
    row: dict[str, Any] = {"dropped": sum(int(each["dropped"][0]) for each in times)}
    for name in ("with", "without"):
        together = [value for each in times for value in each[name]]
        row[name] = {
            f"p{share}_ms": round(float(np.percentile(together, share)), 3) for share in (50, 99)
        }
    row["added"] = {
        share: round(row["with"][share] - row["without"][share], 3) for share in row["with"]
    }
    return row


def in_processes(given: argparse.Namespace, path: Path, count: int) -> list[dict[str, list[float]]]:
    """The same by several processes at once."""
    command = [
        sys.executable,
        "-m",
        "bench.learning.log_cost",
        str(given.corpus),
        "--child",
        str(path),
    ]
    command += ["--kept", given.kept, "--blocks", str(given.blocks)]
    children = [
        subprocess.Popen([*command, "--seed", str(seed)], stdout=subprocess.PIPE)
        for seed in range(count)
    ]
    return [json.loads(child.communicate()[0]) for child in children]


def main() -> None:
    """Measure, print, and append to the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.learning.log_cost", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--chunks", type=int, default=20_000)
    parser.add_argument("--blocks", type=int, default=10, help="of 50 searches, of each kind")
    parser.add_argument("--kept", choices=sorted(_SETTINGS), default="full")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--rows", type=Path, default=RESULTS)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    what = {"kept": given.kept, "blocks": given.blocks, "seed": given.seed}
    if given.child is not None:
        print(json.dumps(measured(given.child, given.corpus, **what)))
        return
    given.work.mkdir(parents=True, exist_ok=True)
    path = given.work / "log-cost.db"
    model = ProjectionEmbedder()
    with Memory(path, model=model) as memory:
        fill(memory, model, passages(given.corpus), given.chunks)
    row = {
        "measure": "log_cost",
        "chunks": given.chunks,
        **what,
        "one_process": told([measured(path, given.corpus, **what)]),
        "four_processes": told(in_processes(given, path, 4)),
    }
    append_row(given.rows, row)
    print(json.dumps(row))


if __name__ == "__main__":
    main()
