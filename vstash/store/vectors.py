"""Vectors: the truth in a plain table per model, sign codes in a vec0 table beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np

from vstash.store.code_table import Estimates
from vstash.store.connection import fetch, id_list
from vstash.store.faults import require, unreadable
from vstash.store.rows import Leg
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = [
    "EXACT_LIMIT",
    "PLAIN_LIMIT",
    "active_model",
    "best",
    "coarse",
    "cosines",
    "delete_vectors",
    "in_parts",
    "insert_signs",
    "insert_vectors",
    "require_signs",
    "sample",
    "sample_state",
    "sign_codes",
    "surest",
    "vectors_of",
]

# Up to here every allowed vector is scored exactly: reading one costs some 3 microseconds.
EXACT_LIMIT = 256
# The largest k that vec0 takes; up to here its plain search compares every vector.
PLAIN_LIMIT = 4096
# Recall@10 of codes against codes with the shipped model over 69,638 real passages: .960 with 200
# survivors, .982 with 400, .994 with 800.
_SURVIVORS = 800
# Vectors read first by the fast search, then as many again each time, and at most. It goes on until no
# estimate that is left, with 3.5 deviations of what the estimates were wrong by, reaches the last hit
# to be sure of.
_STEP = 64
_MOST_READ = 2048
_DEVIATIONS = 3.5
_FLOAT_BYTES = 4
# Up to here a sample takes in each new chunk; above, its reach grows by some 2 or 3 % at a time.
_WHOLE_SAMPLE = 1024
_SAMPLE_BITS = 6


def active_model(connection: apsw.Connection) -> tuple[int, ModelInfo] | None:
    """The model that the file's vectors were made with, None in a file without one.

    Exactly one is active; in a file that was changed by hand the newest counts.
    """
    row = connection.execute(
        "SELECT id, name, dimension, sha256, max_tokens, pooling, query_prefix, passage_prefix, "
        "background_mean, background_deviation FROM model ORDER BY active DESC, id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else (row[0], ModelInfo(*row[1:]))


def sign_codes(vectors: FloatArray) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """One bit per component, set where it is positive: shape (n, ceil(dimension / 8)), uint8."""
    return np.packbits(vectors > 0, axis=1)


def require_signs(connection: apsw.Connection, model: int) -> None:
    """Make sure of vec0's own tables: with a damaged schema its statements crash the process."""
    try:
        connection.execute(f"SELECT id, chunk_id, chunk_offset FROM coarse_{model}_rowids LIMIT 0")
        connection.execute(f"SELECT size, validity, rowids FROM coarse_{model}_chunks LIMIT 0")
        connection.execute(f"SELECT vectors FROM coarse_{model}_vector_chunks00 LIMIT 0")
    except apsw.SQLError:
        raise unreadable() from None


def insert_vectors(
    connection: apsw.Connection, model: int, ids: IdArray, vectors: FloatArray
) -> None:
    """Store vectors, and their signs in vec0's table.

    Args:
        connection: The write connection inside its transaction.
        model: The model's number in the file.
        ids: Chunk ids that have no vector yet, shape (n,).
        vectors: Shape (n, dimension), float32, length 1.
    """
    require_signs(connection, model)
    connection.executemany(
        f"INSERT INTO vector_{model} (chunk, value) VALUES (?, ?)",
        zip(ids.tolist(), map(bytes, vectors.astype("<f4", copy=False)), strict=True),
    )
    insert_signs(connection, model, ids, vectors)


def insert_signs(
    connection: apsw.Connection, model: int, ids: IdArray, vectors: FloatArray
) -> None:
    """Store the signs of vectors in vec0's table, for chunks that have none there."""
    connection.executemany(
        f"INSERT INTO coarse_{model} (rowid, code) VALUES (?, vec_bit(?))",
        zip(ids.tolist(), map(bytes, sign_codes(vectors)), strict=True),
    )


def delete_vectors(connection: apsw.Connection, model: int, ids: Iterable[int]) -> None:
    """Remove vectors and codes of chunks."""
    require_signs(connection, model)
    gone = [(chunk,) for chunk in ids]
    connection.executemany(f"DELETE FROM vector_{model} WHERE chunk = ?", gone)
    connection.executemany(f"DELETE FROM coarse_{model} WHERE rowid = ?", gone)


def in_parts(
    connection: apsw.Connection, model: int, size: int = 4096
) -> Iterator[tuple[IdArray, FloatArray]]:
    """All vectors of a model in parts of bounded size, by ascending chunk id."""
    dimension = _dimension(connection, model)
    last = -1
    while True:
        rows = fetch(
            connection,
            f"SELECT chunk, value FROM vector_{model} WHERE chunk > ? ORDER BY chunk LIMIT ?",
            (last, size),
        )
        if not rows:
            return
        last = rows[-1][0]
        yield _matrix(rows, dimension)


def _dimension(connection: apsw.Connection, model: int) -> int:
    return int(fetch(connection, "SELECT dimension FROM model WHERE id = ?", (model,))[0][0])


def _matrix(rows: Sequence[tuple[Any, ...]], dimension: int) -> tuple[IdArray, FloatArray]:
    ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
    joined = b"".join(row[1] for row in rows)
    require(len(joined) == _FLOAT_BYTES * dimension * len(rows))
    values = np.frombuffer(joined, dtype="<f4")
    return ids, values.reshape(len(rows), dimension)


def vectors_of(connection: apsw.Connection, model: int, ids: IdArray) -> tuple[IdArray, FloatArray]:
    """Vectors of chunks.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
        ids: Chunk ids, shape (n,).

    Returns:
        The ids that have a vector, in ascending order, and their vectors.
    """
    rows = fetch(
        connection,
        f"SELECT chunk, value FROM vector_{model} WHERE chunk IN carray(?) ORDER BY chunk",
        (id_list(ids),),
    )
    return _matrix(rows, _dimension(connection, model))


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
    connection: apsw.Connection, model: int, query: FloatArray, *, among: IdArray | None
) -> Leg:
    """Chunks by true cosine.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
        query: Shape (dimension,), float32, length 1.
        among: Chunk ids to score, None for all.

    Returns:
        All of them that have a vector, best first; ties by id.
    """
    ids, scores = cosines(connection, model, query, among)
    first = np.lexsort((ids, -scores))
    return Leg(ids[first], scores[first])


def surest(
    connection: apsw.Connection,
    model: int,
    query: FloatArray,
    estimates: Estimates,
    *,
    depth: int,
    sure: int,
) -> Leg:
    """The best by true cosine, read in the order of their estimates until the first are sure.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
        query: Shape (dimension,), float32, length 1.
        estimates: Of chunks that may be the nearest.
        depth: Length of the list, at least 1.
        sure: How many hits must not change if more were read, 1 to ``depth``.

    Returns:
        Everything that was read, best first; ties by id.
    """
    ids, scores = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    wrong = np.empty(0, dtype=np.float32)
    end = 0
    most = min(len(estimates.ids), max(_MOST_READ, 2 * depth))
    while end < most:
        start, end = end, min(max(2 * end, _STEP, depth), most)
        asked, guessed = estimates.ids[start:end], estimates.cosines[start:end]
        order = np.argsort(asked)
        found, cosine = cosines(connection, model, query, asked[order])
        # Both ascend, and all that was found was asked for.
        places = order[np.searchsorted(asked[order], found)]
        wrong = np.concatenate([wrong, cosine - guessed[places]])
        ids, scores = np.concatenate([ids, found]), np.concatenate([scores, cosine])
        if end < most and len(ids) >= sure:
            last = np.partition(scores, len(scores) - sure)[len(scores) - sure]
            margin = wrong.mean() + _DEVIATIONS * wrong.std()
            if estimates.cosines[end] + margin < last:
                break
    first = np.lexsort((ids, -scores))
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
    require_signs(connection, model)
    count = min(max(_SURVIVORS, 4 * depth), PLAIN_LIMIT)
    code = bytes(sign_codes(query[np.newaxis, :])[0])
    sql = f"SELECT rowid FROM coarse_{model} WHERE code MATCH vec_bit(?) AND k = ?"
    binds: list[object] = [code, count]
    if allowed is not None:
        sql += " AND rowid IN carray(?)"
        binds.append(id_list(allowed))
    rows = fetch(connection, sql, binds)
    return np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows)))


def sample_state(connection: apsw.Connection, model: int, vector_count: int) -> tuple[int, int]:
    """What a sample of all vectors depends on: how far it reaches, and how many are missing.

    New chunks change it in steps of some percent of the file; a removal or a late vector at once.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
        vector_count: Number of chunks that have a vector.
    """
    rows = fetch(connection, f"SELECT coalesce(max(chunk), 0) FROM vector_{model}")
    last = int(rows[0][0])
    return _reach(last), last - vector_count


def _reach(last: int) -> int:
    step = 1 if last < _WHOLE_SAMPLE else 1 << (last.bit_length() - _SAMPLE_BITS)
    return last // step * step


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
        bounds = connection.execute(
            # Both in one query would read the whole table.
            f"SELECT (SELECT min(chunk) FROM vector_{model}), (SELECT max(chunk) FROM vector_{model})"
        ).fetchone()
        if bounds is None or bounds[0] is None:
            return np.empty((0, dimension), dtype=np.float32)
        points = np.unique(
            np.linspace(bounds[0], max(_reach(bounds[1]), bounds[0]), size).astype(np.int64)
        )
        rows = fetch(
            connection,
            f"SELECT (SELECT min(chunk) FROM vector_{model} WHERE chunk >= point.value) "
            "FROM carray(?) AS point",
            (id_list(points),),
        )
        found = [row[0] for row in rows if row[0] is not None]
        allowed = np.unique(np.array(found, dtype=np.int64))
    chosen = allowed[np.unique(np.linspace(0, len(allowed) - 1, size).astype(np.int64))]
    rows = fetch(
        connection,
        f"SELECT chunk, value FROM vector_{model} WHERE chunk IN carray(?)",
        (id_list(chosen),),
    )
    return _matrix(rows, dimension)[1]
