"""Let the n-th call of the disk fail, for every n, once or until it is repaired, and look what vstash makes of it.

A child does the same steps every time. Whatever fails, a step succeeds, or raises an error of ours with all of
its change in the file or nothing; repeated on the same object once the disk works again it is applied once; and in
the end the file holds what was acknowledged and its check finds nothing.
`python -m tests.faults io` tries every n; a test some.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

# Before numpy: a process that is forked should have one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from tests.faults.children import Look, examined, look, run_in_child, short_lived, warm_up
from tests.faults.disk import CODES, Failing, lay_over
from tests.faults.kill_loop import add_planted
from tests.faults.steps import Effect, Facts, Step, fits, scripted, with_change
from vstash import Memory, NewDocument, VstashError
from vstash.errors import StoreFullError
from vstash.settings import Settings
from vstash.store.faults import translated

__all__ = ["Attempt", "Run", "attempt", "measure", "planted", "spread"]

_NAME: Final = "io.db"
# Pages after which SQLite moves the log into the file: small, so that its calls fail too.
_CHECKPOINT_PAGES: Final = 40
_CONTROLS: Final = 8
# Kinds of calls that only writers make: searching must go on.
_OF_WRITERS: Final = frozenset({"write", "truncate", "sync", "full"})
Script = Callable[[Path], Sequence[Step]]


@dataclass(slots=True)
class Attempt:
    """What came of one run.

    Attributes:
        calls: Of that kind, in all.
        failed: How many of them.
        errors: What was raised, with the step.
        wrong: What must not be.
        facts: What the file holds in the end, if all that was acknowledged is there.
    """

    calls: int = 0
    failed: int = 0
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)

    def judge(self, seen: Look) -> None:
        """Compare with what another process finds."""
        self.wrong += [f"end: {finding}" for finding in seen.findings]
        if seen.facts != self.facts:
            self.wrong.append("end: the file does not hold what was acknowledged")


class Fault(Protocol):
    """Something that fails until it is repaired."""

    calls: int
    failed: int

    def heal(self) -> None:
        """Let nothing fail from now on."""


class Run:
    """One run in its child.

    Args:
        path: The file.
        fault: What fails.
        of_writers: Whether only writing does, so that a search must succeed.
        allowed: Errors that are not ours and may be raised.
        done: Told how many steps are done.
    """

    def __init__(
        self,
        path: Path,
        fault: Fault,
        *,
        of_writers: bool = False,
        allowed: tuple[type[Exception], ...] = (),
        done: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._path = path
        self._fault = fault
        self._of_writers = of_writers
        self._allowed = allowed
        self._done = done
        self._count = 0
        self._facts: Facts = {}
        self.seen = Attempt()

    def all(self, steps: Sequence[Step]) -> Attempt:
        """Open, do half of the steps, close, and the same with the other half."""
        for part in (steps[: len(steps) // 2], steps[len(steps) // 2 :]):
            memory = self._opened()
            if memory is None:
                break
            for step in part:
                self._tried(step, memory)
            self._expect("close", memory.close)
        self._fault.heal()
        self.seen.calls, self.seen.failed = self._fault.calls, self._fault.failed
        self.seen.facts = self._facts
        return self.seen

    def _opened(self) -> Memory | None:
        opened: list[Memory] = []

        def run() -> None:
            memory = Memory(self._path, settings=Settings(model="fake"))
            opened.append(memory)
            store = memory._engine.store
            with translated():
                store._write_connection().pragma("wal_autocheckpoint", _CHECKPOINT_PAGES)  # type: ignore[attr-defined]

        if self._raised("open", run) is not None:
            self._fault.heal()
            self._expect("open again", run)
        return opened[-1] if opened else None

    def _tried(self, step: Step, memory: Memory) -> None:
        error = self._raised(step.name, lambda: step.run(memory))
        after = with_change(self._facts, step.effect.change)
        if error is not None:
            self._fault.heal()
            if step.reads and self._of_writers:
                self._wrong(step.name, "a search failed where only writing does")
            found = examined(self._path)
            for finding in found.findings:
                self._wrong(step.name, finding)
            if found.facts is None or not fits(found.facts, self._facts, step.effect):
                self._wrong(step.name, "half of it is there")
            if isinstance(error, StoreFullError) and found.facts != self._facts:
                self._wrong(step.name, "it says that nothing was changed")
            self._expect(f"{step.name} again", lambda: step.run(memory))
            if examined(self._path).facts != after:
                self._wrong(step.name, "repeated, it is not there once")
        self._facts = after
        self._count += 1
        self._done(self._count)

    def _raised(self, name: str, run: Callable[[], object]) -> Exception | None:
        try:
            run()
        except VstashError as error:
            self.seen.errors.append(f"{name}: {error.code}")
            if error.code == "internal":
                self._wrong(name, error.local_detail or error.code)
            return error
        except self._allowed as error:
            self.seen.errors.append(f"{name}: {type(error).__name__}")
            return error
        except Exception as error:  # noqa: BLE001 - what is no error of ours is wrong
            self._wrong(name, repr(error))
        return None

    def _expect(self, name: str, run: Callable[[], object]) -> None:
        """Do what must succeed."""
        try:
            run()
        except Exception as error:  # noqa: BLE001 - any is wrong
            self._wrong(name, repr(error))

    def _wrong(self, name: str, what: str) -> None:
        self.seen.wrong.append(f"{name}: {what}")


def attempt(
    base: Path, kind: str, nth: int, *, lasting: bool, script: Script = scripted
) -> Attempt:
    """Let one call fail, and those after it while the disk is not repaired.

    Args:
        base: Where a folder is made for it.
        kind: A key of `CODES`.
        nth: From 1; 0 for none.
        lasting: Whether it goes on failing until an error was seen.
        script: The steps.
    """
    folder = base / f"{kind}-{nth}-{lasting}"
    folder.mkdir()

    def work() -> Attempt:
        failing = Failing(kind, nth, lasting=lasting)
        lay_over(failing)
        return Run(folder / _NAME, failing, of_writers=kind in _OF_WRITERS).all(script(folder))

    ended = run_in_child(work)
    found = ended.value if isinstance(ended.value, Attempt) else Attempt()
    if ended.value is None:
        found.wrong.append(str(ended))
    else:
        found.judge(look(folder / _NAME))
    shutil.rmtree(folder)
    return found


def planted(folder: Path) -> Sequence[Step]:
    """The control: documents whose words come in a second transaction."""

    def step(key: str) -> Step:
        def run(memory: Memory) -> None:
            add_planted(memory._engine, NewDocument(f"amber {key}", key=key))

        return Step("planted", run, Effect({f"document default/{key}": f"|amber {key}"}))

    return [step(f"planted{number}") for number in range(4)]


def spread(total: int, count: int) -> list[int]:
    """At most so many of 1 to total, over all of them; 0 for every one."""
    if not count or count >= total:
        return list(range(1, total + 1))
    return sorted({1 + at * (total - 1) // max(1, count - 1) for at in range(count)})


def tried(base: Path, kind: str, count: int, *, script: Script = scripted) -> dict[str, object]:
    """Let calls of a kind fail, spread over a whole run: each once and lasting, or of a few in turn."""
    clean = attempt(base, kind, 0, lasting=False, script=script)
    wrong = [f"clean: {each}" for each in clean.wrong]
    errors: Counter[str] = Counter()
    runs = refused = 0
    for at, nth in enumerate(spread(clean.calls, count)):
        for lasting in (bool(at % 2),) if count else (False, True):
            found = attempt(base, kind, nth, lasting=lasting, script=script)
            runs += 1
            refused += bool(found.errors)
            errors.update(each.rpartition(": ")[2] for each in found.errors)
            how = "lasting" if lasting else "once"
            wrong += [f"{nth} {how}: {each}" for each in found.wrong]
    return {
        "calls": clean.calls,
        "runs": runs,
        "with_errors": refused,
        "errors": dict(errors.most_common()),
        "wrong": len(wrong),
        "wrong_how": wrong[:20],
    }


def measure(count: int, _seed: int) -> dict[str, object]:
    """Try at most so many n of each kind, 0 for every one both ways, and some by the control."""
    with short_lived("io") as base:
        warm_up(base)
        kinds = {kind: tried(base, kind, count) for kind in CODES}
        control = tried(base, "write", _CONTROLS, script=planted)
    return {"kinds": kinds, "control": control}
