"""The disagreement log: searches, what each leg listed, and the triples that followed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import apsw
import numpy as np

from vstash.store.connection import fetch, id_list
from vstash.store.documents import to_datetime
from vstash.store.rows import EarlierSearch, SearchRow
from vstash.types import Disagreement, LegEntry, Triple, Weights

__all__ = [
    "append",
    "disagreements",
    "earlier",
    "entries",
    "entries_of",
    "evidence",
    "key",
    "lists_living",
    "redact",
    "trim",
    "unredacted",
]

# What follows a search whose place another takes.
_MOVED: Final = (
    "UPDATE search_alias SET search = ?1 WHERE search = ?2",
    "UPDATE search SET reformulates = ?1 WHERE reformulates = ?2",
    "UPDATE feedback SET search = ?1 WHERE search = ?2",
)
# Searches of a file that are looked through for those of one collection.
_RECENT: Final = 512


def entries(leg: Sequence[LegEntry]) -> str:
    """A leg as it is stored."""
    return json.dumps([[entry.chunk_id, round(entry.score, 6)] for entry in leg])


def lists_living(connection: apsw.Connection, row: SearchRow) -> bool:
    """Whether all chunks that a search lists are there."""
    listed = {entry.chunk_id for entry in (*row.vector_leg, *row.keyword_leg)}
    ids = np.array(sorted(listed), dtype=np.int64)
    found = fetch(connection, "SELECT count(*) FROM chunk WHERE id IN carray(?)", (id_list(ids),))
    return bool(found[0][0] == len(listed))


def append(connection: apsw.Connection, row: SearchRow) -> None:
    """Write one search and its triples; triples about chunks that are gone are left out.

    It takes the place of one with its fingerprint.
    """
    connection.execute(
        "INSERT INTO search (id, at, query, collection, mode, strategy, weights, k, disagreement, "
        "vector_leg, keyword_leg, gap, best, agreed, hashed, fingerprint, first_at, session, "
        "reformulates, masked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.id,
            row.at,
            row.query,
            row.collection,
            row.mode,
            row.strategy,
            json.dumps([row.weights.vector, row.weights.keyword]),
            row.k,
            row.disagreement,
            entries(row.vector_leg),
            entries(row.keyword_leg),
            *(row.evidence or (None, None, None)),
            row.hashed,
            row.fingerprint,
            row.at,
            row.session,
            row.reformulates,
            json.dumps(row.masked) if row.masked else None,
        ),
    )
    number = connection.last_insert_rowid()
    connection.executemany(
        "INSERT INTO triple (search, positive, negative, kind, evidence) "
        "SELECT ?1, ?2, ?3, ?4, ?5 WHERE 2 = (SELECT count(*) FROM chunk WHERE id IN (?2, ?3))",
        (
            (number, triple.positive, triple.negative, triple.kind, triple.evidence)
            for triple in row.triples
        ),
    )
    if row.fingerprint is not None:
        _fold(connection, number, row)


def _fold(connection: apsw.Connection, number: int, row: SearchRow) -> None:
    """Put a search in the place of those that asked the same: it takes over what hangs on them."""
    same = fetch(
        connection,
        "SELECT number, id FROM search WHERE fingerprint = ? AND hashed = ? AND number <> ?",
        (row.fingerprint, row.hashed, number),
    )
    for old, search_id in same:
        connection.execute(
            "UPDATE search SET (asked, first_at, reformulates) = (SELECT search.asked + o.asked, "
            "min(search.first_at, coalesce(o.first_at, o.at)), "
            "coalesce(o.reformulates, search.reformulates) FROM search AS o WHERE o.number = ?2) "
            "WHERE number = ?1",
            (number, old),
        )
        for statement in _MOVED:
            connection.execute(statement, (number, old))
        connection.execute(
            "INSERT INTO search_alias (id, search, at) VALUES (?, ?, ?)",
            (search_id, number, row.at),
        )
        connection.execute("DELETE FROM search WHERE number = ?", (old,))
    # Who comes back to the first of two queries did not reformulate the second.
    connection.execute(
        "UPDATE search SET reformulates = NULL WHERE number = ?1 AND "
        "(reformulates = ?1 OR reformulates IN (SELECT number FROM search WHERE reformulates = ?1))",
        (number,),
    )


def earlier(
    connection: apsw.Connection, session: str, collection: str, *, since: int
) -> EarlierSearch | None:
    """The last search of a session in a collection, None for none since a time."""
    rows = fetch(
        connection,
        "SELECT number, CASE hashed WHEN 0 THEN query END, fingerprint, vector_leg FROM search "
        "WHERE session = ? AND collection = ? AND at >= ? ORDER BY number DESC LIMIT 1",
        (session, collection, since),
    )
    for number, query, fingerprint, leg in rows:
        return EarlierSearch(
            number, query, fingerprint, tuple(each.chunk_id for each in entries_of(leg))
        )
    return None


def key(connection: apsw.Connection, new: Callable[[], bytes], now: int) -> bytes:
    """The key of this file's hashes, made when there is none.

    Args:
        connection: The write connection inside its transaction.
        new: Makes one.
        now: Microseconds since the epoch.
    """
    rows = fetch(connection, "SELECT value FROM log_key")
    if not rows:
        rows = fetch(
            connection,
            "INSERT INTO log_key (id, value, made_at) VALUES (1, ?, ?) RETURNING value",
            (new(), now),
        )
    return bytes(rows[0][0])


def unredacted(
    connection: apsw.Connection, *, collection: str | None, after: int, limit: int
) -> list[tuple[int, str, str, str | None, str | None]]:
    """Searches of which the text is kept: number, collection, query, fingerprint and session."""
    return fetch(
        connection,
        "SELECT number, collection, query, fingerprint, session FROM search WHERE hashed = 0 "
        "AND number > ?1 AND (?2 IS NULL OR collection = ?2) ORDER BY number LIMIT ?3",
        (after, collection, limit),
    )


def redact(connection: apsw.Connection, rows: Sequence[tuple[int, str, str | None]]) -> int:
    """Put keyed hashes in the place of texts, and remove the triples of these searches.

    Args:
        connection: The write connection inside its transaction.
        rows: Number, the query's hash, and that of the session.

    Returns:
        How many triples were removed.
    """
    removed = 0
    for number, query, session in rows:
        connection.execute("DELETE FROM triple WHERE search = ?", (number,))
        removed += connection.changes()
        connection.execute(
            "UPDATE search SET hashed = 1, query = ?2, fingerprint = ?2, session = ?3, masked = NULL "
            "WHERE number = ?1",
            (number, query, session),
        )
    return removed


def trim(connection: apsw.Connection, *, rows: int, oldest: int, oldest_alias: int) -> None:
    """Forget searches beyond a count, those not asked for the longest time first, and what is old.

    Args:
        connection: The write connection inside its transaction.
        rows: How many may stay.
        oldest: Searches from before, in microseconds since the epoch, go.
        oldest_alias: The same of ids of searches whose place another took.
    """
    connection.execute("DELETE FROM search WHERE at < ?", (oldest,))
    connection.execute("DELETE FROM search_alias WHERE at < ?", (oldest_alias,))
    for table in ("search", "search_alias"):
        # Each of the two by itself is a look at one end; both in one SELECT read the whole table.
        ends = f"SELECT (SELECT max(number) FROM {table}) - (SELECT min(number) FROM {table})"
        span = fetch(connection, ends)[0][0]
        # Numbers have gaps where searches were folded, so that a long span may hold few.
        if span is not None and span >= rows:
            count = fetch(connection, f"SELECT count(*) FROM {table}")[0][0]
            connection.execute(
                f"DELETE FROM {table} WHERE number IN "
                f"(SELECT number FROM {table} ORDER BY number LIMIT ?)",
                (max(0, count - rows),),
            )


def disagreements(
    connection: apsw.Connection, *, collection: str | None, limit: int, before: int | None
) -> list[tuple[int, Disagreement]]:
    """Logged searches, newest first.

    Args:
        connection: In a transaction.
        collection: Of these, None for all.
        limit: At most this many.
        before: Number of the search after which the page starts, None for the newest.

    Returns:
        Internal number and disagreement, triples without chunk texts.
    """
    found = fetch(
        connection,
        "SELECT number, id, at, CASE hashed WHEN 0 THEN query END, collection, mode, strategy, weights, "
        "k, disagreement, vector_leg, keyword_leg, asked, coalesce(first_at, at), session, "
        "(SELECT e.id FROM search AS e WHERE e.number = s.reformulates) FROM search AS s "
        "WHERE number < ?1 AND (?2 IS NULL OR collection = ?2) ORDER BY number DESC LIMIT ?3",
        (2**63 - 1 if before is None else before, collection, limit),
    )
    return [(row[0], _disagreement(row, _triples(connection, row[0], row[3]))) for row in found]


def evidence(connection: apsw.Connection, collection: str) -> list[tuple[float, float, int]]:
    """What the latest searches told of a collection, oldest first: gap, best, agreed."""
    rows = fetch(
        connection,
        "SELECT gap, best, agreed FROM (SELECT number, collection, gap, best, agreed FROM search "
        "WHERE number > coalesce((SELECT value FROM meta WHERE name = 'evidence_after'), 0) "
        "ORDER BY number DESC LIMIT ?) WHERE collection = ? AND gap IS NOT NULL ORDER BY number",
        (_RECENT, collection),
    )
    return [(float(gap), float(best), int(agreed)) for gap, best, agreed in rows]


def entries_of(text: str) -> tuple[LegEntry, ...]:
    """A leg as it was stored."""
    return tuple(LegEntry(chunk, score) for chunk, score in json.loads(text))


def _triples(connection: apsw.Connection, number: int, query: str | None) -> tuple[Triple, ...]:
    # Without its query a triple teaches nothing.
    if query is None:
        return ()
    rows = connection.execute(
        "SELECT positive, negative, kind, evidence FROM triple WHERE search = ? ORDER BY id",
        (number,),
    )
    return tuple(
        Triple(query, positive, negative, kind, json.loads(evidence))
        for positive, negative, kind, evidence in rows
    )


def _disagreement(row: Sequence[Any], triples: tuple[Triple, ...]) -> Disagreement:
    return Disagreement(
        search_id=row[1],
        query=row[3],
        at=to_datetime(row[2]),
        collection=row[4],
        mode=row[5],
        strategy=row[6],
        weights=Weights(*json.loads(row[7])),
        k=row[8],
        disagreement=row[9],
        vector_leg=entries_of(row[10]),
        keyword_leg=entries_of(row[11]),
        triples=triples,
        asked=row[12],
        first_at=to_datetime(row[13]),
        session=row[14],
        reformulates=row[15],
    )
