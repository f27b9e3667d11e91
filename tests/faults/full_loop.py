"""Fill the disk, look what vstash makes of it, make room, and look again, all on the same open object.

The disk is full in four ways: a small disk of its own (where this user may mount one), a limit on the size of
files, a limit on the pages of the file, and calls that say so. `python -m tests.faults full` prints what came of each.
"""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

# Before numpy: a process that is forked should have one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from tests.disks import mounted
from tests.faults.children import examined, look, run_in_child, short_lived, warm_up
from tests.faults.disk import Failing, lay_over
from tests.faults.steps import Effect, Facts, Step, hasty, scripted, with_change
from tests.unit.api.service import Service, running
from vstash import Memory, VstashError
from vstash.errors import StoreFullError
from vstash.settings import Settings

__all__ = ["WAYS", "Filled", "filled", "measure", "served"]

_NAME: Final = "full.db"
_DISK_BYTES: Final = 4 * 2**20
_ROOM_BYTES: Final = 256 * 1024
_MOST: Final = 300
# What a step may be answered on a full disk: what earlier ones should have made is not there.
_EXPECTED: Final = {"store_full", "search_not_found", "document_not_found", "key_not_found"}


@dataclass(slots=True)
class Filled:
    """What came of it.

    Attributes:
        added: Documents until it was full.
        refused: Steps that were refused for want of space.
        dropped: Searches that were answered and not logged.
        wrong: What must not be.
    """

    added: int = 0
    refused: int = 0
    dropped: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Space:
    """How much of it there is: both are called with the open object."""

    shrink: Callable[[Memory], None]
    grow: Callable[[Memory], None]


def on_small_disk(disk: Path) -> Space:
    """All there is on a disk, but for a file that makes room when it goes."""
    ballast = disk / "ballast"

    def shrink(_memory: Memory) -> None:
        ballast.write_bytes(bytes(_DISK_BYTES // 4))

    return Space(shrink, lambda _memory: ballast.unlink())


def by_size(disk: Path) -> Space:
    """No file may be larger than a limit of the process."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)

    def shrink(_memory: Memory) -> None:
        size = max(each.stat().st_size for each in disk.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + _ROOM_BYTES, most))

    return Space(shrink, lambda _memory: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))


def by_pages(_disk: Path) -> Space:
    """The database may not have more pages."""

    def limit(memory: Memory, more: int) -> None:
        writer = memory._engine.store._write_connection()  # type: ignore[attr-defined]
        writer.pragma("max_page_count", writer.pragma("page_count") + more)

    return Space(lambda memory: limit(memory, 10), lambda memory: limit(memory, 100_000))


def by_call(_disk: Path) -> Space:
    """Every write says that there is no space."""
    failing = Failing("full", 0, lasting=True)
    lay_over(failing)
    return Space(lambda _memory: failing.begin(), lambda _memory: failing.heal())


WAYS: Final[dict[str, Callable[[Path], Space]]] = {
    "disk": on_small_disk,
    "size": by_size,
    "pages": by_pages,
    "call": by_call,
}


class _Run:
    """One run in its child."""

    def __init__(self, disk: Path, files: Path, space: Space) -> None:
        self._path = disk / _NAME
        self._files = files
        self._space = space
        self._facts: Facts = {}
        self.seen = Filled()

    def all(self, steps: Sequence[Step]) -> Filled:
        """Fill, do the steps, make room, do those again that were refused, close and look."""
        with self._opened() as memory:
            self._tried(memory, steps[0])
            self._space.shrink(memory)
            self._fill(memory)
            refused = [step for step in steps[1:] if not self._tried(memory, step)]
            self._read(memory)
            self.seen.dropped = memory.stats().log_dropped
            self.seen.refused += len(refused)
            self._space.grow(memory)
            for step in refused:
                if not self._tried(memory, step):
                    self._wrong(step.name, "there is room again, and it is refused")
        found = examined(self._path, write=True)
        self.seen.wrong += found.findings
        if found.facts != self._facts:
            self._wrong("end", "the file does not hold what was acknowledged")
        return self.seen

    def _opened(self) -> Memory:
        return Memory(self._path, settings=Settings(model="fake"))

    def _fill(self, memory: Memory) -> None:
        """Add ever less until nothing fits."""
        for words in (500, 5):
            while self.seen.added < _MOST and self._tried(memory, self._added(words)):
                self.seen.added += 1
        if self.seen.added == _MOST:
            self._wrong("fill", "it was never full")

    def _added(self, words: int) -> Step:
        key = f"key{self.seen.added}"
        text = f"{key} " + "cedar " * words
        return Step(
            "fill",
            lambda memory: memory.add(text, key=key),
            Effect({f"document default/{key}": f"|{text}"}),
        )

    def _tried(self, memory: Memory, step: Step) -> bool:
        """Do a step; returns whether it was done."""
        try:
            step.run(memory)
        except VstashError as error:
            if error.code not in _EXPECTED or step.reads:
                self._wrong(step.name, f"{error.code} {error.local_detail}")
            return False
        except Exception as error:  # noqa: BLE001 - what is no error of ours is wrong
            self._wrong(step.name, repr(error))
            return False
        self._facts = with_change(self._facts, step.effect.change)
        return True

    def _read(self, memory: Memory) -> None:
        """Everything that only reads goes on, and what was refused left nothing."""
        try:
            found = examined(self._path)
            for mode in ("hybrid", "vector", "keyword"):
                if not memory.search("port", mode=mode, log=False).hits:
                    self._wrong(mode, "finds nothing")
        except VstashError as error:
            self._wrong("read", error.code)
            return
        self.seen.wrong += found.findings
        if found.facts != self._facts:
            self._wrong("full", "the file does not hold what was acknowledged")
        if not memory.check().ok:
            self._wrong("full", "the check finds something")
        self._make_another()

    def _make_another(self) -> None:
        """A new file is made, or refused by name."""
        other = self._path.with_name("new.db")
        try:
            Memory(other, settings=Settings(model="fake")).close()
        except StoreFullError:
            self.seen.refused += 1
        except Exception as error:  # noqa: BLE001 - any other is wrong
            self._wrong("new", repr(error))
        for each in other.parent.glob("new.db*"):
            each.unlink()

    def _wrong(self, name: str, what: str) -> None:
        self.seen.wrong.append(f"{name}: {what}")


@contextmanager
def small_disk(base: Path, way: str) -> Iterator[Path | None]:
    """A folder, which for ``disk`` is a small disk; None where this user may not mount one."""
    disk = base / f"disk-{way}"
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir()
    if way != "disk":
        yield disk
        return
    with mounted(disk, f"size={_DISK_BYTES}") as done:
        yield disk if done else None


def filled(base: Path, way: str, *, planted: bool = False) -> Filled | None:
    """Fill a disk in one way.

    Args:
        base: Where a folder is made for it.
        way: A key of `WAYS`.
        planted: Whether by the control.

    Returns:
        None where this user may not mount a disk.
    """
    with small_disk(base, way) as disk:
        if disk is None:
            return None
        files = base / "files"
        files.mkdir(exist_ok=True)

        def work() -> Filled:
            steps = scripted(files)
            return _Run(disk, files, WAYS[way](disk)).all(
                hasty(steps, StoreFullError) if planted else steps
            )

        ended = run_in_child(work)
        found = ended.value if isinstance(ended.value, Filled) else Filled()
        if ended.value is None:
            found.wrong.append(str(ended))
        found.wrong += look(disk / _NAME).findings
    return found


def served(base: Path) -> dict[str, object]:
    """Fill the disk under a service: what it answers meanwhile, and once there is room again."""
    with small_disk(base, "disk") as disk:
        way = "size" if disk is None else "disk"
        folder = base / "disk-disk" if disk is None else disk

        def work() -> dict[str, object]:
            with running(folder) as service:
                return _asked(service, WAYS[way](folder))

        ended = run_in_child(work)
    found = ended.value if isinstance(ended.value, dict) else {}
    return {"way": way, "exit": ended.code, **found}


def _asked(service: Service, space: Space) -> dict[str, object]:
    space.shrink(service.memory)
    added = 0
    answer = service.http.get("/v1/documents")
    while answer.is_success and added < _MOST:
        body = {"text": f"{added} " + "cedar " * 500, "key": f"key{added}"}
        answer = service.http.post("/v1/documents", json=body)
        added += answer.is_success
    seen: dict[str, object] = {
        "added": added,
        "refused": answer.status_code,
        "code": answer.json().get("code"),
        "search": service.http.post("/v1/search", json={"query": "cedar"}).status_code,
        "list": service.http.get("/v1/documents").status_code,
    }
    space.grow(service.memory)
    body = {"text": "there is room again", "key": "room"}
    seen["again"] = service.http.post("/v1/documents", json=body).status_code
    keys = [document.key for document in service.memory.list(limit=1000).items]
    seen["lost"] = added + 1 - len(keys)
    seen["findings"] = len(service.memory.check().findings)
    return seen


def measure(_count: int, _seed: int) -> dict[str, object]:
    """Fill it in every way, under a service too, and by the control."""
    rows: dict[str, object] = {}
    with short_lived("full") as base:
        warm_up(base)
        for way in WAYS:
            rows[way] = _row(filled(base, way))
        rows["service"] = served(base)
        rows["control"] = _row(filled(base, "call", planted=True))
    return rows


def _row(found: Filled | None) -> object:
    return None if found is None else asdict(found)
