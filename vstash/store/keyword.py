"""The keyword index: FTS5 over derived tokens, contentless."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np

from vstash.store.connection import fetch, id_list
from vstash.store.rows import Leg

if TYPE_CHECKING:
    from vstash.types import IdArray

__all__ = [
    "delete_words",
    "document_frequencies",
    "insert_words",
    "keyword_leg",
    "match_expression",
    "rebuild",
]

# Title and headings say what a passage is about in few words; FTS5's bm25() takes one weight a
# column. Judged sets moved by less than .002 between 1 and 2.
_COLUMN_WEIGHTS = "1.0, 1.0, 1.0"


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


def rebuild(connection: apsw.Connection, rows: Iterable[tuple[int, tuple[str, str, str]]]) -> None:
    """Empty the keyword index and fill it; a contentless table has no rebuild of its own."""
    connection.execute("INSERT INTO keyword (keyword) VALUES ('delete-all')")
    insert_words(connection, rows)


def delete_words(connection: apsw.Connection, ids: Iterable[int]) -> None:
    """Take chunks out of the keyword index."""
    connection.executemany("DELETE FROM keyword WHERE rowid = ?", ((chunk,) for chunk in ids))


def match_expression(words: Sequence[str]) -> str:
    """An FTS5 expression that any of the words satisfies, made of quoted tokens only."""
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)


def document_frequencies(connection: apsw.Connection, words: Sequence[str]) -> list[int]:
    """In how many chunks each word occurs."""
    found = []
    for word in words:
        row = connection.execute("SELECT doc FROM keyword_row WHERE term = ?", (word,)).fetchone()
        found.append(0 if row is None else int(row[0]))
    return found


def _leg(rows: Sequence[tuple[Any, ...]]) -> Leg:
    ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
    scores = np.fromiter((row[1] for row in rows), dtype=np.float32, count=len(rows))
    return Leg(ids, scores)


def keyword_leg(
    connection: apsw.Connection,
    words: Sequence[str],
    *,
    depth: int,
    allowed: IdArray | None,
    also: IdArray,
) -> tuple[Leg, Leg]:
    """The best chunks by BM25, and the true scores of some others.

    Args:
        connection: In a transaction.
        words: Informative words of the query; none gives empty lists.
        depth: Length of the list, at least 1.
        allowed: Chunk ids that may be listed, None for all.
        also: Chunk ids whose score is wanted wherever they stand, shape (n,).

    Returns:
        The list, best first, and those of ``also`` that match any word; scores are positive.
    """
    if not words:
        return _leg([]), _leg([])
    restrict = "" if allowed is None else "WHERE id IN carray(?4)"
    # One pass over the postings serves both answers: bm25() computes every word's frequency anew
    # for every statement.
    sql = (
        "WITH matched (id, score) AS MATERIALIZED ("
        f"SELECT rowid, -bm25(keyword, {_COLUMN_WEIGHTS}) FROM keyword WHERE keyword MATCH ?1) "
        "SELECT * FROM (SELECT id, score, 0 AS asked FROM matched "
        f"{restrict} ORDER BY score DESC, id LIMIT ?2) "
        "UNION ALL SELECT id, score, 1 FROM matched WHERE id IN carray(?3)"
    )
    binds: list[object] = [
        match_expression(words),
        depth,
        id_list(also),
    ]
    if allowed is not None:
        binds.append(id_list(allowed))
    rows = fetch(connection, sql, tuple(binds))
    return _leg([row for row in rows if not row[2]]), _leg([row for row in rows if row[2]])
