"""Queries of which the answer is known: made from the corpus, or given with judgements."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import apsw
import numpy as np

from vstash.mining import Form, MadeQuery
from vstash.store.connection import fetch, id_list
from vstash.store.documents import to_datetime
from vstash.store.filter_sql import visible
from vstash.store.log import entries, entries_of
from vstash.store.rows import TripleRow
from vstash.store.traces import LoggedQuery
from vstash.types import LegEntry, MaskReason, Triple

__all__ = ["MadeReader", "MadeRow", "MadeWriter"]

_OF: Final = (
    "made_query AS m JOIN document AS d ON d.number = m.document "
    "JOIN collection AS c ON c.id = d.collection"
)
_WANTED: Final = "(?1 IS NULL OR c.name = ?1) AND (?2 IS NULL OR m.form = ?2)"


@dataclass(frozen=True, slots=True)
class MadeRow:
    """A query to be stored.

    Attributes:
        document: The id of the document that answers it.
        positive: The chunk of it that does.
        masked: By reason, how many negatives were passed over.
    """

    document: str
    positive: int
    form: Form
    query: str
    disagreement: float
    vector_leg: Sequence[LegEntry]
    keyword_leg: Sequence[LegEntry]
    triples: Sequence[TripleRow]
    masked: Mapping[MaskReason, int]


class MadeReader:
    """Reads them.

    Args:
        connection: In a transaction.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def upto(self, collection: str, form: Form) -> int:
        """The number of the last document that queries of a form were made from, 0 for none."""
        rows = fetch(
            self._connection,
            "SELECT upto FROM mining WHERE form = ? AND collection = "
            "(SELECT id FROM collection WHERE name = ?)",
            (form, collection),
        )
        return int(rows[0][0]) if rows else 0

    def documents(self, collection: str, *, now: int, upto: int | None = None) -> int:
        """How many documents of a collection there are, those after a number left out.

        Args:
            collection: Its name.
            now: Microseconds since the epoch; what has expired by then does not count.
            upto: None for all.
        """
        condition, binds = visible(collection, None, now=now)
        rows = fetch(
            self._connection,
            "SELECT count(*) FROM document d JOIN collection c ON c.id = d.collection "
            f"WHERE {condition} AND (? IS NULL OR d.number <= ?)",
            (*binds, upto, upto),
        )
        return int(rows[0][0])

    def page(
        self, collection: str | None, form: Form | None, *, limit: int, before: int | None, now: int
    ) -> list[MadeQuery]:
        """Queries with their triples, newest first.

        Args:
            collection: Of the documents, None for all.
            form: How they were made, None for all.
            limit: At most this many.
            before: The number after which the page starts, None for the newest.
            now: Microseconds since the epoch; those of documents that have expired by then are hidden.
        """
        rows = fetch(
            self._connection,
            "SELECT m.number, m.query, m.form, c.name, d.id, m.positive, m.disagreement, m.vector_leg, "
            f"m.keyword_leg, m.masked, m.made_at FROM {_OF} WHERE {_WANTED} AND m.number < ?3 "
            "AND (d.expires_at IS NULL OR d.expires_at > ?5) ORDER BY m.number DESC LIMIT ?4",
            (collection, form, 2**63 - 1 if before is None else before, limit, now),
        )
        triples = self._triples([row[0] for row in rows])
        return [_query(row, triples.get(row[0], [])) for row in rows]

    def _triples(self, numbers: Sequence[int]) -> dict[int, list[tuple[Any, ...]]]:
        rows = fetch(
            self._connection,
            "SELECT made, negative, kind, evidence FROM made_triple WHERE made IN carray(?) "
            "ORDER BY id",
            (id_list(np.array(sorted(numbers), dtype=np.int64)),),
        )
        found: dict[int, list[tuple[Any, ...]]] = {}
        for made, *triple in rows:
            found.setdefault(made, []).append(tuple(triple))
        return found

    def telling(self, *, after: int) -> Iterator[LoggedQuery]:
        """What each query tells of documents, after a number, oldest first."""
        rows = self._connection.execute(
            f"SELECT m.number, c.name, m.query, m.positive, m.vector_leg, m.keyword_leg FROM {_OF} "
            "WHERE m.number > ? ORDER BY m.number",
            (after,),
        )
        for number, collection, query, positive, *legs in rows:
            listed = {int(entry[0]) for leg in legs for entry in json.loads(str(leg))}
            chunks = frozenset(listed | {int(str(positive))})
            yield LoggedQuery(int(str(number)), str(collection), str(query), chunks)


class MadeWriter(MadeReader):
    """Stores and removes them, inside a write transaction."""

    def add(self, row: MadeRow, *, now: int) -> bool:
        """Store a query with its triples; returns whether it was stored.

        Not where it is there already, or a chunk that it lists was removed meanwhile: that may have been
        forgotten, and who forgot it could not see this.
        """
        chunks = {entry.chunk_id for entry in (*row.vector_leg, *row.keyword_leg)} | {row.positive}
        living = fetch(
            self._connection,
            "SELECT count(*) FROM chunk WHERE id IN carray(?)",
            (id_list(np.array(sorted(chunks), dtype=np.int64)),),
        )
        if living[0][0] != len(chunks):
            return False
        number = fetch(
            self._connection,
            "INSERT OR IGNORE INTO made_query (document, positive, form, query, disagreement, "
            "vector_leg, keyword_leg, masked, made_at) SELECT d.number, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 "
            "FROM document AS d JOIN chunk ON chunk.document = d.number "
            "WHERE d.id = ?1 AND chunk.id = ?2 RETURNING number",
            (
                row.document,
                row.positive,
                row.form,
                row.query,
                row.disagreement,
                entries(row.vector_leg),
                entries(row.keyword_leg),
                json.dumps(row.masked) if row.masked else None,
                now,
            ),
        )
        self._connection.executemany(
            "INSERT INTO made_triple (made, negative, kind, evidence) VALUES (?, ?, ?, ?)",
            (
                (made, triple.negative, triple.kind, triple.evidence)
                for (made,) in number
                for triple in row.triples
            ),
        )
        return bool(number)

    def reach(self, collection: str, form: Form, number: int) -> None:
        """Remember the last document that queries of a form were made from."""
        self._connection.execute(
            "INSERT INTO mining (collection, form, upto) "
            "SELECT id, ?2, ?3 FROM collection WHERE name = ?1 "
            "ON CONFLICT (collection, form) DO UPDATE SET upto = max(upto, ?3)",
            (collection, form, number),
        )

    def restart(self, collection: str | None, form: Form | None) -> int:
        """Begin anew with making queries; returns the number of the last that was made."""
        self._connection.execute(
            "DELETE FROM mining WHERE (?2 IS NULL OR form = ?2) AND (?1 IS NULL OR collection = "
            "(SELECT id FROM collection WHERE name = ?1))",
            (collection, form),
        )
        rows = fetch(self._connection, "SELECT coalesce(max(number), 0) FROM made_query")
        return int(rows[0][0])

    def remove(
        self, collection: str | None, form: Form | None, *, after: int, upto: int, limit: int
    ) -> list[int]:
        """Remove the next queries of these numbers, with their triples; returns which.

        Args:
            collection: Of the documents, None for all.
            form: How they were made, None for all.
            after: Only those of a higher number.
            upto: And of this one at most.
            limit: At most this many.
        """
        rows = fetch(
            self._connection,
            f"SELECT m.number FROM {_OF} WHERE {_WANTED} AND m.number > ?3 AND m.number <= ?4 "
            "ORDER BY m.number LIMIT ?5",
            (collection, form, after, upto, limit),
        )
        numbers = [int(row[0]) for row in rows]
        self._connection.execute(
            "DELETE FROM made_query WHERE number IN carray(?)",
            (id_list(np.array(numbers, dtype=np.int64)),),
        )
        return numbers


def _query(row: tuple[Any, ...], triples: Sequence[tuple[Any, ...]]) -> MadeQuery:
    number, query, form, collection, document, positive, disagreement, *rest = row
    vector_leg, keyword_leg, masked, made_at = rest
    return MadeQuery(
        number=number,
        query=query,
        form=form,
        collection=collection,
        document_id=document,
        positive_chunk_id=positive,
        disagreement=disagreement,
        vector_leg=entries_of(vector_leg),
        keyword_leg=entries_of(keyword_leg),
        masked=json.loads(masked or "{}"),
        made_at=to_datetime(made_at),
        triples=tuple(
            Triple(
                query,
                positive,
                negative,
                kind,
                json.loads(evidence),
                origin="labelled" if form == "labelled" else "made",
            )
            for negative, kind, evidence in triples
        ),
    )
