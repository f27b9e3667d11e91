"""The keyword index: FTS5 over derived tokens, contentless."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import apsw
import numpy as np

from vstash.store.connection import fetch, id_list
from vstash.store.rows import Leg

if TYPE_CHECKING:
    from vstash.types import IdArray

__all__ = [
    "clear",
    "delete_words",
    "insert_words",
    "merge",
    "phrase",
    "ranked",
    "restore_format",
]


def insert_words(
    connection: apsw.Connection, rows: Iterable[tuple[int, tuple[str, str, str]]]
) -> None:
    """Index the derived tokens of chunks.

    Args:
        connection: The write connection inside its transaction.
        rows: Chunk id and tokens of title, heading and body; the ids must not be in the index: an
            INSERT on an existing rowid of a contentless table leaves a ghost behind.
    """
    connection.executemany(
        "INSERT INTO keyword (rowid, title, heading, body) VALUES (?, ?, ?, ?)",
        ((chunk, *words) for chunk, words in rows),
    )


def ranked(
    connection: apsw.Connection, words: Sequence[str], *, depth: int, allowed: IdArray | None
) -> Leg:
    """The chunks that FTS5's own bm25() ranks first: k1 = 1.2 and b = .75, which cannot be changed.

    Args:
        connection: In a transaction.
        words: Distinct derived tokens, any of which may match.
        depth: At most this many.
        allowed: Chunk ids that may be listed, None for all.

    Returns:
        The list, best first, with positive scores.
    """
    if not words:
        return Leg(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
    match = " OR ".join('"{}"'.format(word.replace('"', '""')) for word in words)
    sql = "SELECT rowid, -bm25(keyword) FROM keyword WHERE keyword MATCH ?"
    binds: list[object] = [match]
    if allowed is not None:
        sql += " AND rowid IN carray(?)"
        binds.append(id_list(allowed))
    rows = fetch(connection, f"{sql} ORDER BY 2 DESC, 1 LIMIT ?", (*binds, depth))
    return Leg(
        np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows)),
        np.fromiter((row[1] for row in rows), dtype=np.float32, count=len(rows)),
    )


def phrase(
    connection: apsw.Connection, words: Sequence[str], *, most: int, allowed: IdArray | None
) -> IdArray:
    """Chunks in which derived tokens follow one another.

    Args:
        connection: In a transaction.
        words: Derived tokens in order, at least one.
        most: At most this many chunks.
        allowed: Chunk ids that may be listed, None for all.

    Returns:
        Chunk ids, ascending.
    """
    quoted = " ".join(words).replace('"', '""')
    sql = "SELECT rowid FROM keyword WHERE keyword MATCH ?"
    binds: list[object] = [f'"{quoted}"']
    if allowed is not None:
        # The plus keeps SQLite from matching the phrase anew for every allowed chunk.
        sql += " AND +rowid IN carray(?)"
        binds.append(id_list(allowed))
    rows = fetch(connection, f"{sql} ORDER BY rowid LIMIT ?", (*binds, most))
    return np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))


def clear(connection: apsw.Connection) -> None:
    """Empty the keyword index; a contentless table has no rebuild of its own."""
    connection.execute("INSERT INTO keyword (keyword) VALUES ('delete-all')")


def restore_format(connection: apsw.Connection) -> None:
    """Say of which format FTS5's tables are: without that it refuses even to empty them."""
    connection.execute("INSERT OR REPLACE INTO keyword_config (k, v) VALUES ('version', 4)")


def merge(connection: apsw.Connection, pages: int, *, begin: bool) -> bool:
    """Go on writing the keyword index anew as one piece: until then it holds words of chunks that are gone.

    Args:
        connection: The write connection inside its transaction.
        pages: Of FTS5, about so many.
        begin: Take in every piece that there is; otherwise only those of the merge under way.

    Returns:
        Whether there is more to write.
    """
    before = connection.total_changes()
    connection.execute(
        "INSERT INTO keyword (keyword, rank) VALUES ('merge', ?)", (-pages if begin else pages,)
    )
    # FTS5 says it so: one change is that of the statement itself.
    return connection.total_changes() - before > 1


def delete_words(connection: apsw.Connection, ids: Iterable[int]) -> None:
    """Take chunks out of the keyword index."""
    connection.executemany("DELETE FROM keyword WHERE rowid = ?", ((chunk,) for chunk in ids))
