"""Counting anew what a file keeps of itself."""

from __future__ import annotations

import apsw

from vstash.store.check_counters import COUNTED, MARKS, META, NEWEST_CHANGE
from vstash.store.check_schema import HIGHEST
from vstash.store.connection import fetch
from vstash.store.migrate import known_migrations

__all__ = ["count_anew", "restore_meta", "restore_record", "restore_sequences"]


def restore_meta(connection: apsw.Connection) -> None:
    """See that each number is there and is one; what it counts comes later."""
    for name, value in fetch(connection, "SELECT name, value FROM meta"):
        if name not in META | MARKS or type(value) is not int or value < 0:
            connection.execute("DELETE FROM meta WHERE name = ?", (name,))
    connection.executemany(
        "INSERT OR IGNORE INTO meta (name, value) VALUES (?, 0)", ((name,) for name in META)
    )


def restore_record(connection: apsw.Connection) -> None:
    """Record the migrations that made the file, and see that one model is active."""
    steps = [(step.version, step.name, step.sha256) for step in known_migrations()]
    connection.execute("DELETE FROM migration WHERE version > ? OR version < 1", (len(steps),))
    connection.executemany(
        "INSERT INTO migration (version, name, sha256, applied_at) VALUES (?1, ?2, ?3, 1) "
        "ON CONFLICT (version) DO UPDATE SET name = ?2, sha256 = ?3, "
        "applied_at = max(applied_at, 1)",
        steps,
    )
    active = fetch(connection, "SELECT id FROM model ORDER BY active DESC, id DESC LIMIT 1")
    for (model,) in active:
        connection.execute("UPDATE model SET active = 0 WHERE id <> ?", (model,))
        connection.execute("UPDATE model SET active = 1 WHERE id = ?", (model,))


def restore_sequences(connection: apsw.Connection) -> None:
    """Let no id be given again that anything in the file knows of."""
    for table, highest in HIGHEST.items():
        rows = fetch(
            connection,
            f"SELECT max(seq), {highest} FROM sqlite_sequence WHERE name = ?",
            (table,),
        )
        held, least = rows[0]
        if (held or 0) < least:
            connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            connection.execute(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, least)
            )


def count_anew(connection: apsw.Connection) -> None:
    """Count chunks and those that wait, and let the change counter be above all that it marked."""
    for name, table in COUNTED.items():
        connection.execute(
            f"UPDATE meta SET value = (SELECT count(*) FROM {table}) WHERE name = ?", (name,)
        )
    connection.execute(
        f"UPDATE meta SET value = max(value, {NEWEST_CHANGE}) WHERE name = 'change_counter'"
    )
    connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'derived_anew'")
