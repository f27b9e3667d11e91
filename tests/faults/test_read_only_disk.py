"""On a disk that is mounted for reading only a file is searched, and everything else is refused by name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import vstash
from tests.disks import mount, mounted
from tests.faults.migrate_loop import unpacked
from vstash import Memory
from vstash.errors import StoreReadOnlyError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mount of Linux")

TEXT = "The port of the staging server is 8090."


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A disk with a file of today's schema and one of an earlier, to be mounted as ``ro`` or ``rw``."""
    place = tmp_path / "disk"

    def again(how: str) -> Path:
        assert mount(place, f"remount,{how}")
        return place

    with mounted(place, "size=64m") as done:
        if not done:
            pytest.skip("only root may mount a disk")
        with Memory(place / "x.db", model="fake") as memory:
            memory.add(TEXT, key="staging")
        unpacked(4, place / "old" / "x.db")
        yield again


@pytest.mark.parametrize("how", ["ro", "rw"])
def test_it_is_read(disk: Callable[[str], Path], how: str) -> None:
    """Searches and the check go on and a write is refused; the control, the same disk for writing, takes it."""
    with Memory(disk(how) / "x.db", model="fake") as memory:
        assert memory.search("port").hits[0].text == TEXT
        assert memory.check().ok
        assert memory.health().status == ("ready" if how == "rw" else "degraded")
        if how == "ro":
            with pytest.raises(StoreReadOnlyError):
                memory.add("more", key="more")
        else:
            assert memory.add("more", key="more").key == "more"


def test_a_file_that_needs_a_migration_is_refused(disk: Callable[[str], Path]) -> None:
    """It says why, a dry run says what would happen, and the file is as it was; for writing it is opened."""
    old = disk("ro") / "old" / "x.db"
    before = old.read_bytes()
    with pytest.raises(StoreReadOnlyError, match="migration"):
        Memory(old, model="fake")
    with pytest.raises(StoreReadOnlyError):
        vstash.migrate(old)
    assert vstash.migrate(old, dry_run=True).from_version == 4
    assert old.read_bytes() == before
    disk("rw")
    with Memory(old, model="fake") as memory:
        assert memory.check().ok


def test_no_file_is_made_there(disk: Callable[[str], Path]) -> None:
    """A new file, and a salvage into one, are refused by name; into another place the salvage works."""
    place = disk("ro")
    with pytest.raises(StoreReadOnlyError):
        Memory(place / "new.db", model="fake")
    with pytest.raises(StoreReadOnlyError):
        vstash.salvage(place / "x.db", place / "saved.db", model="fake")
    assert vstash.salvage(place / "x.db", place.parent / "saved.db", model="fake").whole == 1
