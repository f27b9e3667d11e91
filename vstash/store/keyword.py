"""The keyword index: FTS5 over derived tokens, contentless."""

from __future__ import annotations

from collections.abc import Iterable

import apsw

__all__ = ["clear", "delete_words", "insert_words"]


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


def clear(connection: apsw.Connection) -> None:
    """Empty the keyword index; a contentless table has no rebuild of its own."""
    connection.execute("INSERT INTO keyword (keyword) VALUES ('delete-all')")


def delete_words(connection: apsw.Connection, ids: Iterable[int]) -> None:
    """Take chunks out of the keyword index."""
    connection.executemany("DELETE FROM keyword WHERE rowid = ?", ((chunk,) for chunk in ids))
