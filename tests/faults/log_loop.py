"""kill -9 while searches are logged: what was acknowledged as written must be there.

A search answers before it is in the file; `Memory.flush_log` acknowledges all before it. A child searches,
flushes now and then and says so; it is killed at a random moment, and the log must then hold every search that was
acknowledged, with feedback given to it. The control says so without a flush: searches of the last moments are
missing then.
"""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

from tests.faults.children import short_lived, warm_up
from vstash import Memory
from vstash.settings import Settings

__all__ = ["measure"]

_SETTINGS = Settings(model="fake")
_LONGEST_S = 0.35


def _child(path: Path, told: int, seed: int, *, flushes: bool) -> None:
    """Search until killed; write what is acknowledged to a pipe, an id a line."""
    pick = random.Random(seed)
    with Memory(path, settings=_SETTINGS) as memory:
        while True:
            waiting = [
                memory.search(f"amber {pick.random()}").id for _ in range(pick.randrange(1, 6))
            ]
            if flushes and memory.flush_log():
                continue
            os.write(told, "".join(f"{each}\n" for each in waiting).encode())


def _killed(path: Path, seed: int, *, flushes: bool) -> list[str]:
    """What a child acknowledged before it was killed."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        with suppress(BaseException):
            _child(path, writes, seed, flushes=flushes)
        os._exit(1)
    os.close(writes)
    time.sleep(random.Random(-seed).uniform(0.05, _LONGEST_S))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reads, "rb") as pipe:
        return pipe.read().decode().split()


def _missing(path: Path, acknowledged: list[str]) -> tuple[int, list[str]]:
    with Memory(path, settings=_SETTINGS) as memory:
        there: set[str] = set()
        cursor = None
        while True:
            page = memory.disagreements(limit=1000, cursor=cursor)
            there.update(item.search_id for item in page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
        findings = [finding.code for finding in memory.check().findings]
    return len(set(acknowledged) - there), findings


def measure(count: int, seed: int) -> dict[str, object]:
    """Kill a process that logs searches so often, and the control as often.

    Args:
        count: Kills of each.
        seed: Of the moments and of what is searched.
    """
    figures: dict[str, object] = {"kills": count}
    for name, flushes in (("", True), ("control_", False)):
        with short_lived("log") as folder:
            warm_up(folder)
            path = folder / "x.db"
            with Memory(path, settings=_SETTINGS) as memory:
                memory.add("the amber lamp")
            acknowledged: list[str] = []
            for number in range(count):
                acknowledged += _killed(path, seed + number, flushes=flushes)
            lost, findings = _missing(path, acknowledged)
        figures |= {
            f"{name}acknowledged": len(acknowledged),
            f"{name}lost": lost,
            f"{name}findings": findings,
        }
    return figures
