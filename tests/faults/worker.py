"""The other process of test_processes.py: writes, searches, makes files, or holds the lock."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import apsw

from vstash import Memory, VstashError


def write(path: Path, name: str, seconds: float) -> None:
    """Add, replace and delete documents of our own, and print which must be there."""
    held: dict[str, str] = {}
    errors = []
    with Memory(path, model="fake") as memory:
        end = time.monotonic() + seconds
        step = 0
        while time.monotonic() < end:
            step += 1
            key = f"{name}-{step % 17}"
            try:
                if step % 5 == 0 and key in held:
                    memory.delete(key=key)
                    del held[key]
                else:
                    text = f"{name} wrote step {step} about the port"
                    memory.add(text, key=key)
                    held[key] = text
                    memory.search(text, k=3)
            except VstashError as error:
                errors.append(repr(error))
        dropped = memory.stats().log_dropped
    print(json.dumps({"steps": step, "held": held, "errors": errors, "dropped": dropped}))


def read(path: Path, name: str, seconds: float) -> None:
    """Search and list all the time, and print how often."""
    errors: list[str] = []
    step = hits = 0
    with Memory(path, model="fake") as memory:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            step += 1
            try:
                hits += len(memory.search(f"the port {name}", log=False).hits)
                memory.list(limit=5)
                if step % 20 == 0:
                    errors += [repr(finding) for finding in memory.check().findings]
            except VstashError as error:
                errors.append(repr(error))
    print(json.dumps({"steps": step, "hits": hits, "errors": errors}))


def make(_path: Path, name: str, _seconds: float) -> None:
    """For each path on standard input, make or open the file and add to it."""
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            with Memory(line.strip(), model="fake") as memory:
                memory.add(f"{name} was here", key=name)
            print("ok", flush=True)
        except VstashError as error:  # noqa: PERF203 - each path has an answer of its own
            print(repr(error), flush=True)


def hold(path: Path, _name: str, seconds: float) -> None:
    """Hold the write lock for a while, saying when it is held."""
    connection = apsw.Connection(str(path))
    connection.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    time.sleep(seconds)
    connection.execute("ROLLBACK")
    connection.close()


def main() -> None:
    """Do what the first argument says."""
    work = {"write": write, "read": read, "make": make, "hold": hold}[sys.argv[1]]
    work(Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]))


if __name__ == "__main__":
    main()
