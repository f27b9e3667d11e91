"""Bringing a backup back into a file that is in use, as one write that everybody sees at once.

SQLite's backup interface writes to its target inside one write transaction. Its first step takes the
write lock, so that what the file holds from then on is final: only then is it kept aside, and what must
outlive the restore is carried over. A change made through the source's own connection goes into what was
copied already. The last step commits; until then, a crash leaves the file as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import apsw

from vstash.errors import OverwriteError, StoreCorruptError, StoreForeignError
from vstash.store.backup import ProgressCallback, run
from vstash.store.connection import fetch, pragma_int
from vstash.store.leftovers import PURGE_MARK

__all__ = ["end_open_jobs", "restore_into"]

# What belongs to the service and not to what is remembered: a key that was revoked stays revoked, and
# who follows a job still finds it.
_KEPT_TABLES: Final = ("access_key", "job")
# Numbers above both files' say to every process that nothing it knows of the old state counts any more.
_GROWING: Final = ("change_counter", "derived_anew")
# No file comes to as many changes: a greater number is damage, and nothing could be above it.
_MOST: Final = 2**62


def restore_into(
    live: apsw.Connection,
    source: apsw.Connection,
    state: apsw.Connection,
    *,
    keep: Callable[[], None],
    force: bool,
    progress: ProgressCallback | None,
    crash_point: Callable[[str], None],
) -> None:
    """Replace what a file holds by what another one does.

    Args:
        live: A write connection to the file, outside any transaction.
        source: A write connection to a copy of the backup that nobody else uses.
        state: A reading connection to the file, outside any transaction.
        keep: Puts aside what the file holds; nobody can write meanwhile.
        force: Whether a file with documents is replaced.
        progress: Called as pages are copied.
        crash_point: Called by name between the steps.

    Raises:
        OverwriteError: When the file holds documents and ``force`` is false.
        StoreForeignError: When the backup has other pages than the file.
    """
    if pragma_int(source, "page_size") != pragma_int(state, "page_size"):
        raise StoreForeignError(
            "The backup was not made by vstash, or changed since: its pages are of another size."
        )
    end_open_jobs(source)
    with live.backup("main", source, "main") as backup:
        backup.step(1)
        state.execute("BEGIN")
        if not force and fetch(state, "SELECT 1 FROM document LIMIT 1"):
            raise OverwriteError(
                "The file holds documents. Restoring replaces them: say so with force; what is there "
                "is kept as a backup."
            )
        crash_point("restore:locked")
        keep()
        crash_point("restore:kept")
        _carry(state, source)
        state.execute("ROLLBACK")
        crash_point("restore:carried")
        run(backup, progress)
    crash_point("restore:done")


def end_open_jobs(source: apsw.Connection) -> None:
    """Say of the jobs of a copy that they ended: nobody works on them, and nobody should begin to."""
    source.execute(
        "UPDATE job SET state = 'interrupted', finished = seen WHERE state IN ('queued', 'running')"
    )


def _carry(state: apsw.Connection, source: apsw.Connection) -> None:
    try:
        kept = {table: fetch(state, f"SELECT * FROM {table}") for table in _KEPT_TABLES}
        ours = dict(fetch(state, "SELECT name, value FROM meta"))
        numbers = fetch(state, "SELECT name, seq FROM sqlite_sequence")
    except (apsw.SQLError, apsw.CorruptError) as error:
        raise _too_damaged() from error
    if any(type(ours.get(name)) is not int or ours[name] >= _MOST for name in _GROWING):
        raise _too_damaged()
    source.execute("BEGIN IMMEDIATE")
    for table, rows in kept.items():
        source.execute(f"DELETE FROM {table}")
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            try:
                source.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            except (apsw.SQLError, apsw.ConstraintError) as error:
                raise _too_damaged() from error
    _carry_meta(ours, source)
    # A number that stood for one thing never comes to stand for another.
    for name, number in numbers:
        if type(number) is not int:
            continue
        source.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (number, name)
        )
        if not source.changes():
            source.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, number))
    source.execute("COMMIT")


def _carry_meta(ours: dict[str, int], source: apsw.Connection) -> None:
    theirs = dict(fetch(source, "SELECT name, value FROM meta"))
    for name in _GROWING:
        value = theirs.get(name)
        above = max(ours[name], value if type(value) is int and value < _MOST else 0) + 1
        source.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, above))
    if PURGE_MARK in ours and PURGE_MARK not in theirs:
        # What was forgotten may still stand in the log: an even mark asks for that to be emptied.
        source.execute("INSERT INTO meta (name, value) VALUES (?, 2)", (PURGE_MARK,))


def _too_damaged() -> StoreCorruptError:
    return StoreCorruptError(
        "The file has lost what a restore would keep: access keys, jobs or its counters. Stop all that "
        "uses it; `vstash restore BACKUP --force` then puts the backup in its place."
    )
