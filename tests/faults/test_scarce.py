"""What the system may run out of, one thing at a time."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import apsw
import pytest

from tests import disks
from tests.faults.conftest import ROOT
from vstash import Memory
from vstash.errors import StoreFullError


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a disk in memory with the options given, where this user may."""
    with ExitStack() as ended:

        def mount(options: str) -> Path:
            disk = tmp_path / "disk"
            if not ended.enter_context(disks.mounted(disk, options)):
                pytest.skip("only root may mount a disk")
            return disk

        yield mount


def test_no_thread_to_be_had(tmp_path: Path) -> None:
    """Without threads searches answer and are not logged, work is done by the caller, jobs wait."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("scarce_child.py")), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "VSTASH_CONFIG": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "hits": 1,
        "dropped": 1,
        "embedded": 1,
        "ingested": 1,
        "job": "queued",
        "verdict": "helpful",
        "job_later": "done",
        "findings": 0,
    }


def test_a_disk_without_room_for_one_more_file(mounted: Callable[[str], Path]) -> None:
    """A file that cannot be made for want of space says so."""
    disk = mounted("size=4m,nr_inodes=2")
    (disk / "last").touch()
    with pytest.raises(StoreFullError):
        Memory(disk / "x.db", model="fake")


def test_a_file_on_a_full_disk_opens_once_there_is_room(mounted: Callable[[str], Path]) -> None:
    """Opening needs a little space, for what processes share: it says so, and then it works."""
    disk = mounted("size=4m")
    with Memory(disk / "x.db", model="fake") as memory:
        memory.add("amber", key="first")
    with pytest.raises(OSError, match="No space"):
        (disk / "ballast").write_bytes(bytes(4 * 2**20))
    with pytest.raises(StoreFullError):
        Memory(disk / "x.db", model="fake")
    (disk / "ballast").unlink()
    with Memory(disk / "x.db", model="fake") as memory:
        assert memory.get(key="first").text == "amber"


def test_a_process_that_died_while_it_made_the_file(tmp_path: Path) -> None:
    """What it left half done, with the journal to undo it, is undone, and the file can be used."""
    making = tmp_path / "making.db"
    connection = apsw.Connection(str(making))
    connection.execute("PRAGMA cache_size = 1; BEGIN; CREATE TABLE half (done)")
    connection.executemany("INSERT INTO half VALUES (zeroblob(?))", [(4000,)] * 50)
    left = tmp_path / "left.db"
    for end in ("", "-journal"):
        written = making.with_name(making.name + end).read_bytes()
        left.with_name(left.name + end).write_bytes(written)
    connection.close()
    assert left.stat().st_size > 0
    assert left.with_name("left.db-journal").stat().st_size > 0
    with Memory(left, model="fake") as memory:
        memory.add("amber", key="first")
        assert memory.check().ok


def test_new_folders_survive_a_power_loss(tmp_path: Path) -> None:
    """Each folder that gets a new entry is synced, up to the first that was there before."""
    if shutil.which("strace") is None:
        pytest.skip("strace shows what is synced")
    traced = tmp_path / "trace.txt"
    path = tmp_path / "new" / "deep" / "x.db"
    script = f"from vstash import Memory\nMemory({str(path)!r}, model='fake').close()"
    command = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-o", str(traced)]
    done = subprocess.run(
        [*command, sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(ROOT), "VSTASH_CONFIG": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if not path.exists():
        pytest.skip(f"this user may not trace: {done.stderr}")
    synced = set(re.findall(r"sync\(\d+<([^>]*)>\) += 0", traced.read_text(encoding="utf-8")))
    assert {str(tmp_path), str(tmp_path / "new"), str(path.parent)} <= synced
