"""Feedback: what callers said of chunks, by logged search."""

from __future__ import annotations

import apsw

from vstash.feedback import JudgedSearch, Verdict, VerdictName
from vstash.store.connection import fetch
from vstash.store.documents import to_datetime

__all__ = ["judge", "judged_searches", "logged_search"]

# Of expired documents nothing is shown.
_VISIBLE = (
    "FROM feedback f JOIN document d ON d.number = f.document "
    "AND (d.expires_at IS NULL OR d.expires_at > ?)"
)


def logged_search(connection: apsw.Connection, search_id: str) -> tuple[int, str] | None:
    """The number and collection of a logged search, None for none that has or had this id."""
    row = connection.execute(
        "SELECT number, collection FROM search WHERE id = ?1 UNION ALL "
        "SELECT s.number, s.collection FROM search_alias a JOIN search s ON s.number = a.search "
        "WHERE a.id = ?1",
        (search_id,),
    ).fetchone()
    return None if row is None else (int(row[0]), str(row[1]))


def judge(
    connection: apsw.Connection,
    *,
    search: int,
    document: int,
    chunk: int,
    verdict: VerdictName,
    now: int,
) -> tuple[VerdictName, int]:
    """Store a verdict in place of an earlier one on the same search and chunk; ``opened`` of none.

    Args:
        connection: The write connection inside its transaction.
        search: Number of a logged search.
        document: Number of the chunk's document.
        chunk: Its id.
        verdict: One of `VERDICTS`.
        now: Microseconds since the epoch.

    Returns:
        The verdict that stands, and since when: a repetition changes nothing.
    """
    connection.execute(
        "INSERT INTO feedback (search, document, chunk, verdict, at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (search, chunk) DO UPDATE SET verdict = excluded.verdict, at = excluded.at "
        "WHERE verdict <> excluded.verdict AND excluded.verdict <> 'opened'",
        (search, document, chunk, verdict, now),
    )
    rows = fetch(
        connection,
        "SELECT verdict, at FROM feedback WHERE search = ? AND chunk = ?",
        (search, chunk),
    )
    return rows[0][0], int(rows[0][1])


def judged_searches(
    connection: apsw.Connection,
    *,
    collection: str | None,
    limit: int,
    before: int | None,
    now: int,
) -> list[tuple[int, JudgedSearch]]:
    """Logged searches of which something was said, newest first.

    Args:
        connection: In a transaction.
        collection: That was searched, None for all.
        limit: At most this many.
        before: Number of the search after which the page starts, None for the newest.
        now: Microseconds since the epoch; documents that have expired by then are left out.

    Returns:
        Internal number and search.
    """
    found = fetch(
        connection,
        f"WITH judged AS (SELECT DISTINCT f.search {_VISIBLE} WHERE f.search < ?2 "
        "AND (?3 IS NULL OR ?3 = (SELECT collection FROM search WHERE number = f.search)) "
        "ORDER BY f.search DESC LIMIT ?4) "
        "SELECT number, id, CASE hashed WHEN 0 THEN query END, collection, at FROM judged CROSS JOIN search "
        "ON number = judged.search ORDER BY number DESC",
        (now, 2**63 - 1 if before is None else before, collection, limit),
    )
    return [
        (
            number,
            JudgedSearch(
                search_id, query, collection, to_datetime(at), _verdicts(connection, number, now)
            ),
        )
        for number, search_id, query, collection, at in found
    ]


def _verdicts(connection: apsw.Connection, search: int, now: int) -> tuple[Verdict, ...]:
    rows = connection.execute(
        f"SELECT f.chunk, d.id, d.key, f.verdict, f.at {_VISIBLE} WHERE f.search = ? ORDER BY f.id",
        (now, search),
    )
    return tuple(
        Verdict(chunk, document_id, key, verdict, to_datetime(at))
        for chunk, document_id, key, verdict, at in rows
    )
