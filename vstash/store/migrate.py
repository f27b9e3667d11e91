"""Bringing a file to the schema that this vstash knows."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import apsw

from vstash.errors import InternalError, StoreForeignError, StoreNewerError
from vstash.store.connection import APPLICATION_ID, pragma_int

__all__ = ["Migration", "identify", "known_migrations", "migrate"]

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
    if version > latest:
        raise StoreNewerError(
            f"The file has schema {version}, written by a newer vstash; this one knows up to "
            f"{latest}. Install a newer vstash; the file was left as it is."
        )
    return version


def migrate(connection: apsw.Connection, steps: Sequence[Migration]) -> None:
    """Apply the steps that the file lacks, each in one transaction with its record.

    Args:
        connection: The write connection, outside any transaction.
        steps: All known migrations, in order.
    """
    for step in steps:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Read again inside the lock: another process may have been faster.
            if identify(connection, steps[-1].version) < step.version:
                connection.execute(step.sql)
                connection.execute(
                    "INSERT INTO migration (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)",
                    (step.version, step.name, step.sha256, time.time_ns() // 1000),
                )
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {step.version}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
