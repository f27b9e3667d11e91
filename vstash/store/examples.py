"""What a collection's searches, and queries made from it, say should rank above what."""

from __future__ import annotations

from typing import Final, NamedTuple

import apsw

from vstash.store.connection import fetch
from vstash.types import TripleKind

__all__ = ["StoredExample", "examples"]

_LOGGED: Final = (
    "SELECT 'search', s.query, t.positive, t.negative, c.document, t.kind, s.at "
    "FROM triple AS t JOIN search AS s ON s.number = t.search JOIN chunk AS c ON c.id = t.positive "
    "WHERE s.collection = ?1 AND s.hashed = 0"
)
_MADE: Final = (
    "SELECT CASE q.form WHEN 'labelled' THEN 'labelled' ELSE 'made' END, q.query, q.positive, "
    "t.negative, q.document, t.kind, q.made_at FROM made_triple AS t "
    "JOIN made_query AS q ON q.number = t.made JOIN document AS d ON d.number = q.document "
    "JOIN collection AS c ON c.id = d.collection WHERE c.name = ?1"
)


class StoredExample(NamedTuple):
    """A query with a chunk that should rank above another one.

    Attributes:
        origin: ``search``: from the log; ``made``: from the corpus; ``labelled``: from judgements.
        document: Number of the positive chunk's.
    """

    origin: str
    query: str
    positive: int
    negative: int
    document: int
    kind: TripleKind


def examples(connection: apsw.Connection, collection: str, limit: int) -> list[StoredExample]:
    """The newest examples of a collection, the newest first.

    Args:
        connection: In a transaction.
        collection: Its name.
        limit: At most this many triples.
    """
    rows = fetch(
        connection,
        f"SELECT * FROM ({_LOGGED} UNION ALL {_MADE}) ORDER BY 7 DESC, 2, 3, 4 LIMIT ?2",
        (collection, limit),
    )
    return [StoredExample(*row[:6]) for row in rows]
