"""Integrity of chunks among each other and with their documents."""

from __future__ import annotations

from typing import Final

import apsw

from vstash.store.found import Found, Rules, Tick

__all__ = ["chunk_findings"]

_TEXTS: Final = (
    "c.heading = '[]' OR (json_valid(c.heading) AND json_type(c.heading) = 'array' AND NOT EXISTS "
    "(SELECT 1 FROM json_each(CASE WHEN json_valid(c.heading) THEN c.heading ELSE '[]' END) "
    "WHERE type <> 'text'))"
)


def chunk_findings(connection: apsw.Connection, _rules: Rules, _tick: Tick) -> Found:
    """Look whether the chunks of each document follow one another, as its row says.

    Args:
        connection: In a read transaction.
    """
    rows = connection.execute(
        "SELECT d.id FROM document AS d WHERE NOT EXISTS "
        "(SELECT 1 FROM chunk WHERE document = d.number)"
    )
    yield "chunk_missing", (row[0] for row in rows)
    rows = connection.execute(
        'WITH placed AS (SELECT document, id, seq, start, "end", heading, tokens, '
        "row_number() OVER by_seq - 1 AS place, coalesce(lag(start) OVER by_seq, -1) AS before, "
        "min(id) OVER (PARTITION BY document) AS first FROM chunk "
        "WINDOW by_seq AS (PARTITION BY document ORDER BY seq)) "
        "SELECT DISTINCT d.id FROM placed AS c JOIN document AS d ON d.number = c.document "
        "WHERE c.seq <> c.place OR c.id <> c.first + c.seq OR c.start < c.before OR c.start < 0 "
        f'OR c.start >= c."end" OR c."end" > d.char_count OR c.tokens < 0 OR NOT ({_TEXTS})'
    )
    yield "chunk_span", (row[0] for row in rows)
    rows = connection.execute(
        "SELECT d.id FROM document AS d JOIN (SELECT document, min(id) AS first, count(*) AS n "
        "FROM chunk GROUP BY document) AS c ON c.document = d.number "
        "WHERE c.first <> d.first_chunk OR c.n <> d.chunk_count"
    )
    yield "document_chunks", (row[0] for row in rows)
