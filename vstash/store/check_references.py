"""Integrity of references between rows."""

from __future__ import annotations

import apsw

from vstash.store.found import Found, Rules, Tick

__all__ = ["reference_findings"]

_OF_A_DOCUMENT = frozenset({"tag", "text_part", "chunk"})


def reference_findings(connection: apsw.Connection, _rules: Rules, _tick: Tick) -> Found:
    """Find rows that refer to others which do not exist.

    Args:
        connection: In a read transaction.
    """
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        code = "reference_broken"
        if parent == "collection" and table == "document":
            code = "collection_missing"
        elif parent == "document" and table in _OF_A_DOCUMENT:
            code = "document_missing"
        yield code, [table if row is None else f"{table}:{row}"]
    unnamed = connection.execute(
        "SELECT 'search:' || number FROM search WHERE collection NOT IN (SELECT name FROM collection)"
    )
    yield "reference_broken", (row[0] for row in unnamed)
    astray = connection.execute(
        "SELECT f.id FROM feedback f JOIN chunk c ON c.id = f.chunk WHERE c.document <> f.document"
    )
    yield "feedback_differs", (row[0] for row in astray)
