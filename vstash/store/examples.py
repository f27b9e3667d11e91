"""Queries of a collection that learners learn from: logged ones, and those whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, NamedTuple

import apsw

from vstash.store.connection import fetch

__all__ = ["StoredExample", "examples"]

_LOGGED: Final = (
    "SELECT 'search', query, number, NULL FROM search WHERE collection = ?1 AND hashed = 0 "
    "ORDER BY number DESC LIMIT ?2"
)
_LABELLED: Final = (
    "SELECT 'labelled', q.query, max(q.number), json_group_array(q.positive) FROM made_query AS q "
    "JOIN document AS d ON d.number = q.document JOIN collection AS c ON c.id = d.collection "
    "WHERE c.name = ?1 AND q.form = 'labelled' GROUP BY q.query ORDER BY 3 DESC LIMIT ?2"
)
_HELPED: Final = (
    "SELECT chunk FROM feedback WHERE search = ? AND verdict IN ('helpful', 'cited') "
    "AND chunk IS NOT NULL ORDER BY chunk"
)


class StoredExample(NamedTuple):
    """A query, and the chunks that answer it as far as that is known.

    Attributes:
        origin: ``search``: from the log; ``labelled``: given with judgements.
        answers: Chunk ids: those that helped or were cited, or were judged to answer it; mostly none.
    """

    origin: str
    query: str
    answers: tuple[int, ...]


def examples(connection: apsw.Connection, collection: str, limit: int) -> list[StoredExample]:
    """The newest queries of a collection.

    Args:
        connection: In a transaction.
        collection: Its name.
        limit: At most this many of each origin.
    """
    return list(_examples(connection, collection, limit))


def _examples(connection: apsw.Connection, collection: str, limit: int) -> Iterator[StoredExample]:
    for _, query, number, _ in fetch(connection, _LOGGED, (collection, limit)):
        helped = tuple(int(row[0]) for row in fetch(connection, _HELPED, (number,)))
        yield StoredExample("search", query, helped)
    for _, query, _, answers in fetch(connection, _LABELLED, (collection, limit)):
        yield StoredExample("labelled", query, tuple(json.loads(answers)))
