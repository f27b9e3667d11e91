"""Scheduled backups: when one is due, how many are kept, and what happens when one fails."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from vstash import Memory, NewDocument
from vstash.errors import FieldError
from vstash.pipeline.engine import Engine, open_engine
from vstash.settings import Settings
from vstash.store.temporary import temporary

HOUR = 3_600
START = 1_800_000_000


@dataclass
class Clock:
    """A clock that the tests turn; in seconds."""

    now: int = START

    def __call__(self) -> int:
        """In microseconds."""
        return self.now * 1_000_000


@pytest.fixture
def clock() -> Clock:
    """At its start."""
    return Clock()


@pytest.fixture
def engine(tmp_path: Path, clock: Clock) -> Iterator[Engine]:
    """An open file with a document."""
    found = open_engine(tmp_path / "x.db", model="fake", settings=Settings(), clock=clock)
    found.writing.add(NewDocument("The lamp."))
    yield found
    found.close()


def names(engine: Engine) -> list[str]:
    """The backups in the folder."""
    return sorted(path.name for path, _ in engine.backups.files())


def test_one_is_made_each_time_it_is_due(engine: Engine, clock: Clock) -> None:
    """Not before so long has passed, and the newest are kept; what was asked for stays."""
    asked = engine.backups.make(None)
    for number in range(5):
        clock.now += HOUR
        engine.writing.add(NewDocument(f"The door {number}."))
        made = engine.schedule.back_up(every_s=HOUR, keep=2)
        assert made is not None
        assert (made.reason, made.documents) == ("scheduled", number + 2)
        clock.now += HOUR - 1
        engine.writing.add(NewDocument("The door.", key="door"))
        assert engine.schedule.back_up(every_s=HOUR, keep=2) is None
        engine.writing.delete(None, key="door", collection=None)
        clock.now -= HOUR - 1
    found = engine.backups.listed()
    assert [info.reason for info in found] == ["scheduled", "scheduled", None]
    assert [info.documents for info in found[:2]] == [6, 5]
    assert found[-1] == asked


def test_nothing_new_is_no_backup(engine: Engine, clock: Clock) -> None:
    """Where nothing changed none is made; a key that was made is a change."""
    assert engine.schedule.back_up(every_s=HOUR, keep=3) is not None
    clock.now += 10 * HOUR
    assert engine.schedule.back_up(every_s=HOUR, keep=3) is None
    engine.keys.create("laptop", scope="read", collection=None, expires_at=None)
    assert engine.schedule.back_up(every_s=HOUR, keep=3) is not None


def test_several_processes_keep_one_schedule(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    """What another one made counts, also one that is being made; what was killed does not."""
    other = open_engine(tmp_path / "x.db", model="fake", settings=Settings(), clock=clock)
    assert engine.schedule.back_up(every_s=HOUR, keep=3) is not None
    assert other.schedule.back_up(every_s=HOUR, keep=3) is None
    other.writing.add(NewDocument("The door."))
    clock.now += HOUR
    target = engine.backups.folder / "x-20270115T090000Z-scheduled.db"
    with temporary(target):
        assert other.schedule.back_up(every_s=HOUR, keep=3) is None
    assert other.schedule.back_up(every_s=HOUR, keep=3) is not None
    other.close()


def test_a_clock_that_was_wrong(engine: Engine, clock: Clock) -> None:
    """A backup of the future holds nothing up, and is not followed by one at each look."""
    clock.now += 1000 * HOUR
    assert engine.schedule.back_up(every_s=HOUR, keep=5) is not None
    clock.now = START
    engine.writing.add(NewDocument("The door."))
    assert engine.schedule.back_up(every_s=HOUR, keep=5) is not None
    clock.now += 1
    engine.writing.add(NewDocument("The window."))
    assert engine.schedule.back_up(every_s=HOUR, keep=5) is None
    assert len(names(engine)) == 2


def test_those_of_a_wrong_clock_take_no_places(engine: Engine, clock: Clock) -> None:
    """However many there are of the future, those of today are kept."""
    for hour in (1000, 1001, 1002):
        clock.now = START + hour * HOUR
        engine.writing.add(NewDocument(f"The door {hour}."))
        assert engine.schedule.back_up(every_s=HOUR, keep=2) is not None
    future = names(engine)
    for hour in range(4):
        clock.now = START + hour * HOUR
        engine.writing.add(NewDocument(f"The window {hour}."))
        made = engine.schedule.back_up(every_s=HOUR, keep=2)
        assert made is not None
        assert made.name in names(engine)
    assert len(set(names(engine)) - set(future)) == 2
    assert len(future) == 2


def test_files_of_one_name_share_a_folder(tmp_path: Path, clock: Clock) -> None:
    """Each has its own schedule, and none removes what is another's."""
    settings = Settings(backup_folder=str(tmp_path / "backups"))
    engines = []
    for folder in ("work", "home"):
        path = tmp_path / folder / "x.db"
        engines.append(open_engine(path, model="fake", settings=settings, clock=clock))
    made: list[list[str]] = [[], []]
    for hour in range(3):
        for place, each in enumerate(engines):
            clock.now = START + hour * HOUR + 60 * place
            each.writing.add(NewDocument(f"The door {hour}."))
            backup = each.schedule.back_up(every_s=HOUR, keep=2)
            assert backup is not None, (hour, place)
            made[place].append(backup.name)
            assert each.schedule.back_up(every_s=HOUR, keep=2) is None
    assert names(engines[0]) == sorted(made[0][1:] + made[1][1:])
    for each in engines:
        each.close()


@pytest.mark.parametrize(("every_s", "keep"), [(0, 1), (1e9, 1), (1, 0), (1, 10**6)])
def test_out_of_range(engine: Engine, every_s: float, keep: int) -> None:
    """What cannot be a schedule is refused."""
    with pytest.raises(FieldError):
        engine.schedule.back_up(every_s=every_s, keep=keep)
    assert names(engine) == []


def test_foreign_files_are_left_alone(engine: Engine) -> None:
    """They are not listed; one of our name that cannot be read is, without its numbers."""
    engine.backups.folder.mkdir()
    for name in ("notes.txt", "y-20270115T080000Z.db", "x-20279999T080000Z.db", "x.db"):
        (engine.backups.folder / name).write_text("mine", encoding="utf-8")
    assert engine.backups.listed() == ()
    (engine.backups.folder / "x-20260115T080000Z-repair.db").write_text("torn", encoding="utf-8")
    (info,) = engine.backups.listed()
    assert (info.reason, info.documents, info.chunks, info.schema_version) == (
        "repair",
        None,
        None,
        None,
    )


def test_a_failure_is_told_and_mended(tmp_path: Path) -> None:
    """While backups fail the health says so; they go on by themselves once they can."""
    folder = tmp_path / "folder"
    folder.write_text("in the way", encoding="utf-8")
    settings = Settings(backup_every=1, backup_folder=str(folder))
    with Memory(tmp_path / "x.db", model="fake", settings=settings) as memory:
        memory.add("The lamp.")
        memory.back_up_in_background()
        until(lambda: memory.health().status == "degraded")
        assert memory.health().reasons[0].startswith("backup_failed: ")
        assert memory.gauges().backup_age_s is None
        folder.unlink()
        until(lambda: memory.health().status == "ready")
        assert memory.backups()[0].documents == 1
        age = memory.gauges().backup_age_s
        assert age is not None
        assert age < 60


def until(reached: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if reached():
            return
        time.sleep(0.05)
    raise AssertionError("it never was")


def test_hidden_files_of_others_stay(tmp_path: Path) -> None:
    """Old ones too, that have names of their own; what a process that was killed left goes."""
    others = (".film.part", ".my.partition.txt", ".x.db.partial", ".x.db.0123456789-1-2.part")
    left = ".x.db.0123456789-1-0123abcd.part"
    for name in (*others, left, f"{left}-wal"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
        os.utime(tmp_path / name, (time.time() - 200_000,) * 2)
    with temporary(tmp_path / "y.db"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)
