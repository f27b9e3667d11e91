"""From an empty file to the newest schema, whole steps only."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from vstash.errors import StoreForeignError, StoreNewerError
from vstash.store.connection import APPLICATION_ID, create_file, fetch, open_writer
from vstash.store.migrate import Migration, identify, known_migrations, migrate
from vstash.store.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[3]
STEPS = (
    Migration(1, "first", "CREATE TABLE migration (version INTEGER PRIMARY KEY, name, sha256, "
              "applied_at); CREATE TABLE one (a); INSERT INTO one VALUES (1);"),
    Migration(2, "second", "CREATE TABLE two (b); INSERT INTO one VALUES (2);"),
)  # fmt: skip


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """The write connection of an empty file."""
    create_file(tmp_path / "x.db")
    opened = open_writer(tmp_path / "x.db", busy_timeout_s=1, durability="full")
    yield opened
    opened.close()


def applied(connection: apsw.Connection) -> list[int]:
    """The versions recorded in the file."""
    return [row[0] for row in fetch(connection, "SELECT version FROM migration ORDER BY version")]


def test_numbers_start_at_one_without_gaps() -> None:
    """The shipped steps are 1, 2, 3 and so on, in files named after them."""
    steps = known_migrations()
    assert [step.version for step in steps] == list(range(1, len(steps) + 1))
    names = sorted(path.name for path in (ROOT / "migrations").glob("*.sql"))
    assert names == [f"{step.version:04}_{step.name}.sql" for step in steps]


def test_a_file_remembers_what_made_it(tmp_path: Path) -> None:
    """Each step is recorded with the hash of the very file that ships."""
    store = SqliteStore(tmp_path / "x.db")
    connection = apsw.Connection(str(tmp_path / "x.db"), flags=apsw.SQLITE_OPEN_READONLY)
    rows = fetch(connection, "SELECT version, name, sha256, applied_at > 0 FROM migration")
    assert rows == [
        (
            int(path.name[:4]),
            path.stem[5:],
            hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest(),
            1,
        )
        for path in sorted((ROOT / "migrations").glob("*.sql"))
    ]
    assert connection.pragma("user_version") == known_migrations()[-1].version
    connection.close()
    store.close()


def test_steps_are_applied_once_and_in_order(connection: apsw.Connection) -> None:
    """What a file has is not done again, what it lacks is."""
    migrate(connection, STEPS[:1])
    assert (applied(connection), identify(connection, 2)) == ([1], 1)
    migrate(connection, STEPS)
    migrate(connection, STEPS)
    assert (applied(connection), identify(connection, 2)) == ([1, 2], 2)
    assert fetch(connection, "SELECT a FROM one ORDER BY a") == [(1,), (2,)]
    assert connection.pragma("application_id") == APPLICATION_ID


def test_a_step_that_fails_leaves_the_step_before(connection: apsw.Connection) -> None:
    """An error in the middle of a step undoes all of it, version included."""
    migrate(connection, STEPS[:1])
    broken = Migration(2, "broken", "CREATE TABLE two (b); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(apsw.SQLError):
        migrate(connection, (STEPS[0], broken))
    assert not connection.in_transaction
    assert (applied(connection), identify(connection, 2)) == ([1], 1)
    assert fetch(connection, "SELECT name FROM sqlite_schema WHERE name = 'two'") == []
    migrate(connection, STEPS)
    assert applied(connection) == [1, 2]


CRASH = """
import os, sys
from pathlib import Path
from vstash.store.connection import create_file, open_writer
from vstash.store.migrate import Migration, migrate
path = Path(sys.argv[1])
create_file(path)
connection = open_writer(path, busy_timeout_s=1, durability="full")
connection.create_scalar_function("crash", lambda: os._exit(9), 0)
sql = sys.argv[2].split("|")
migrate(connection, [Migration(i, "step", text) for i, text in enumerate(sql, 1)])
os._exit(0)
"""


@pytest.mark.parametrize("crash", ["; SELECT crash();", ""], ids=["crash", "control"])
def test_a_crash_in_the_middle_leaves_the_old_state(tmp_path: Path, crash: str) -> None:
    """A process that dies inside a step leaves the schema before it; without, the one after."""
    path = tmp_path / "x.db"
    second = f"CREATE TABLE two (b){crash}; INSERT INTO one VALUES (2);"
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(path), f"{STEPS[0].sql}|{second}"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == (9 if crash else 0)
    connection = open_writer(path, busy_timeout_s=1, durability="full")
    assert applied(connection) == ([1] if crash else [1, 2])
    assert connection.pragma("user_version") == (1 if crash else 2)
    assert fetch(connection, "SELECT count(*) FROM one") == [(1 if crash else 2,)]
    connection.close()


def test_a_newer_file_is_told_from_a_foreign_one(connection: apsw.Connection) -> None:
    """A higher version with our mark is newer, another mark is foreign, none is empty."""
    assert identify(connection, 1) == 0
    connection.execute("CREATE TABLE bookmark (url)")
    with pytest.raises(StoreForeignError):
        identify(connection, 1)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 7")
    with pytest.raises(StoreNewerError, match="schema 7"):
        identify(connection, 6)
    assert identify(connection, 7) == 7


def test_an_installed_package_finds_its_own_migrations(tmp_path: Path) -> None:
    """In the layout of the wheel, where the folder is inside the package, that one is used."""
    package = tmp_path / "vstash"
    shutil.copytree(
        ROOT / "vstash", package, ignore=shutil.ignore_patterns("models", "__pycache__")
    )
    (package / "migrations").mkdir()
    (package / "migrations" / "0001_inside.sql").write_text("SELECT 1;", encoding="utf-8")
    (tmp_path / "migrations").mkdir()
    script = "from vstash.store.migrate import known_migrations as k; print(k()[0].name)"
    run = [sys.executable, "-c", script]
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(run, env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "inside"
    (package / "migrations" / "0001_inside.sql").unlink()
    gone = subprocess.run(run, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "InternalError" in gone.stderr
