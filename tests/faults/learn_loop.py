"""Processes that learn, promote and roll back, killed with -9 at random moments while others search.

python -m tests.faults learn --count 200
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

import apsw

from tests.learnt import Told, learning, put
from vstash import Memory
from vstash.settings import Settings

__all__ = ["Figures", "halves", "made", "measure", "sound"]

# Of this one both learners are switched together; of the other one thing at a time.
_BOTH: Final = "default"
_ONE: Final = "one"
_LONGEST_S: Final = 0.3
_SEARCHES_APART_S: Final = 0.001

Figures = dict[str, object]


def made(path: Path) -> None:
    """A file of two collections, each with something learnt."""
    with Memory(path, model="fake") as memory:
        for name in (_BOTH, _ONE):
            memory.add("The amber lamp is lit.", collection=name)
            put(memory._engine, collection=name)


def learn_on(path: Path) -> None:
    """Learn, promote and roll back until killed."""
    rng = random.Random()
    with Memory(path, model="fake", settings=Settings()) as memory:
        engine = memory._engine
        taught = learning(engine, Told())
        print("ready", flush=True)
        while True:
            for name in (_BOTH, _ONE):
                taught.learn(
                    name,
                    learner="all" if name == _BOTH else "fusion",
                    seed=rng.randrange(1000),
                    budget_s=None,
                    promote=True,
                    progress=None,
                )
            if rng.random() < 0.5:
                memory.rollback(_BOTH)
            memory.promote(rng.choice(memory.learned(_ONE).items).id)
            memory.rollback(_ONE)


def learn_by_halves(path: Path) -> None:
    """The control: the same switch, each of its statements on its own."""
    connection = apsw.Connection(str(path))
    of = "learner = 'fusion' AND collection = 1"
    print("ready", flush=True)
    while True:
        active = connection.execute(f"SELECT number FROM learned WHERE {of} AND active = 1").get
        other = connection.execute(
            f"SELECT number FROM learned WHERE {of} AND number IS NOT ? LIMIT 1", (active,)
        ).get
        connection.execute(f"UPDATE learned SET active = 0 WHERE {of}")
        time.sleep(_SEARCHES_APART_S)
        connection.execute("UPDATE learned SET active = 1 WHERE number = ?", (other,))
        time.sleep(_SEARCHES_APART_S)
        connection.execute(
            'INSERT INTO learned_switch (learner, collection, model, at, "before", "after", why) '
            "VALUES ('fusion', 1, 1, 1, ?, ?, 'promote')",
            (active, other),
        )


def halves(path: Path) -> list[str]:
    """What is half done: a switch begins where the one before ended, and the last says what is in use."""
    wrong = []
    with Memory(path, model="fake") as memory, memory._engine.store.read() as reader:
        rows = reader._connection.execute(
            'SELECT learner, collection, "before", "after" FROM learned_switch ORDER BY number'
        ).fetchall()
        active = reader._connection.execute(
            "SELECT learner, collection, number FROM learned WHERE active = 1"
        ).fetchall()
    standing: dict[tuple[object, object], object] = {}
    for learner, collection, before, after in rows:
        if standing.get((learner, collection)) != before:
            wrong.append(f"a switch of {learner} {collection} from {before}, which was not in use")
        standing[learner, collection] = after
    in_use = {(learner, collection): number for learner, collection, number in active}
    if in_use != {of: number for of, number in standing.items() if number is not None}:
        wrong.append(f"in use {in_use}, and said to be {standing}")
    return wrong


def sound(path: Path) -> bool:
    """Whether a file is whole, and its searches use what it says is in use."""
    with Memory(path, model="fake") as memory:
        for name in (_BOTH, _ONE):
            active = {each.id for each in memory.learned(name, limit=1000).items if each.active}
            result = memory.search("amber lamp", collection=name, log=False)
            if set(result.learned) != active or result.degraded:
                return False
        return memory.check().ok


def _together(path: Path, seen: set[tuple[str, ...]]) -> bool:
    """Whether searches saw both learners of one run, or neither; the first of all had no adapter."""
    with Memory(path, model="fake") as memory:
        runs = {each.id: each.decision.seed for each in memory.learned(limit=1000).items}
        alone = {each.id for each in memory.learned(limit=1000).items if not each.decision.seed}
    return all(
        len({runs.get(each) for each in used}) <= 1 and (len(used) != 1 or used[0] in alone)
        for used in seen
        if all(each in runs for each in used)
    )


def killed(path: Path, how: str, longest_s: float, rng: random.Random) -> set[tuple[str, ...]]:
    """Kill a process that learns, and say what searches used meanwhile."""
    seen = set()
    command = [sys.executable, "-m", "tests.faults.learn_loop", how, str(path)]
    with (
        Memory(path, model="fake") as memory,
        subprocess.Popen(command, stdout=subprocess.PIPE) as child,
    ):
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        until = time.monotonic() + rng.random() * longest_s
        while time.monotonic() < until:
            seen.add(memory.search("amber lamp", log=False).learned)
            time.sleep(_SEARCHES_APART_S)
        child.send_signal(signal.SIGKILL)
    return seen


def measure(count: int, seed: int) -> Figures:
    """Kill so many processes, and look at what each left."""
    rng, outcomes = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        path, control = Path(folder) / "learnt.db", Path(folder) / "control.db"
        made(path)
        made(control)
        with Memory(control, model="fake") as memory:
            put(memory._engine)
        states = 0
        for _ in range(count):
            seen = killed(path, "whole", _LONGEST_S, rng)
            states += len(seen)
            outcomes["whole"] += not halves(path)
            outcomes["sound"] += sound(path)
            outcomes["together"] += _together(path, seen)
        for _ in range(min(count, 20)):
            killed(control, "halves", 0.02, rng)
            outcomes["control_half"] += bool(halves(control))
    return {
        "kills": count,
        "states_seen": states,
        **{name: outcomes[name] for name in ("whole", "sound", "together")},
        "control_kills": min(count, 20),
        "control_half": outcomes["control_half"],
    }


if __name__ == "__main__":
    {"whole": learn_on, "halves": learn_by_halves}[sys.argv[1]](Path(sys.argv[2]))
