"""Inject one kind of fault as often as there is time for, and write what came of it as a row.

    python -m tests.faults kill --count 1000
    python -m tests.faults --list

Every module that is named here has `measure(count, seed)`, which returns its figures with those of its control;
its tests run the same code with a small count.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from importlib import import_module
from pathlib import Path
from typing import Final

# Before numpy: a process that is forked should have one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from bench.machine import append_row

ROWS: Final = Path(__file__).resolve().parents[2] / "bench" / "results" / "faults.jsonl"
FAULTS: Final = {
    "kill": ("kill_loop", 1000, "kill -9 at random moments of all operations"),
    "migration": ("migrate_loop", 400, "a process that ends in the middle of a migration"),
    "damage": (
        "damage_loop",
        500,
        "files with flipped, lost, cut, swapped, older and foreign pages and logs",
    ),
    "backup": ("backup_loop", 200, "backups under writers, a quarter of them killed with -9"),
    "restore": ("restore_loop", 100, "restores, three quarters of them killed with -9"),
    "power": ("power_loop", 200, "power cuts, per level of durability"),
    "io": ("io_loop", 0, "the n-th call of the disk fails; 0 for every n"),
    "full": ("full_loop", 1, "full disks"),
    "memory": ("memory_loop", 40, "limits on memory"),
    "drift": ("drifts", 138, "one table or index changed by hand: found, repaired, text untouched"),
    "forget": (
        "forget_loop",
        200,
        "documents forgotten, and their words and vectors sought in raw bytes",
    ),
    "compact": (
        "compact_loop",
        100_000,
        "chunks of a file that is compacted beside a reader and a writer",
    ),
    "log": (
        "log_loop",
        100,
        "kill -9 while searches are logged, with a control that does not wait",
    ),
    "cut": ("cut_loop", 1000, "writes over HTTP whose connections are cut"),
    "clock": ("clock_loop", 1000, "operations while the wall clock jumps"),
    "model": ("model_loop", 10_000, "steps on a file and a dictionary, which are compared"),
    "processes": ("processes_loop", 600, "seconds of processes on one file, killed and stopped"),
    "restart": ("restart_loop", 50, "starts of a service under load, after SIGTERM and SIGKILL"),
    "learn": ("learn_loop", 200, "processes that learn, promote and roll back, killed with -9"),
    "switch": ("switch_loop", 200, "processes that switch models, killed with -9"),
    "soak": ("soak_loop", 1800, "seconds of all operations mixed"),
}


def main() -> None:
    """Run what is asked for, print its figures and append them to the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("fault", choices=sorted(FAULTS), nargs="?")
    parser.add_argument("--list", action="store_true", help="say which there are")
    parser.add_argument("--count", type=int, help="how often; each has a default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=Path, default=ROWS, help="file that the row goes to")
    given = parser.parse_args()
    if given.list or given.fault is None:
        for name, (_, count, what) in sorted(FAULTS.items()):
            print(f"{name:10} {count:>7,}  {what}")
        return
    module, count, _ = FAULTS[given.fault]
    count = count if given.count is None else given.count
    start = time.monotonic()
    figures = import_module(f"tests.faults.{module}").measure(count, given.seed)
    row = {
        "fault": given.fault,
        "count": count,
        "seed": given.seed,
        "seconds": round(time.monotonic() - start, 1),
        **figures,
    }
    append_row(given.rows, row)
    print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
