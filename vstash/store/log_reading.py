"""The log of searches as a whole, for a report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import apsw

from vstash.store.connection import fetch
from vstash.types import TripleKind

__all__ = ["LogReader"]


class LogReader:
    """Reads the log of a collection, or of all.

    Args:
        connection: In a transaction.
        collection: That was searched, None for all.
    """

    def __init__(self, connection: apsw.Connection, collection: str | None) -> None:
        self._connection = connection
        self._collection = collection

    def searches(self) -> Iterator[Mapping[str, Any]]:
        """Every search by column name, newest first."""
        rows = self._connection.execute(
            "SELECT at, CASE hashed WHEN 0 THEN query END, collection, disagreement, asked, "
            "session IS NOT NULL, reformulates IS NOT NULL, masked, "
            "EXISTS (SELECT 1 FROM triple WHERE search = number) FROM search "
            "WHERE ?1 IS NULL OR collection = ?1 ORDER BY number DESC",
            (self._collection,),
        )
        names = (
            *("at", "query", "collection", "disagreement", "asked", "in_session"),
            *("reformulates", "masked", "with_triples"),
        )
        for row in rows:
            found: dict[str, Any] = dict(zip(names, row, strict=True))
            yield found | {"masked": json.loads(found["masked"] or "{}")}

    def triples(self) -> dict[TripleKind, int]:
        """How many triples there are, by kind."""
        rows = fetch(
            self._connection,
            "SELECT t.kind, count(*) FROM triple AS t JOIN search AS s ON s.number = t.search "
            "WHERE ?1 IS NULL OR s.collection = ?1 GROUP BY t.kind ORDER BY t.kind",
            (self._collection,),
        )
        return dict(rows)

    def helpful(self) -> Iterator[tuple[int, list[int], list[int]]]:
        """Chunks that helped, each with what the vector leg and the keyword leg of its search list."""
        rows = self._connection.execute(
            "SELECT f.chunk, s.vector_leg, s.keyword_leg FROM feedback AS f "
            "JOIN search AS s ON s.number = f.search WHERE f.verdict IN ('helpful', 'cited') "
            "AND f.chunk IS NOT NULL AND (?1 IS NULL OR s.collection = ?1)",
            (self._collection,),
        )
        for chunk, *legs in rows:
            vector, keyword = ([int(each[0]) for each in json.loads(str(leg))] for leg in legs)
            yield int(str(chunk)), vector, keyword
