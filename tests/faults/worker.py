"""The other process of test_processes.py: writes, searches, makes files, or holds the lock."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from tests.faults.service_process import ENVIRONMENT, vstash
from vstash import Client, Memory, VstashError
from vstash.errors import DocumentNotFoundError, StoreBusyError
from vstash.store.presence import Presence

# How many documents a writer has.
_KEYS: Final = 17
_PAUSE_BETWEEN_CALLS_S: Final = 0.3
_CHECKED_EVERY: Final = 25
# Calls of the command line that are killed, and within what time.
_KILLED: Final = 0.1
_LONGEST_CALL_S: Final = 0.5


class KilledError(Exception):
    """The process that was to do it was killed, so nobody knows whether it did."""

    code = "killed"


class CommandLine:
    """The methods of `Memory` that are needed here, each a process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, text: str, *, key: str) -> None:
        """As `Memory.add`."""
        self._run("add", text, "--key", key, may_be_killed=True)

    def delete(self, *, key: str) -> None:
        """As `Memory.delete`."""
        self._run("delete", "--key", key, may_be_killed=True)

    def search(self, query: str, *, k: int) -> None:
        """As `Memory.search`."""
        self._run("search", query, "-k", str(k))

    def _run(self, *words: str, may_be_killed: bool = False) -> None:
        command = vstash(*words, "--db", str(self._path))
        patience = 60.0
        if may_be_killed and random.random() < _KILLED:
            patience = random.random() * _LONGEST_CALL_S
        try:
            done = subprocess.run(
                command,
                env=ENVIRONMENT,
                capture_output=True,
                text=True,
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise KilledError from None
        if done.returncode:
            raise _OF_EXIT_CODES.get(done.returncode, VstashError)(done.stderr)


_OF_EXIT_CODES: Final = {
    error.exit_code: error for error in (StoreBusyError, DocumentNotFoundError)
}


class Stray:
    """Before each write something in the process opens and closes the file, which drops its locks."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def add(self, text: str, *, key: str) -> None:
        """As `Memory.add`."""
        os.close(os.open(self._memory.path, os.O_RDONLY))
        self._memory.add(text, key=key)

    def delete(self, *, key: str) -> None:
        """As `Memory.delete`."""
        self._memory.delete(key=key)

    def search(self, query: str, *, k: int) -> None:
        """As `Memory.search`."""
        self._memory.search(query, k=k)


Door = Memory | Client | CommandLine | Stray


@contextmanager
def door(kind: str, where: str) -> Iterator[Door]:
    """One way to use a file: its path, or the address of a service."""
    if kind == "cli":
        yield CommandLine(Path(where))
    elif kind == "rest":
        with Client(where) as client:
            yield client
    else:
        if kind == "blind":
            setattr(Presence, "require", lambda _: None)  # noqa: B010 - mypy has more to say of the other way
        with Memory(where, model="fake") as memory:
            yield Stray(memory) if kind == "stray" else memory


def say(word: str, value: object) -> None:
    """Tell the parent in one write, so that a kill leaves a whole line or a torn last one."""
    os.write(1, (json.dumps([word, value]) + "\n").encode())


def write(kind: str, where: str, name: str, ended: Path, pause_s: float) -> None:
    """Add, replace and delete documents of our own, and say what was asked and what came of it."""
    mark, step = random.randrange(10**9), 0
    with door(kind, where) as opened:
        say("ready", kind)
        while not ended.exists():
            step += 1
            key = f"{name}-{random.randrange(_KEYS)}"
            text = None if step % 5 == 0 else f"{name} {mark} wrote step {step} about the port"
            say("asked", [key, text])
            begin = time.perf_counter()
            try:
                if text is None:
                    opened.delete(key=key)
                else:
                    opened.add(text, key=key)
            except DocumentNotFoundError:
                say("done", (time.perf_counter() - begin) * 1000)
            except (VstashError, KilledError) as error:
                say("failed", [error.code, str(error), time.monotonic()])
            else:
                say("done", (time.perf_counter() - begin) * 1000)
            time.sleep(_PAUSE_BETWEEN_CALLS_S if kind == "cli" else pause_s)


def read(kind: str, where: str, name: str, ended: Path, pause_s: float) -> None:
    """Search all the time, and check now and then."""
    step = 0
    with door(kind, where) as opened:
        say("ready", kind)
        while not ended.exists():
            step += 1
            begin = time.perf_counter()
            try:
                opened.search(f"the port {name}", k=3)
                say("done", (time.perf_counter() - begin) * 1000)
                if isinstance(opened, Memory) and step % _CHECKED_EVERY == 0:
                    for finding in opened.check().findings:
                        say("finding", finding.code)
            except VstashError as error:
                say("failed", [error.code, str(error), time.monotonic()])
            time.sleep(_PAUSE_BETWEEN_CALLS_S if kind == "cli" else pause_s)


def make(name: str) -> None:
    """For each path on standard input, make or open the file and add to it."""
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            with Memory(line.strip(), model="fake") as memory:
                memory.add(f"{name} was here", key=name)
            print("ok", flush=True)
        except VstashError as error:  # noqa: PERF203 - each path has an answer of its own
            print(repr(error), flush=True)


def hold(where: str) -> None:
    """Hold the write lock until standard input ends, saying when it is held."""
    connection = apsw.Connection(where)
    connection.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    sys.stdin.read()
    connection.execute("ROLLBACK")
    connection.close()


def main() -> None:
    """Do what the first argument says."""
    work, kind, where, name, until, pause_s = sys.argv[1:]
    if work == "make":
        make(name)
    elif work == "hold":
        hold(where)
    else:
        {"write": write, "read": read}[work](kind, where, name, Path(until), float(pause_s))


if __name__ == "__main__":
    main()
