"""Ends a process at every point of a migration: the file is as before a step or as after it, and goes on from there."""

from __future__ import annotations

import hashlib
import lzma
import os
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

# Before numpy: a process that is forked should have one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import apsw

from vstash import VstashError
from vstash.pipeline.engine import open_engine
from vstash.settings import Settings
from vstash.store.connection import fetch
from vstash.store.migrate import Migration, identify, known_migrations, migrate

LEGACY = Path(__file__).resolve().parents[1] / "legacy"
CRASHED = 9


@dataclass(slots=True)
class Figures:
    """What a run of the loop saw."""

    crashes: int = 0
    between: list[str] = field(default_factory=list)
    unlike_uncrashed: list[str] = field(default_factory=list)
    copies_unlike_old: list[str] = field(default_factory=list)


def dump(path: Path) -> dict[str, str]:
    """Every table with a digest of its rows, and the schema; the time of a migration left out."""
    found: dict[str, str] = {}
    with closing(apsw.Connection(str(path))) as connection:
        for name, sql in fetch(connection, "SELECT name, coalesce(sql, '') FROM sqlite_schema"):
            rows: list[object] = [sql]
            if sql.startswith("CREATE TABLE"):
                columns = [
                    column[1]
                    for column in connection.execute(f'PRAGMA table_info("{name}")')
                    if column[1] != "applied_at"
                ]
                listed = ", ".join(f'"{column}"' for column in columns)
                rows += connection.execute(f'SELECT {listed} FROM "{name}" ORDER BY {listed}')
            found[name] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return found


def unpacked(schema: int, path: Path) -> None:
    """A fresh copy of the file of a schema."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(lzma.decompress((LEGACY / f"schema-{schema}.db.xz").read_bytes()))


def version_of(path: Path) -> int:
    """The schema of a file."""
    with closing(apsw.Connection(str(path))) as connection:
        return identify(connection, 1_000)


def opened(path: Path, crash_point: Callable[[str], None]) -> None:
    """Bring a file up to date, as whoever opens it does."""
    open_engine(path, model="fake", settings=Settings(), crash_point=crash_point).close()


def points_of(path: Path) -> list[str]:
    """The points that an undisturbed migration passes, in order."""
    passed: list[str] = []
    opened(path, passed.append)
    return passed


def crashed_at(path: Path, nth: int) -> int:
    """Migrate in a process that ends at its nth point; returns its exit code."""
    child = os.fork()
    if not child:
        left = [nth]

        def crash_point(_name: str) -> None:
            left[0] -= 1
            if not left[0]:
                os._exit(CRASHED)

        opened(path, crash_point)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def states(folder: Path, schema: int) -> dict[int, dict[str, str]]:
    """The file of a schema as each step leaves it."""
    found = {}
    for last in range(schema, known_migrations()[-1].version + 1):
        path = folder / f"state-{last}.db"
        unpacked(schema, path)
        with closing(apsw.Connection(str(path))) as connection:
            migrate(connection, known_migrations()[:last])
        found[last] = dump(path)
    return found


def in_two(step: Migration) -> Migration:
    """The control: a step whose statements are committed in two transactions."""
    first, _, rest = step.sql.partition(";\n")
    return replace(step, sql=f"{first};\nCOMMIT;\nBEGIN IMMEDIATE;\n{rest}")


def loop(folder: Path, schema: int, chosen: Callable[[int], Sequence[int]]) -> Figures:
    """Crash at the chosen points of the migration from a schema, and look at each file."""
    folder.mkdir()
    whole = states(folder, schema)
    unpacked(schema, folder / "done.db")
    points = points_of(folder / "done.db")
    done = dump(folder / "done.db")
    figures = Figures()
    for nth in chosen(len(points)):
        name = f"{schema} {nth} {points[nth - 1]}"
        path = folder / str(nth) / "x.db"
        unpacked(schema, path)
        figures.crashes += crashed_at(path, nth) == CRASHED
        version = version_of(path)
        # From the last step on only what is derived changes, in one transaction.
        if dump(path) not in (whole[version], done):
            figures.between.append(name)
        with suppress(VstashError):
            opened(path, lambda _name: None)
        if dump(path) != done:
            figures.unlike_uncrashed.append(name)
        copies = sorted((path.parent / "backups").glob("x-*-migration.db"))
        if not copies or dump(copies[0]) != whole[schema]:
            figures.copies_unlike_old.append(name)
    return figures


def measure(count: int, seed: int) -> dict[str, object]:
    """Crash at so many points of the migrations from every schema, and the control at all of one."""
    rng = random.Random(seed)
    schemas = [step.version for step in known_migrations()[:-1]]
    total = Figures()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        share = -(-count // len(schemas))

        def some(points: int) -> Sequence[int]:
            return sorted(rng.sample(range(1, points + 1), min(share, points)))

        for schema in schemas:
            found = loop(folder / f"from-{schema}", schema, some)
            total.crashes += found.crashes
            total.between += found.between
            total.unlike_uncrashed += found.unlike_uncrashed
            total.copies_unlike_old += found.copies_unlike_old
        planted = _control(folder / "control", schemas[-1])
    return {
        "crashes": total.crashes,
        "between": total.between,
        "unlike_uncrashed": total.unlike_uncrashed,
        "copies_unlike_old": total.copies_unlike_old,
        "control_between": planted.between,
    }


def _control(folder: Path, schema: int) -> Figures:
    *sound, last = known_migrations()
    # In the store alone: the states to compare with are those of the sound steps.
    with patch("vstash.store.sqlite.known_migrations", lambda: (*sound, in_two(last))):
        return loop(folder, schema, lambda points: range(2, min(points, 11)))
