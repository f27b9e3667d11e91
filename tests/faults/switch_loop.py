"""Processes that switch a file from model to model and are killed with -9 at random moments.

python -m tests.faults switch --count 200
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from tests.faults.drifts import planted
from vstash import Memory, NewDocument
from vstash.settings import Settings

__all__ = ["Figures", "measure", "switched_by_hand"]

_CHUNKS: Final = 120
_OTHER: Final = "fake-32"
_LONGEST_S: Final = 0.4

Figures = dict[str, object]


def made(path: Path) -> None:
    """A file of documents that one word each tells apart."""
    with Memory(path, model="fake") as memory:
        memory.add_batch([NewDocument(f"amber number{n}", key=f"d{n}") for n in range(_CHUNKS)])


def switch_on(path: Path) -> None:
    """Switch there and back, write in between, and remove what is not in use, until killed."""
    with Memory(path, settings=Settings()) as memory:
        print("ready", flush=True)
        number = 0
        while True:
            active = memory.stats().model.name
            other = _OTHER if active == "fake" else "fake"
            memory.reindex(other)
            number += 1
            memory.add(f"written {number}", key="written")
            if number % 2:
                memory.remove_model(active)
            else:
                memory.use_model(active)


def found(path: Path) -> dict[str, bool]:
    """Whether a file is whole after a kill, and a reindex goes on with what was committed."""
    with Memory(path, settings=Settings()) as memory:
        sound = memory.check().ok
        stats = memory.stats()
        finds = all(
            memory.search(f"amber number{n}", k=1, mode="vector").hits[0].document.key == f"d{n}"
            for n in (0, 60, 119)
        )
        building = [each for each in memory.models() if each.index == "building"]
        other = _OTHER if stats.model.name == "fake" else "fake"
        there = sum(each.vectors for each in memory.models() if each.name == other)
        with memory._engine.store.read() as reader:
            # What is left of an index that was being removed is not gone on with.
            there = 0 if reader.indexes.removing else there
        report = memory.reindex(other)
        return {
            "whole": sound and finds and stats.awaiting == 0,
            "building": bool(building),
            "resumed": report.switched and report.embedded == stats.chunks - there,
            "whole_after": memory.check().ok,
        }


def switched_by_hand(path: Path) -> bool:
    """The control: whether a model that is made the active one without its vectors goes unnoticed."""
    made(path)
    with Memory(path, model="fake") as memory:
        memory.reindex(_OTHER)
        memory.use_model("fake")
        memory.add("one more", key="more")
    with planted(path) as connection:
        connection.execute("UPDATE model SET active = 0 WHERE active = 1")
        connection.execute(f"UPDATE model SET active = 1 WHERE name = '{_OTHER}'")
    with Memory(path, settings=Settings()) as memory:
        return memory.check().ok


def measure(count: int, seed: int) -> Figures:
    """Kill so many processes, and look at what each left."""
    rng, outcomes = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "switched.db"
        made(path)
        for _ in range(count):
            command = [sys.executable, "-m", "tests.faults.switch_loop", str(path)]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
                assert child.stdout is not None
                assert child.stdout.readline() == b"ready\n"
                time.sleep(rng.random() * _LONGEST_S)
                child.send_signal(signal.SIGKILL)
            outcomes.update(name for name, held in found(path).items() if held)
        control = switched_by_hand(Path(folder) / "control.db")
    return {
        "kills": count,
        **{name: outcomes[name] for name in ("whole", "building", "resumed", "whole_after")},
        "control_unnoticed": control,
    }


if __name__ == "__main__":
    switch_on(Path(sys.argv[1]))
