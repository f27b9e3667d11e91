"""All triples of a file, whatever their queries are from, to be summed up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import apsw

from vstash.feedback import VerdictName
from vstash.store.connection import fetch
from vstash.types import MaskReason, TripleKind

__all__ = ["TaughtReader", "TaughtRow"]

# The log, then queries of which the answer is known; each in the collection ?1, or in any. A made query tells
# of its document, which is hidden from when it expires.
_LOGGED: Final = "search AS s WHERE s.hashed = 0 AND (?1 IS NULL OR s.collection = ?1)"
_MADE: Final = (
    "made_query AS m JOIN document AS d ON d.number = m.document "
    "JOIN collection AS c ON c.id = d.collection WHERE (?1 IS NULL OR c.name = ?1) "
    "AND (d.expires_at IS NULL OR d.expires_at > ?2)"
)


@dataclass(frozen=True, slots=True)
class TaughtRow:
    """A triple as it is stored.

    Attributes:
        source: ``search`` for the log, else a form.
        evidence: JSON, which takes a fraction of the memory that an object does.
        document: Internal number of the positive's document.
        said_of_positive: The verdict on it for this query, None for none.
        said_of_negative: The same of the negative.
    """

    source: str
    query: str
    positive: int
    negative: int
    kind: TripleKind
    evidence: str
    document: int
    said_of_positive: VerdictName | None
    said_of_negative: VerdictName | None


class TaughtReader:
    """Reads the triples of a collection, or of all.

    Args:
        connection: In a transaction.
        collection: None for all.
        now: Microseconds since the epoch.
    """

    def __init__(self, connection: apsw.Connection, collection: str | None, now: int) -> None:
        self._connection = connection
        self._collection = (collection,)
        self._living = (collection, now)

    def triples(self) -> Iterator[TaughtRow]:
        """Every triple."""
        said = "(SELECT verdict FROM feedback AS f WHERE f.search = s.number AND f.chunk = t.{})"
        logged = self._connection.execute(
            "SELECT 'search', s.query, t.positive, t.negative, t.kind, t.evidence, "
            "(SELECT document FROM chunk WHERE id = t.positive), "
            f"{said.format('positive')}, {said.format('negative')} "
            f"FROM triple AS t JOIN {_LOGGED.replace(' WHERE', ' ON s.number = t.search WHERE', 1)}",
            self._collection,
        )
        made = self._connection.execute(
            "SELECT m.form, m.query, m.positive, t.negative, t.kind, t.evidence, m.document, NULL, NULL "
            f"FROM made_triple AS t JOIN {_MADE.replace(' AS m', ' AS m ON m.number = t.made', 1)}",
            self._living,
        )
        for rows in (logged, made):
            for row in rows:
                values: tuple[Any, ...] = row
                yield TaughtRow(*values)

    def queries(self) -> list[tuple[str, int, float]]:
        """Queries by source, the log first: its name, how many, their mean disagreement."""
        logged = fetch(
            self._connection,
            f"SELECT 'search', count(*), avg(s.disagreement) FROM {_LOGGED}",
            self._collection,
        )
        made = fetch(
            self._connection,
            f"SELECT m.form, count(*), avg(m.disagreement) FROM {_MADE} GROUP BY m.form "
            "ORDER BY m.form",
            self._living,
        )
        return [
            (str(name), int(count), float(mean)) for name, count, mean in (*logged, *made) if count
        ]

    def masked(self) -> dict[tuple[str, MaskReason], int]:
        """Negatives that were passed over, by source and reason."""
        rows = fetch(
            self._connection,
            "SELECT name, key, sum(value) FROM (SELECT 'search' AS name, s.masked AS masked FROM "
            f"{_LOGGED} UNION ALL SELECT m.form, m.masked FROM {_MADE}), json_each(masked) "
            "GROUP BY name, key",
            self._living,
        )
        return {(str(name), key): int(count) for name, key, count in rows}

    def size(self) -> tuple[int, int]:
        """How many documents and chunks there are."""
        rows = fetch(
            self._connection,
            "SELECT count(*), coalesce(sum(d.chunk_count), 0) FROM document AS d "
            "JOIN collection AS c ON c.id = d.collection WHERE ?1 IS NULL OR c.name = ?1",
            self._collection,
        )
        return int(rows[0][0]), int(rows[0][1])
