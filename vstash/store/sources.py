"""Where documents came from: kinds of text, and files that were read."""

from __future__ import annotations

from typing import cast

import apsw

from vstash.store.connection import fetch
from vstash.store.rows import Origin, SourceRow

__all__ = ["origin", "sources_below"]


def origin(connection: apsw.Connection, number: int) -> Origin:
    """Where a document came from, by its internal number."""
    rows = fetch(
        connection,
        "SELECT media_type, source_size, source_mtime_ns FROM document WHERE number = ?",
        (number,),
    )
    return Origin(*rows[0]) if rows else Origin("text/plain", None, None)


def sources_below(connection: apsw.Connection, collection: str, prefix: str) -> list[SourceRow]:
    """The files that documents were read from, where the key starts with a prefix.

    Args:
        connection: In a transaction.
        collection: Name of the collection.
        prefix: Such as ``/home/ada/notes/``; empty for all.

    Returns:
        One row per document that came from a file.
    """
    rows = connection.execute(
        "SELECT d.id, d.key, d.source_size, d.source_mtime_ns, d.digest "
        "FROM document d JOIN collection c ON c.id = d.collection "
        "WHERE c.name = ?1 AND d.source_mtime_ns IS NOT NULL "
        "AND substr(d.key, 1, length(?2)) = ?2",
        (collection, prefix),
    )
    return [
        SourceRow(str(a), str(b), int(c), int(d), cast("bytes", e).hex()) for a, b, c, d, e in rows
    ]
