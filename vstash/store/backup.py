"""Copies of a file while others write to it: of one moment, checked, whole or not there at all.

Pages are copied by SQLite's backup interface from a connection that stands in a read transaction. That
transaction holds the moment: writers go on, and the copy never starts anew because of them, as it does
without one. (``VACUUM INTO`` holds a moment too, but has no steps, so no progress, and refuses a damaged
file, which is when a copy is wanted most.)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

import apsw

from vstash import deadlines
from vstash.errors import (
    OverwriteError,
    StoreCorruptError,
    StoreForeignError,
    VstashError,
)
from vstash.store.beside import log_bytes
from vstash.store.connection import fetch, open_reader, pragma_int
from vstash.store.faults import translated
from vstash.store.folders import sync_folder
from vstash.store.migrate import identify, known_migrations
from vstash.store.temporary import temporary, told

__all__ = [
    "ProgressCallback",
    "copied",
    "copy_into",
    "copy_of",
    "counted",
    "last_change",
    "made_at",
    "made_of",
    "no_crash",
    "publish",
    "read_back",
    "read_out",
    "run",
    "state_of",
]

ProgressCallback = Callable[[int, int], None]
"""Called with the pages that were copied and how many there are."""

Told = TypeVar("Told")

# Pages between two looks at the deadline: 2 MiB, some milliseconds.
_STEP_PAGES: Final = 256


def no_crash(_name: str) -> None:
    """Stop nowhere."""


def copied(source: Path, target: Path, *, busy_timeout_s: float = 5.0) -> None:
    """Copy a file that is not open here as a store, such as one before its migration.

    Args:
        source: The file; other processes may write to it meanwhile.
        target: As for `copy_of`.
        busy_timeout_s: Seconds to wait for another process.

    Raises:
        StoreError: As from `copy_of`.
    """
    with (
        translated(),
        closing(open_reader(source, busy_timeout_s=busy_timeout_s, immutable=False)) as connection,
    ):
        copy_of(connection, target)


def read_out(source: Path, part: Path) -> int:
    """Copy a backup that nobody writes to, and check the copy.

    Args:
        source: The backup.
        part: An empty file.

    Returns:
        Its schema version.
    """
    # One that somebody opened may have changes beside it; for any other, nothing is put there.
    alone = not log_bytes(source)
    with (
        translated(),
        closing(open_reader(source, busy_timeout_s=5.0, immutable=alone)) as connection,
    ):
        version, _, _ = counted(connection)
        copy_into(connection, part)
    return version


def copy_of(
    connection: apsw.Connection,
    target: Path,
    *,
    damaged: bool = False,
    progress: ProgressCallback | None = None,
    crash_point: Callable[[str], None] = no_crash,
) -> None:
    """Copy the file as it is at this moment, check the copy, and give it its name.

    Args:
        connection: A reading connection of its own, outside any transaction.
        target: Absolute path of the copy; a missing folder is made.
        damaged: Whether what SQLite's check finds wrong is copied all the same.
        progress: Called as pages are copied.
        crash_point: Called by name between the steps; tests stop the process there.

    Raises:
        OverwriteError: When there is a file at the target.
        StoreFullError: When the disk of the copy is full; nothing is left of it.
        StoreCorruptError: When the copy does not pass the check, which the file would not pass either.
        DeadlineError: When it took longer than it may; nothing is left of it.
        StoreError: When the copy cannot be made.
    """
    if target.exists():
        raise _taken(target)
    with temporary(target) as part:
        copy_into(connection, part, damaged=damaged, progress=progress, crash_point=crash_point)
        publish(part, target)
        crash_point("backup:named")


def copy_into(
    connection: apsw.Connection,
    part: Path,
    *,
    damaged: bool = False,
    progress: ProgressCallback | None = None,
    crash_point: Callable[[str], None] = no_crash,
) -> None:
    """Copy the file as it is at this moment, and check the copy; as in `copy_of`.

    Args:
        connection: As there, and so the rest.
        part: An empty file.
        damaged: As there.
        progress: As there.
        crash_point: As there.
    """
    connection.execute("BEGIN")
    try:
        # The first read is what holds the moment.
        pragma_int(connection, "schema_version")
        counts = None if damaged else counted(connection)
        _copy_pages(connection, part, progress)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    crash_point("backup:copied")
    if counts is not None:
        _verify(part, counts)
    crash_point("backup:verified")


def _copy_pages(connection: apsw.Connection, part: Path, progress: ProgressCallback | None) -> None:
    with closing(apsw.Connection(str(part), flags=apsw.SQLITE_OPEN_READWRITE)) as copy:
        # Nothing is there to be undone; the commit at the end syncs the whole copy.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = FULL")
        if sys.platform == "darwin":
            # fsync() on macOS leaves data in the drive's cache.
            copy.execute("PRAGMA fullfsync = ON")
        with copy.backup("main", connection, "main") as backup:
            run(backup, progress)


def run(backup: apsw.Backup, progress: ProgressCallback | None) -> None:
    """Copy what is left to be copied; the last step commits.

    Args:
        backup: Under way.
        progress: Called as pages are copied.

    Raises:
        DeadlineError: When it took longer than it may; nothing was changed.
    """
    while not backup.done:
        deadlines.check()
        backup.step(_STEP_PAGES)
        if progress is not None:
            progress(backup.page_count - backup.remaining, backup.page_count)


def counted(connection: apsw.Connection) -> tuple[int, int, int]:
    """What a copy is compared by: schema version, documents and chunks.

    Raises:
        StoreError: When it is no file of ours, or a newer one.
    """
    version = identify(connection, known_migrations()[-1].version)
    if not version:
        raise StoreForeignError("The file is empty: there is nothing to copy.")
    found = fetch(
        connection, "SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM chunk)"
    )
    return (version, *found[0])


def read_back(path: Path) -> tuple[int, int, int] | None:
    """What a copy that nobody writes to holds, as by `counted`; None when it cannot be read."""
    return _told_by(path, counted)


def last_change(path: Path) -> tuple[object, ...] | None:
    """As `state_of`, of a copy that nobody writes to; None when it cannot be read."""
    return _told_by(path, state_of)


def made_of(path: Path) -> int | None:
    """When the file was made that a copy is of, as by `made_at`; None when it cannot be read."""
    return _told_by(path, made_at)


def _told_by(path: Path, ask: Callable[[apsw.Connection], Told]) -> Told | None:
    try:
        with translated(), closing(open_reader(path, busy_timeout_s=0, immutable=True)) as copy:
            return ask(copy)
    except VstashError:
        return None


def made_at(connection: apsw.Connection) -> int | None:
    """The microsecond in which a file was made, by which it and its copies are told from others."""
    rows = fetch(connection, "SELECT applied_at FROM migration WHERE version = 1")
    return int(rows[0][0]) if rows else None


def state_of(connection: apsw.Connection) -> tuple[object, ...]:
    """What differs between two moments when anything was changed, told or logged between them."""
    return (
        *fetch(connection, "SELECT name, value FROM meta ORDER BY name"),
        *fetch(connection, "SELECT name, seq FROM sqlite_sequence ORDER BY name"),
        *fetch(connection, "SELECT count(*), max(at) FROM feedback"),
        *fetch(connection, "SELECT count(*), max(fitted_at) FROM calibration"),
        *fetch(connection, "SELECT count(*), max(created), max(revoked_at) FROM access_key"),
    )


def _verify(part: Path, counts: tuple[int, int, int]) -> None:
    with closing(open_reader(part, busy_timeout_s=0, immutable=True)) as copy:
        findings = fetch(copy, "PRAGMA integrity_check(1)")
        if findings != [("ok",)] or counted(copy) != counts:
            raise StoreCorruptError(
                "The file is damaged, and so would a backup of it be: none was made. Keep the backups "
                "that there are; `vstash check` tells what is wrong."
            )


def publish(part: Path, target: Path) -> None:
    """Give a finished file its name, so that it stays also when the power goes.

    Args:
        part: Complete and synced.
        target: In the same folder.

    Raises:
        OverwriteError: When there is a file at the target.
        StoreError: When the operating system refused.
    """
    try:
        _name_anew(part, target)
        sync_folder(target.parent)
    except FileExistsError:
        raise _taken(target) from None
    except OSError as error:
        raise told(error, target) from error


def _name_anew(part: Path, target: Path) -> None:
    try:
        # Unlike a rename, this never replaces a file that another process made meanwhile.
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:
        # Not every file system knows a second name for a file.
        if target.exists():
            raise FileExistsError from None
        part.rename(target)
    else:
        part.unlink()


def _taken(target: Path) -> OverwriteError:
    return OverwriteError(
        "There is a file of that name already; it was left as it is. Choose another name.",
        local_detail=str(target),
    )
