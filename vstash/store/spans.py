"""What is read of candidates beside their chunks: times, spans of texts, a document's chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw
import numpy as np

from vstash.store.connection import fetch, id_list

if TYPE_CHECKING:
    from vstash.types import IdArray

__all__ = ["chunk_ids", "read_span", "updated_times"]


def updated_times(connection: apsw.Connection, ids: IdArray) -> dict[int, int]:
    """When the document of each chunk last changed, in microseconds since the epoch.

    Args:
        connection: In a transaction.
        ids: Chunk ids, shape (n,); unknown ones are left out.
    """
    rows = fetch(
        connection,
        "SELECT chunk.id, d.updated FROM chunk JOIN document d ON d.number = chunk.document "
        "WHERE chunk.id IN carray(?)",
        (id_list(ids),),
    )
    return {int(chunk): int(updated) for chunk, updated in rows}


def chunk_ids(connection: apsw.Connection, document_id: str) -> IdArray:
    """The chunks of a document in its order, ascending; none for an unknown one.

    Args:
        connection: In a transaction.
        document_id: Its id.
    """
    rows = fetch(
        connection, "SELECT first_chunk, chunk_count FROM document WHERE id = ?", (document_id,)
    )
    first, count = rows[0] if rows else (0, 0)
    return np.arange(first, first + count, dtype=np.int64)


def read_span(connection: apsw.Connection, document_id: str, start: int, end: int) -> str:
    """``text[start:end]`` of a document, from the parts that it touches.

    Args:
        connection: In a transaction.
        document_id: Its id.
        start: Offset of the first character, 0 or more.
        end: Offset after the last.
    """
    rows = fetch(
        connection,
        "SELECT p.start, p.text FROM text_part AS p JOIN document AS d ON d.number = p.document "
        "WHERE d.id = ? AND p.start < ? AND p.start + length(p.text) > ? ORDER BY p.start",
        (document_id, end, start),
    )
    if not rows:
        return ""
    first = int(rows[0][0])
    return "".join(str(row[1]) for row in rows)[start - first : end - first]
