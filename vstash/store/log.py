"""The disagreement log: searches, what each leg listed, and the triples that followed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import apsw
import numpy as np

from vstash.store.connection import fetch, id_list
from vstash.store.documents import to_datetime
from vstash.store.rows import SearchRow
from vstash.types import Disagreement, LegEntry, Triple, Weights

__all__ = ["append", "disagreements", "evidence", "lists_living", "trim"]

# Searches of a file that are looked through for those of one collection.
_RECENT: Final = 512


def _entries(leg: Sequence[LegEntry]) -> str:
    return json.dumps([[entry.chunk_id, round(entry.score, 6)] for entry in leg])


def lists_living(connection: apsw.Connection, row: SearchRow) -> bool:
    """Whether all chunks that a search lists are there."""
    listed = {entry.chunk_id for entry in (*row.vector_leg, *row.keyword_leg)}
    ids = np.array(sorted(listed), dtype=np.int64)
    found = fetch(connection, "SELECT count(*) FROM chunk WHERE id IN carray(?)", (id_list(ids),))
    return bool(found[0][0] == len(listed))


def append(connection: apsw.Connection, row: SearchRow) -> None:
    """Write one search and its triples; triples about chunks that are gone are left out."""
    connection.execute(
        "INSERT INTO search (id, at, query, collection, mode, strategy, weights, k, disagreement, "
        "vector_leg, keyword_leg, gap, best, agreed) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            _entries(row.vector_leg),
            _entries(row.keyword_leg),
            *(row.evidence or (None, None, None)),
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


def trim(connection: apsw.Connection, *, rows: int, oldest: int) -> None:
    """Forget searches beyond a count, and those before a time in microseconds."""
    connection.execute("DELETE FROM search WHERE at < ?", (oldest,))
    connection.execute(
        "DELETE FROM search WHERE number <= (SELECT max(number) FROM search) - ?", (rows,)
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
        "SELECT number, id, at, query, collection, mode, strategy, weights, k, disagreement, "
        "vector_leg, keyword_leg FROM search WHERE number < ?1 AND (?2 IS NULL OR collection = ?2) "
        "ORDER BY number DESC LIMIT ?3",
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


def _leg(text: str) -> tuple[LegEntry, ...]:
    return tuple(LegEntry(chunk, score) for chunk, score in json.loads(text))


def _triples(connection: apsw.Connection, number: int, query: str) -> tuple[Triple, ...]:
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
        vector_leg=_leg(row[10]),
        keyword_leg=_leg(row[11]),
        triples=triples,
    )
