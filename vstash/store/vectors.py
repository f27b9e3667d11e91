"""Vectors: the truth in a plain table per model, sign codes in a vec0 table beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np

from vstash.store.connection import fetch, id_list
from vstash.store.faults import require, unreadable
from vstash.store.rows import Leg
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = [
    "EXACT_LIMIT",
    "active_model",
    "best",
    "coarse",
    "cosines",
    "delete_vectors",
    "insert_vectors",
    "register_model",
    "sample",
]

# Up to here every allowed vector is scored exactly; above, sign codes choose the survivors. It is
# also the largest k that vec0 takes.
EXACT_LIMIT = 4096
# Recall@10 of codes against codes with the shipped model over 69,638 real passages: .960 with 200
# survivors, .982 with 400, .994 with 800.
_SURVIVORS = 800
_FLOAT_BYTES = 4


def register_model(connection: apsw.Connection, info: ModelInfo) -> int:
    """Make a model the file's active one and create its tables.

    Args:
        connection: The write connection inside its transaction.
        info: The model; its dimension is fixed from now on.

    Returns:
        The model's number in the file.
    """
    connection.execute("UPDATE model SET active = 0 WHERE active = 1")
    connection.execute(
        "INSERT INTO model (name, dimension, sha256, max_tokens, pooling, query_prefix, "
        "passage_prefix, background_mean, background_deviation, active) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (
            info.name,
            info.dimension,
            info.sha256,
            info.max_tokens,
            info.pooling,
            info.query_prefix,
            info.passage_prefix,
            info.background_mean,
            info.background_deviation,
        ),
    )
    number = connection.last_insert_rowid()
    connection.execute(
        f"CREATE TABLE vector_{number} (chunk INTEGER PRIMARY KEY REFERENCES chunk (id), "
        f"value BLOB NOT NULL CHECK (length(value) = {4 * info.dimension})) STRICT"
    )
    connection.execute(
        f"CREATE VIRTUAL TABLE coarse_{number} USING vec0 (code bit[{_code_bits(info.dimension)}])"
    )
    return number


def active_model(connection: apsw.Connection) -> tuple[int, ModelInfo] | None:
    """The model that the file's vectors were made with, None in a file without one."""
    row = connection.execute(
        "SELECT id, name, dimension, sha256, max_tokens, pooling, query_prefix, passage_prefix, "
        "background_mean, background_deviation FROM model WHERE active = 1"
    ).fetchone()
    return None if row is None else (row[0], ModelInfo(*row[1:]))


def _code_bits(dimension: int) -> int:
    return -(-dimension // 8) * 8


def sign_codes(vectors: FloatArray) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """One bit per component, set where it is positive: shape (n, ceil(dimension / 8)), uint8."""
    return np.packbits(vectors > 0, axis=1)


def _require_codes(connection: apsw.Connection, model: int) -> None:
    """Make sure of vec0's own tables: with a damaged schema its statements crash the process."""
    try:
        connection.execute(f"SELECT id, chunk_id, chunk_offset FROM coarse_{model}_rowids LIMIT 0")
        connection.execute(f"SELECT size, validity, rowids FROM coarse_{model}_chunks LIMIT 0")
        connection.execute(f"SELECT vectors FROM coarse_{model}_vector_chunks00 LIMIT 0")
    except apsw.SQLError:
        raise unreadable() from None


def insert_vectors(
    connection: apsw.Connection, model: int, ids: Sequence[int], vectors: FloatArray
) -> None:
    """Store vectors and their codes.

    Args:
        connection: The write connection inside its transaction.
        model: The model's number in the file.
        ids: Chunk ids that have no vector yet.
        vectors: Shape (len(ids), dimension), float32, length 1.
    """
    _require_codes(connection, model)
    connection.executemany(
        f"INSERT INTO vector_{model} (chunk, value) VALUES (?, ?)",
        zip(ids, map(bytes, vectors), strict=True),
    )
    connection.executemany(
        f"INSERT INTO coarse_{model} (rowid, code) VALUES (?, vec_bit(?))",
        zip(ids, map(bytes, sign_codes(vectors)), strict=True),
    )


def delete_vectors(connection: apsw.Connection, model: int, ids: Iterable[int]) -> None:
    """Remove vectors and codes of chunks."""
    _require_codes(connection, model)
    gone = [(chunk,) for chunk in ids]
    connection.executemany(f"DELETE FROM vector_{model} WHERE chunk = ?", gone)
    connection.executemany(f"DELETE FROM coarse_{model} WHERE rowid = ?", gone)


def _matrix(rows: Sequence[tuple[Any, ...]], dimension: int) -> tuple[IdArray, FloatArray]:
    ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
    joined = b"".join(row[1] for row in rows)
    require(len(joined) == _FLOAT_BYTES * dimension * len(rows))
    values = np.frombuffer(joined, dtype="<f4")
    return ids, values.reshape(len(rows), dimension)


def cosines(
    connection: apsw.Connection, model: int, query: FloatArray, ids: IdArray | None
) -> tuple[IdArray, FloatArray]:
    """True cosines of chunks with a query.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
        query: Shape (dimension,), float32, length 1.
        ids: Chunk ids, shape (n,); None for all.

    Returns:
        The ids that have a vector, in ascending order, and their cosines.
    """
    sql = f"SELECT chunk, value FROM vector_{model}"
    if ids is None:
        rows = fetch(connection, sql)
    else:
        rows = fetch(connection, f"{sql} WHERE chunk IN carray(?) ORDER BY chunk", (id_list(ids),))
    found, matrix = _matrix(rows, len(query))
    return found, matrix @ query


def best(
    connection: apsw.Connection,
    model: int,
    query: FloatArray,
    *,
    depth: int,
    among: IdArray | None,
) -> Leg:
    """The best of some chunks by true cosine.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
        query: Shape (dimension,), float32, length 1.
        depth: Length of the list, at least 1.
        among: Chunk ids to score, None for all.

    Returns:
        The list, best first; ties by id.
    """
    ids, scores = cosines(connection, model, query, among)
    first = np.lexsort((ids, -scores))[:depth]
    return Leg(ids[first], scores[first])


def coarse(
    connection: apsw.Connection,
    model: int,
    query: FloatArray,
    *,
    depth: int,
    allowed: IdArray | None,
) -> IdArray:
    """Chunks that hold the best by cosine as far as signs can tell, by sqlite-vec's own search.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
        query: Shape (dimension,), float32.
        depth: How many exact neighbours are to be found among them.
        allowed: Chunk ids that may be listed, None for all.

    Returns:
        At most 4,096 ids, ascending.
    """
    _require_codes(connection, model)
    count = min(max(_SURVIVORS, 4 * depth), EXACT_LIMIT)
    code = bytes(sign_codes(query[np.newaxis, :])[0])
    sql = f"SELECT rowid FROM coarse_{model} WHERE code MATCH vec_bit(?) AND k = ?"
    binds: list[object] = [code, count]
    if allowed is not None:
        sql += " AND rowid IN carray(?)"
        binds.append(id_list(allowed))
    rows = fetch(connection, sql, binds)
    return np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows)))


def sample(
    connection: apsw.Connection, model: int, size: int, dimension: int, allowed: IdArray | None
) -> FloatArray:
    """Vectors of chunks spread evenly over the file, or over the allowed ones.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
        size: At most this many.
        dimension: Of the model.
        allowed: Chunk ids to choose from, None for all.

    Returns:
        Shape (n, dimension), n <= size.
    """
    if allowed is None:
        bounds = connection.execute(f"SELECT min(chunk), max(chunk) FROM vector_{model}").fetchone()
        if bounds is None or bounds[0] is None:
            return np.empty((0, dimension), dtype=np.float32)
        points = np.unique(np.linspace(bounds[0], bounds[1], size).astype(np.int64))
        rows = fetch(
            connection,
            "SELECT DISTINCT v.chunk, v.value FROM carray(?) AS point "
            f"JOIN vector_{model} AS v ON v.chunk = (SELECT min(chunk) FROM vector_{model} "
            "WHERE chunk >= point.value)",
            (id_list(points),),
        )
        return _matrix(rows, dimension)[1]
    chosen = allowed[np.unique(np.linspace(0, len(allowed) - 1, size).astype(np.int64))]
    rows = fetch(
        connection,
        f"SELECT chunk, value FROM vector_{model} WHERE chunk IN carray(?)",
        (id_list(chosen),),
    )
    return _matrix(rows, dimension)[1]
