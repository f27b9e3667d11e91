"""How much a file holds."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from vstash.store.connection import fetch
from vstash.store.rows import StoreCounts, StoreGauges
from vstash.types import ModelInfo

__all__ = ["counts", "documents_by_collection", "gauges"]

_FILE_BYTES = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"


def counts(
    connection: apsw.Connection, model: tuple[int, ModelInfo] | None, *, awaiting: int
) -> StoreCounts:
    """Count what a file holds.

    Args:
        connection: In a transaction.
        model: The active model and its number, None in a file without one.
        awaiting: Chunks without a vector.
    """

    def one(sql: str) -> int:
        row = connection.execute(sql).fetchone()
        return 0 if row is None else int(row[0])

    mean = connection.execute("SELECT avg(disagreement) FROM search").fetchone()
    collections = connection.execute(
        "SELECT name, (SELECT count(*) FROM document WHERE collection = c.id) "
        "FROM collection c ORDER BY name"
    )
    return StoreCounts(
        documents=one("SELECT count(*) FROM document"),
        chunks=one("SELECT count(*) FROM chunk"),
        vectors=0 if model is None else one(f"SELECT count(*) FROM vector_{model[0]}"),
        awaiting=awaiting,
        collections={str(name): int(count) for name, count in collections},
        searches=one("SELECT count(*) FROM search"),
        triples=one("SELECT count(*) FROM triple"),
        feedback=one("SELECT count(*) FROM feedback"),
        mean_disagreement=None if mean is None else mean[0],
        file_bytes=one(_FILE_BYTES),
        schema_version=one("SELECT max(version) FROM migration"),
        sqlite_version=apsw.sqlite_lib_version(),
    )


def documents_by_collection(
    connection: apsw.Connection, condition: str, binds: Sequence[object]
) -> dict[str, int]:
    """How many documents meet a condition, by their collection's name.

    Args:
        connection: In a transaction.
        condition: SQL over ``d`` and ``c``, made of constants of this package.
        binds: Its parameters.
    """
    rows = fetch(
        connection,
        "SELECT c.name, count(*) FROM document d JOIN collection c ON c.id = d.collection "
        f"WHERE {condition} GROUP BY c.name ORDER BY c.name",
        binds,
    )
    return {str(name): int(count) for name, count in rows}


def gauges(connection: apsw.Connection) -> StoreGauges:
    """Count what costs little to count.

    Args:
        connection: In a transaction.
    """
    rows = connection.execute(
        "SELECT (SELECT count(*) FROM document), "
        "(SELECT avg(disagreement) FROM "
        "(SELECT disagreement FROM search ORDER BY number DESC LIMIT 1000)), "
        "(SELECT count(*) FROM job WHERE state IN ('queued', 'running')), "
        f"({_FILE_BYTES})"
    )
    return StoreGauges(*next(rows))
