"""A migration happens whole or not at all, once, after a copy, and an older vstash can go back to that copy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

import vstash
from tests.disks import mounted
from tests.faults.migrate_loop import dump, unpacked
from vstash import Memory
from vstash.errors import StoreForeignError, StoreFullError, StoreNewerError, VstashError
from vstash.store.migrate import known_migrations
from vstash.store.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[2]
LATEST = known_migrations()[-1].version


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of an earlier schema."""
    path = tmp_path / "data" / "x.db"
    unpacked(2, path)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="the child forks")
def test_a_crash_leaves_whole_steps(tmp_path: Path) -> None:
    """After each, the file is as a step left it, goes on from there, and the copy is as the file was.

    The control, a step that commits in its middle, leaves what is neither old nor new.
    """
    rows = tmp_path / "rows.jsonl"
    subprocess.run(
        [sys.executable, "-m", "tests.faults", "migration", "--count", "24", "--rows", str(rows)],
        check=True,
        timeout=60,
        cwd=ROOT,
        env=os.environ | {"VSTASH_CONFIG": os.devnull},
        capture_output=True,
    )
    figures = json.loads(rows.read_text(encoding="utf-8"))
    assert figures["crashes"] == 24
    assert figures["between"] == figures["unlike_uncrashed"] == figures["copies_unlike_old"] == []
    assert figures["control_between"]


def test_a_dry_run_changes_nothing(old: Path) -> None:
    """It says what would happen; not a byte changes and no file appears."""
    before = old.read_bytes()
    report = vstash.migrate(old, dry_run=True)
    assert (report.from_version, report.to_version, report.dry_run) == (2, LATEST, True)
    assert [step.version for step in report.steps] == list(range(3, LATEST + 1))
    assert (report.backup, report.bytes) == (None, len(before))
    assert old.read_bytes() == before
    assert [item.name for item in old.parent.iterdir()] == [old.name]


def test_a_dry_run_reads_what_stands_in_the_log(tmp_path: Path) -> None:
    """What another process wrote and did not move into the file yet counts."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake"):
        assert vstash.migrate(path, dry_run=True).from_version == LATEST


def test_it_does_what_the_dry_run_said(old: Path) -> None:
    """Same steps; the copy opens as the file was, private, and the second time there is nothing to do."""
    said, before = vstash.migrate(old, dry_run=True), dump(old)
    done = vstash.migrate(old)
    assert (done.steps, done.derived) == (said.steps, said.derived)
    assert done.backup is not None
    copy = old.parent / "backups" / done.backup
    assert dump(copy) == before
    if os.name == "posix":
        assert copy.stat().st_mode & 0o777 == 0o600
    again = vstash.migrate(old)
    assert (again.from_version, again.steps, again.derived, again.backup) == (LATEST, (), (), None)
    assert len(list(copy.parent.iterdir())) == 1


def test_opening_makes_the_copy_too(old: Path) -> None:
    """Whoever opens the file has the way back; a new file and one that is up to date make none."""
    before = dump(old)
    with Memory(old, model="fake") as memory:
        assert memory.check().ok
    (copy,) = (old.parent / "backups").iterdir()
    assert dump(copy) == before
    Memory(old.parent / "new" / "y.db", model="fake").close()
    Memory(old.parent / "new" / "y.db", model="fake").close()
    assert not (old.parent / "new" / "backups").exists()


def test_without_a_copy_where_asked(old: Path) -> None:
    """`backup=False` makes none."""
    assert vstash.migrate(old, backup=False).backup is None
    assert [item.name for item in old.parent.iterdir()] == [old.name]


def test_rules_alone_need_no_copy(tmp_path: Path) -> None:
    """Where only words are derived anew the text is untouched: no copy is made."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add("The port is 8090.", key="a")
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("UPDATE meta SET value = 1 WHERE name = 'normaliser'")
        connection.execute("DELETE FROM posting")
    assert vstash.migrate(path, dry_run=True).derived == ("words",)
    report = vstash.migrate(path)
    assert (report.steps, report.derived, report.backup) == ((), ("words",), None)
    with Memory(path, model="fake") as memory:
        assert memory.check().ok


@pytest.fixture
def tight_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk on which a file of more than a megabyte has no room beside itself, where this user may mount one."""
    disk = tmp_path / "disk"
    with mounted(disk, "size=2000k") as done:
        if not done:
            pytest.skip("only root may mount a disk")
        yield disk


def test_no_room_for_the_copy(tight_disk: Path) -> None:
    """It is refused before anything was changed, with the bytes that it takes and the way out, which works."""
    path = tight_disk / "x.db"
    unpacked(4, path)
    with closing(apsw.Connection(str(path))) as connection:
        # Pages that are free: the migration itself has room.
        connection.execute(
            "CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(600000)); DROP TABLE filler"
        )
    before = path.read_bytes()
    for opening in (lambda: Memory(path, model="fake"), lambda: vstash.migrate(path)):
        with pytest.raises(StoreFullError, match=f"takes {len(before):,} bytes") as caught:
            opening()
        assert "vstash migrate --no-backup" in caught.value.message
    assert path.read_bytes() == before
    vstash.migrate(path, backup=False)
    with Memory(path, model="fake") as memory:
        assert memory.check().ok


def test_who_opens_meanwhile_waits_and_does_not_migrate_again(old: Path) -> None:
    """The second waits for the first, finds the work done, and makes no copy of its own."""
    began, copies = threading.Event(), []

    def slowly(path: Path) -> None:
        copies.append(path)
        began.set()
        time.sleep(0.3)

    def first() -> None:
        SqliteStore(old, before_migration=slowly).close()

    thread = threading.Thread(target=first)
    thread.start()
    assert began.wait(20)
    second = SqliteStore(old, before_migration=copies.append)
    thread.join()
    with second.read() as reader:
        assert reader.counts().schema_version == LATEST
    second.close()
    assert copies == [old]


def test_a_memory_notices_that_a_newer_vstash_came(tmp_path: Path) -> None:
    """Once the file has a later schema, one that is open reads and writes nothing more of it."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add("The port is 8090.", key="a")
        assert memory.search("port").hits
        with closing(apsw.Connection(str(path))) as connection:
            connection.execute(f"PRAGMA user_version = {LATEST + 1}")
        for call in (
            lambda: memory.search("port"),
            lambda: memory.get(key="a"),
            lambda: memory.add("more", key="b"),
            lambda: memory.delete(key="a"),
        ):
            with pytest.raises(StoreNewerError):
                call()
        with closing(apsw.Connection(str(path))) as connection:
            connection.execute(f"PRAGMA user_version = {LATEST}")
        assert [item.key for item in memory.list().items] == ["a"]


def test_a_schema_made_by_other_steps_is_not_built_upon(old: Path) -> None:
    """Where a recorded step is not the one that ships, nothing is changed; the same file otherwise is."""
    with closing(apsw.Connection(str(old))) as connection:
        (sha256,) = connection.execute("SELECT sha256 FROM migration WHERE version = 2").fetchall()[
            0
        ]
        connection.execute("UPDATE migration SET sha256 = 'other' WHERE version = 2")
    before = old.read_bytes()
    for opening in (
        lambda: vstash.migrate(old, dry_run=True),
        lambda: vstash.migrate(old),
        lambda: Memory(old, model="fake"),
    ):
        with pytest.raises(StoreForeignError, match="2 codes_and_queue"):
            opening()
    assert old.read_bytes() == before
    with closing(apsw.Connection(str(old))) as connection:
        connection.execute("UPDATE migration SET sha256 = ? WHERE version = 2", (sha256,))
    assert vstash.migrate(old).to_version == LATEST


@pytest.mark.parametrize("how", ["dry run", "run"])
def test_newer_foreign_and_missing_files_are_told(tmp_path: Path, how: str) -> None:
    """Each by its own error, and each stays as it is."""
    newer = tmp_path / "newer.db"
    with Memory(newer, model="fake") as memory:
        memory.add("The port is 8090.", key="a")
    with closing(apsw.Connection(str(newer))) as connection:
        connection.execute("PRAGMA user_version = 9000")
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"no database at all " * 1000)
    for path, code in ((newer, "store_newer"), (noise, "store_foreign")):
        before = path.read_bytes()
        with pytest.raises(VstashError) as caught:
            vstash.migrate(path, dry_run=how == "dry run")
        assert (caught.value.code, path.read_bytes()) == (code, before)
    with pytest.raises(VstashError) as caught:
        vstash.migrate(tmp_path / "absent.db", dry_run=how == "dry run")
    assert caught.value.code == "path_not_found"
