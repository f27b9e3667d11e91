"""A backup is whole or not there, and a restore is all old or all new, whatever kills them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import apsw
import pytest

import vstash
from tests.faults import backup_loop, restore_loop
from tests.faults.kill_loop import drained, forked
from vstash import Memory, NewDocument
from vstash.errors import (
    FieldError,
    OverwriteError,
    PathNotFoundError,
    StoreCorruptError,
    VstashError,
)
from vstash.pipeline.engine import open_engine
from vstash.store.backup import copied
from vstash.store.connection import create_file, open_writer
from vstash.store.migrate import known_migrations, migrate
from vstash.store.replacing import put_in_place
from vstash.upkeep import BackupProgress

CRASHED = 9
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
def test_backups_that_are_killed() -> None:
    """Every copy with its name is whole and of one moment; a plain copy of the file is not."""
    found = backup_loop.figures_of(4, 1)
    assert (found.backups, found.problems, found.left_behind) == (4, [], 0)
    assert found.finished >= 3
    assert backup_loop.figures_of(2, 1, backup_loop.copy_bytes).problems != []


@needs_fork
def test_restores_that_are_killed() -> None:
    """The file is as before or as the backup; a plain copy over it leaves neither."""
    found = restore_loop.figures_of(5, 1)
    assert (found.restores, found.problems, found.left_behind) == (5, [], 0)
    assert found.old + found.new == 5
    assert restore_loop.figures_of(1, 1, restore_loop.copy_bytes).problems != []


def crash_at(point: str) -> Callable[[str], None]:
    """A hook that ends the process at a point."""

    def reached(name: str) -> None:
        if name == point:
            os._exit(CRASHED)

    return reached


def crashed(run: Callable[[], object]) -> bool:
    """Whether a function ended its process at the point where it should."""

    def ignored() -> None:
        run()

    child, reading = forked(ignored)
    drained(reading, None)
    os.close(reading)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == CRASHED


def filled(path: Path, *keys: str) -> Path:
    """A file with a document for each key."""

    def fill() -> None:
        with Memory(path, model="fake") as memory:
            memory.add_batch([NewDocument(f"The {key}.", key=key) for key in keys])

    child, reading = forked(fill)
    drained(reading, None)
    os.close(reading)
    os.waitpid(child, 0)
    return path


def keys(path: Path) -> set[str]:
    """What a file holds, after its check."""
    with Memory(path, model="fake", create=False) as memory:
        assert memory.check().ok
        return {item.key for item in memory.list().items}


@needs_fork
@pytest.mark.parametrize("point", ["backup:copied", "backup:verified", "backup:named"])
def test_a_backup_that_crashes(tmp_path: Path, point: str) -> None:
    """There is no file of that name, or a whole one; the next backup clears what was left."""
    path = filled(tmp_path / "x.db", "lamp", "door")
    target = tmp_path / "copies" / "y.db"
    assert crashed(
        lambda: open_engine(path, model="fake", crash_point=crash_at(point)).store.backup(target)
    )
    left = [item.name for item in target.parent.iterdir()]
    assert target.exists() == (point == "backup:named")
    assert len(left) == 1
    with Memory(path, model="fake") as memory:
        memory.backup(target.with_name("z.db"))
    assert not any(item.name.startswith(".") for item in target.parent.iterdir())
    assert keys(target if target.exists() else target.with_name("z.db")) == {"lamp", "door"}


@needs_fork
@pytest.mark.parametrize(
    "point", ["restore:locked", "restore:kept", "restore:carried", "restore:done"]
)
def test_a_restore_that_crashes(tmp_path: Path, point: str) -> None:
    """The file is all old until it is all new."""
    path, backup = filled(tmp_path / "x.db", "old"), filled(tmp_path / "y.db", "new")

    def run() -> None:
        engine = open_engine(path, model="fake", crash_point=crash_at(point))
        engine.restoring.restore(backup, force=True)

    assert crashed(run)
    assert keys(path) == ({"new"} if point == "restore:done" else {"old"})
    vstash.restore(backup, path, force=True, model="fake")
    assert keys(path) == {"new"}
    assert list(tmp_path.glob(".*")) == []


@needs_fork
@pytest.mark.parametrize("point", ["restore:aside", "restore:cleared", "restore:replaced"])
def test_a_replacement_that_crashes(tmp_path: Path, point: str) -> None:
    """A file that cannot be opened stays whole under its other name, and can be replaced again."""
    path, backup = tmp_path / "x.db", filled(tmp_path / "y.db", "new")
    part = tmp_path / ".part"
    copied(backup, part)
    path.write_bytes(b"damaged" * 1000)
    path.with_name("x.db-wal").write_bytes(b"changes")
    now = vstash.times.read_time("2026-01-02T03:04:05Z")
    assert crashed(partial(put_in_place, part, path, now=now, crash_point=crash_at(point)))
    aside = next(tmp_path.glob("*-replaced.db"))
    assert aside.read_bytes() == b"damaged" * 1000
    assert aside.with_name(aside.name + "-wal").read_bytes() == b"changes"
    if point != "restore:replaced":
        assert path.read_bytes() == b"damaged" * 1000
        vstash.restore(backup, path, force=True, model="fake")
    assert keys(path) == {"new"}


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """A copy that does not fit is told as such, and the file works on; a size limit stands for the disk."""
    script = (
        "import resource, sys; from vstash import Memory, errors\n"
        "with Memory(sys.argv[1], model='fake') as memory:\n"
        "    memory.add('The lamp.', metadata={'x': 'y' * 60000})\n"
        "    import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, -1))\n"
        "    try: memory.backup(sys.argv[2])\n"
        "    except errors.StoreError as error: print(error.code)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))\n"
        "    memory.backup(sys.argv[2]); print(memory.check().ok)\n"
    )
    folder = tmp_path / "copies"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "x.db"), str(folder / "y.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() in (["store_full", "True"], ["store_io", "True"]), done.stderr
    assert [item.name for item in folder.iterdir()] == ["y.db"]


def test_a_damaged_file_is_not_backed_up_but_kept(tmp_path: Path) -> None:
    """A backup that would be as damaged as the file is refused; before a repair it is kept as it is."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add_batch([NewDocument(f"The lamp {n}.", key=str(n)) for n in range(200)])
    with apsw.Connection(str(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'text_part'")
        page = int(str(root.fetchone()[0]))  # type: ignore[index]
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 8192)
        file.write(b"\xff" * 4096)
    engine = open_engine(path, model="fake")
    try:
        with pytest.raises(StoreCorruptError):
            engine.backups.make(None)
        assert list((tmp_path / "backups").iterdir()) == []
        kept = engine.backups.before("repair")
    finally:
        engine.close()
    assert (tmp_path / "backups" / kept.name).stat().st_size == path.stat().st_size
    with pytest.raises(StoreCorruptError, match="backup is damaged"):
        vstash.restore(tmp_path / "backups" / kept.name, tmp_path / "new.db", model="fake")
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize(
    "damage",
    [
        "DROP TABLE job",
        "DROP TABLE access_key",
        "DROP TABLE meta",
        "DELETE FROM meta",
        "DELETE FROM model",
        "UPDATE meta SET value = 'x' WHERE name = 'change_counter'",
        "UPDATE meta SET value = 9223372036854775807 WHERE name = 'derived_anew'",
    ],
)
def test_a_file_that_lost_much_is_replaced(tmp_path: Path, damage: str) -> None:
    """It can be opened, or almost; the advice of every error, to restore a backup, works all the same."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add("The lamp.", key="lamp")
        made = memory.backup()
        memory.add("The door.", key="door")
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute(damage)
    with pytest.raises((OverwriteError, StoreCorruptError)):
        vstash.restore(made.name, path, model="fake")
    report = vstash.restore(made.name, path, model="fake", force=True)
    assert report.documents == 1
    assert report.kept is not None
    assert report.kept.endswith("-replaced.db")
    with Memory(path, model="fake") as memory:
        assert [each.key for each in memory.list().items] == ["lamp"]
        assert memory.check().findings == ()


def test_a_restore_while_vectors_are_made(tmp_path: Path) -> None:
    """A vector of what had a chunk's number before is not stored for what has it now."""
    path, copy = tmp_path / "x.db", tmp_path / "copy.db"
    with Memory(copy, model="fake") as memory:
        memory.add("The lamp.", embed="later")
    with Memory(path, model="fake") as memory, Memory(path, model="fake") as other:
        memory.add("The door.", embed="later")
        readying = memory._engine.embedding._readying
        embedded = readying.embedded

        def late(passages: list[str], digests: list[bytes]) -> object:
            found = embedded(passages, digests)
            if passages == ["The door."]:
                other.restore(copy, force=True)
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(readying, "embedded", late)
            assert memory.embed().embedded == 0
        assert memory.embed().embedded == 1
        assert memory.search("The lamp.", mode="vector").hits[0].vector_score == pytest.approx(1)


def test_who_closes_after_a_restore_leaves_one_file(tmp_path: Path) -> None:
    """The log is moved into the file, as after any other write."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("The lamp.")
        memory.restore(memory.backup().name, force=True)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backups", "x.db"]


def test_names_that_are_sqlites(tmp_path: Path) -> None:
    """A copy under one would be taken for changes of the file, and removed."""
    path = tmp_path / "x.db"
    target = tmp_path / "x.db-journal"
    with Memory(path, model="fake") as memory:
        memory.add("The lamp.")
        with pytest.raises(FieldError):
            memory.backup(target)
        with pytest.raises(PathNotFoundError):
            memory.restore(tmp_path / ("x" * 300), force=True)
    with pytest.raises(FieldError):
        vstash.salvage(path, target, model="fake")
    assert not target.exists()


@pytest.mark.parametrize("damaged", [True, False])
def test_one_moment_however_much_is_written(tmp_path: Path, *, damaged: bool) -> None:
    """A copy does not begin anew because of others, nor one that is made of a damaged file."""
    path, copy = tmp_path / "x.db", tmp_path / "copy.db"
    with Memory(path, model="fake") as memory, Memory(path, model="fake") as other:
        metadata = {"x": "y" * 30_000}
        memory.add_batch(
            [NewDocument("The lamp.", key=str(n), metadata=metadata) for n in range(150)]
        )
        seen: list[int] = []

        def write(done: int, _pages: int) -> None:
            if len(seen) < 20:
                other.add(f"The door {done}.", key=f"door {len(seen)}")
            seen.append(done)

        memory._engine.store.backup(copy, damaged=damaged, progress=write)
        assert seen == sorted(set(seen))
        assert len(seen) > 1
    with Memory(copy, model="fake") as memory:
        assert memory.stats().documents == 150


def test_others_see_a_restore_at_once(tmp_path: Path) -> None:
    """Another Memory and a reader under way: the one sees the new state, the other keeps its own."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory, Memory(path, model="fake") as other:
        memory.add_batch([NewDocument(f"The amber lamp {n}.", key=f"a{n}") for n in range(80)])
        made = memory.backup()
        key = memory.create_key("laptop")
        memory.delete(key="a7")
        memory.add_batch([NewDocument(f"The cedar door {n}.", key=f"d{n}") for n in range(80)])
        for each in (memory, other):
            assert each.search("cedar door 5", k=1).hits[0].document.key == "d5"
        with other._engine.store.read() as reader:
            assert reader.counts().documents == 159
            memory.restore(made.name, force=True)
            assert reader.counts().documents == 159
        for each in (memory, other):
            assert each.stats().documents == 80
            found = each.search("cedar door amber lamp 7", k=100).hits
            assert {hit.document.key for hit in found} <= {f"a{n}" for n in range(80)}
            assert each.search("lamp 7", k=1).hits[0].document.key == "a7"
            assert each.access(key.secret) is not None
        other.add("The cedar door.", key="again")
        assert memory.search("cedar door", k=1).hits[0].chunk.id > 160
        assert memory.check().ok


def test_a_restore_is_refused(tmp_path: Path) -> None:
    """Over documents without force, of another model's file, of no file of ours: nothing changes."""
    path = tmp_path / "x.db"
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"noise" * 5000)
    with Memory(path, model="fake") as memory:
        memory.add("The lamp.", key="lamp")
        made = memory.backup(tmp_path / "copy.db")
        with pytest.raises(OverwriteError):
            memory.restore(tmp_path / made.name)
        with pytest.raises(OverwriteError):
            memory.backup(tmp_path / made.name)
        for source in (noise, path, tmp_path / "none.db"):
            with pytest.raises(VstashError):
                memory.restore(source, force=True)
        assert [item.key for item in memory.list().items] == ["lamp"]
        assert memory.backups() == ()


def test_a_backup_is_given_up(tmp_path: Path) -> None:
    """An exception of who watches ends it, and nothing is left."""
    seen: list[BackupProgress] = []

    def watch(state: BackupProgress) -> None:
        seen.append(state)
        raise KeyboardInterrupt

    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("The lamp.")
        with pytest.raises(KeyboardInterrupt):
            memory.backup(progress=watch)
        assert seen[0].done <= seen[0].pages
        assert list((tmp_path / "backups").iterdir()) == []
        assert memory.backup().documents == 1


def test_a_newer_file_is_replaced(tmp_path: Path) -> None:
    """The way back from a newer vstash: its file goes aside, and a backup of before takes its place."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add("The lamp.", key="lamp")
        made = memory.backup()
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA user_version = 9000")
    connection.close()
    with pytest.raises(OverwriteError):
        vstash.restore(made.name, path, model="fake")
    told = vstash.restore(made.name, path, force=True, model="fake")
    assert told.kept is not None
    assert (tmp_path / told.kept).exists()
    assert keys(path) == {"lamp"}


def test_an_older_backup_is_brought_up_to_date(tmp_path: Path) -> None:
    """One of an earlier schema is migrated on its way in."""
    old = tmp_path / "old.db"
    create_file(old)
    connection = open_writer(old, busy_timeout_s=1, durability="full")
    migrate(connection, known_migrations()[:3])
    connection.close()
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("The lamp.")
        assert memory.restore(old, force=True).schema_version == 3
        assert memory.stats().schema_version == known_migrations()[-1].version
        assert memory.check().ok
        assert memory.stats().documents == 0
