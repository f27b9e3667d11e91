"""Work in a process of its own, which may be limited, fail or die."""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.steps import Facts, observed
from vstash import Memory
from vstash.settings import Settings

__all__ = ["Ended", "Look", "examined", "look", "run_in_child", "warm_up"]

_LONGEST_S: Final = 60
_LONGEST_TRACE: Final = 2000
_IN_MEMORY: Final = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a child.

    Attributes:
        code: Its exit code; below 0 the signal that ended it.
        value: What the function returned, None where it did not get to it.
        trace: The end of what it wrote to standard error.
    """

    code: int
    value: object = None
    trace: str = ""

    def __str__(self) -> str:
        return f"the process ended with {self.code} {self.trace}".strip()


@dataclass(frozen=True, slots=True)
class Look:
    """What a file holds after a fault, seen by a process that knows nothing of it.

    Attributes:
        facts: What is there; None where it could not be read.
        findings: Of the check, or the error.
    """

    facts: Facts | None
    findings: tuple[str, ...] = ()


@contextmanager
def short_lived(name: str) -> Iterator[Path]:
    """A folder for as long as a block lasts: in memory where there is room, for syncs cost nothing there."""
    where = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix=f"vstash-{name}-", dir=where) as folder:
        yield Path(folder)


def warm_up(folder: Path) -> None:
    """Load what a Memory needs on first use, so that no child has to."""
    with Memory(folder / "warm.db", settings=Settings(model="fake")) as memory:
        memory.add("amber")
        memory.search("amber")
        memory.check()
        observed(memory)


def run_in_child(work: Callable[[], object]) -> Ended:
    """Run a function in a child and wait for it; it is killed when it hangs.

    Args:
        work: What it returns is pickled.
    """
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if not child:
            _work(work, reading, writing, errors.fileno())
        os.close(writing)
        with os.fdopen(reading, "rb") as out:
            data = out.read()
        _, status = os.waitpid(child, 0)
        errors.seek(0)
        trace = errors.read().decode(errors="replace")[-_LONGEST_TRACE:]
    code = os.waitstatus_to_exitcode(status)
    return Ended(code, pickle.loads(data) if data else None, trace if code else "")


def _work(work: Callable[[], object], reading: int, writing: int, errors: int) -> None:
    code = 1
    try:
        os.close(reading)
        # A child that hangs is killed by this.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_LONGEST_S)
        faulthandler.dump_traceback_later(_LONGEST_S - 10)
        os.dup2(errors, 2)
        data = pickle.dumps(work())
        with os.fdopen(writing, "wb") as out:
            out.write(data)
        code = 0
    except BaseException:  # noqa: BLE001 - the parent sees the exit code
        with suppress(Exception):
            traceback.print_exc()
            sys.stderr.flush()
    finally:
        os._exit(code)


def examined(path: Path, *, write: bool = False) -> Look:
    """Open a file, read everything, check it.

    Args:
        path: An existing file, or one that is made.
        write: Whether to add a document at last.
    """
    with Memory(path, settings=Settings(model="fake")) as memory:
        facts = observed(memory)
        findings = [finding.code for finding in memory.check().findings]
        if write:
            memory.add("one more", key="one more")
            if not memory.search("one more", log=False).hits:
                findings.append("nothing is found")
    return Look(facts, tuple(findings))


def look(path: Path) -> Look:
    """The same in a child, and whether the file can be written."""

    def work() -> Look:
        try:
            return examined(path, write=True)
        except Exception as error:  # noqa: BLE001 - any is a finding
            return Look(None, (repr(error),))

    ended = run_in_child(work)
    if isinstance(ended.value, Look):
        return ended.value
    return Look(None, (str(ended),))
