"""Collections: what they hold, and their end."""

from __future__ import annotations

import apsw

from vstash.reports import CollectionInfo
from vstash.store.connection import fetch

__all__ = ["expired", "infos", "remove"]

# Made with the file: it is emptied, but stays.
_DEFAULT = 1


def infos(connection: apsw.Connection) -> tuple[CollectionInfo, ...]:
    """What each collection holds, by name."""
    rows = fetch(
        connection,
        "SELECT c.name, count(d.number), coalesce(sum(d.chunk_count), 0), coalesce(w.waiting, 0) "
        "FROM collection AS c LEFT JOIN document AS d ON d.collection = c.id "
        "LEFT JOIN (SELECT d.collection, count(*) AS waiting FROM awaiting AS a "
        "JOIN chunk ON chunk.id = a.chunk JOIN document AS d ON d.number = chunk.document "
        "GROUP BY d.collection) AS w ON w.collection = c.id GROUP BY c.id ORDER BY c.name",
    )
    return tuple(CollectionInfo(*row) for row in rows)


def expired(connection: apsw.Connection, limit: int, *, now: int) -> list[int]:
    """Numbers of documents that have expired by a time in microseconds."""
    rows = fetch(
        connection, "SELECT number FROM document WHERE expires_at <= ? LIMIT ?", (now, limit)
    )
    return [int(row[0]) for row in rows]


def remove(connection: apsw.Connection, name: str) -> None:
    """Forget a collection without documents, what was searched in it, and what was learnt of it."""
    connection.execute("DELETE FROM search WHERE collection = ?", (name,))
    for table in ("learned", "learned_switch"):
        connection.execute(
            f"DELETE FROM {table} WHERE collection = (SELECT id FROM collection WHERE name = ?)",
            (name,),
        )
    connection.execute("DELETE FROM collection WHERE name = ? AND id <> ?", (name, _DEFAULT))
