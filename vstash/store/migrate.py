"""Bringing a file to the schema that this vstash knows."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import apsw

from vstash.errors import InternalError, StoreForeignError, StoreNewerError
from vstash.store.beside import log_bytes
from vstash.store.connection import APPLICATION_ID, fetch, open_reader, pragma_int
from vstash.store.faults import translated

__all__ = [
    "Migration",
    "Pending",
    "altered",
    "identify",
    "known_migrations",
    "migrate",
    "pending",
    "require_known",
]

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema; never edited after release."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hex digest of the SQL, recorded in the file."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def _folder() -> Path:
    package = Path(__file__).resolve().parent.parent
    shipped = package / "migrations"
    # In a source tree the folder stands beside the package; in the wheel it is inside.
    return shipped if shipped.is_dir() else package.parent / "migrations"


@lru_cache(maxsize=1)
def known_migrations() -> tuple[Migration, ...]:
    """All steps that ship with this vstash, in order.

    Raises:
        InternalError: When the installation lacks them or numbers are missing.
    """
    found = []
    for path in sorted(_folder().glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match:
            sql = path.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), match[2], sql))
    if not found or [step.version for step in found] != list(range(1, len(found) + 1)):
        raise InternalError("The installation lacks its migrations: install vstash again.")
    return tuple(found)


def identify(connection: apsw.Connection, latest: int) -> int:
    """Tell which schema a file has.

    Args:
        connection: Any connection to the file.
        latest: The newest schema that this vstash knows.

    Returns:
        The schema version, 0 for an empty file.

    Raises:
        StoreForeignError: When the file belongs to another program.
        StoreNewerError: When it was written by a newer vstash.
    """
    application = pragma_int(connection, "application_id")
    version = pragma_int(connection, "user_version")
    unmarked = application == 0 and version == 0
    if unmarked and not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall():
        return 0
    if application != APPLICATION_ID:
        raise StoreForeignError(
            "The file belongs to another program; it was left as it is. Choose another path."
        )
    require_known(version, latest)
    return version


def require_known(version: int, latest: int) -> None:
    """Refuse a schema that only a newer vstash knows.

    Raises:
        StoreNewerError: When it is newer than the latest.
    """
    if version > latest:
        raise StoreNewerError(
            f"The file has schema {version}, written by a newer vstash; this one knows up to "
            f"{latest}. Install a newer vstash; the file was left as it is."
        )


def altered(connection: apsw.Connection, steps: Sequence[Migration]) -> list[Migration]:
    """Steps that the file records with another content than they have here.

    Args:
        connection: To a file with a schema.
        steps: All known migrations.
    """
    recorded = dict(fetch(connection, "SELECT version, sha256 FROM migration"))
    return [step for step in steps if recorded.get(step.version, step.sha256) != step.sha256]


def _nothing(_what: object) -> None:
    return


def migrate(
    connection: apsw.Connection,
    steps: Sequence[Migration],
    *,
    before: Callable[[int], object] = _nothing,
    crash_point: Callable[[str], None] = _nothing,
) -> None:
    """Apply the steps that the file lacks, each in one transaction with its record.

    Args:
        connection: The write connection, outside any transaction.
        steps: All known migrations, in order.
        before: Called with the schema that a file has, while nobody else can write and before the
            first step; not for a file without a schema.
        crash_point: Called by name between all that is done; tests stop the process there.

    Raises:
        StoreForeignError: When steps that the file has are not those that are known here.
    """
    ready = False
    for step in steps:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Read again inside the lock: another process may have been faster.
            version = identify(connection, steps[-1].version)
            if version < step.version:
                if version and not ready:
                    _require_unaltered(connection, steps)
                    before(version)
                # A new file is made step by step: there is nothing in it to go back to.
                ready = True
                _apply(connection, step, crash_point)
            connection.execute("COMMIT")
            crash_point("migrate:committed")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _require_unaltered(connection: apsw.Connection, steps: Sequence[Migration]) -> None:
    other = altered(connection, steps)
    if other:
        names = ", ".join(f"{step.version} {step.name}" for step in other)
        raise StoreForeignError(
            f"The file's schema was made by other steps than this vstash knows ({names}), so it "
            "cannot be brought up to date; it was left as it is. Export it with the program that "
            "wrote it."
        )


def _apply(
    connection: apsw.Connection, step: Migration, crash_point: Callable[[str], None]
) -> None:
    def traced(*_statement: object) -> bool:
        crash_point("migrate:statement")
        return True

    cursor = connection.cursor()
    cursor.exec_trace = traced
    cursor.execute(step.sql)
    connection.execute(
        "INSERT INTO migration (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)",
        (step.version, step.name, step.sha256, time.time_ns() // 1000),
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {step.version}")
    crash_point("migrate:recorded")


@dataclass(frozen=True, slots=True)
class Pending:
    """What a file lacks.

    Attributes:
        version: Its schema, 0 for none.
        steps: That it lacks, in order.
        normaliser: Version of the rules of its keyword index, 0 where they are not known.
        coder: The same of its codes.
    """

    version: int
    steps: tuple[Migration, ...]
    normaliser: int
    coder: int


def pending(path: Path, *, busy_timeout_s: float) -> Pending:
    """Look what a file lacks, and change nothing.

    Args:
        path: An existing file.
        busy_timeout_s: Seconds to wait for recovery by another process.

    Raises:
        StoreError: When it is not ours, newer, damaged, or cannot be read.
    """
    steps = known_migrations()
    # Without a log it can be read without locks, which would make files beside it.
    immutable = not log_bytes(path)
    with (
        translated(),
        closing(
            open_reader(path, busy_timeout_s=busy_timeout_s, immutable=immutable)
        ) as connection,
    ):
        version = identify(connection, steps[-1].version)
        meta = dict(fetch(connection, "SELECT name, value FROM meta")) if version else {}
        if version and version < steps[-1].version:
            _require_unaltered(connection, steps)
    return Pending(
        version,
        tuple(step for step in steps if step.version > version),
        int(meta.get("normaliser", 0)),
        int(meta.get("coder", 0)),
    )
