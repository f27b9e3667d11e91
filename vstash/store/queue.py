"""Chunks that await a vector, and what was embedded for those that have one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import apsw
import numpy as np

from vstash.store.connection import fetch, id_list
from vstash.store.rows import ChunkRow

if TYPE_CHECKING:
    from vstash.types import IdArray

__all__ = ["digests", "insert_digests", "known_vectors", "leave", "still", "wait", "waiting"]


def wait(connection: apsw.Connection, ids: Sequence[int]) -> None:
    """Note that chunks have no vector yet."""
    connection.executemany("INSERT INTO awaiting (chunk) VALUES (?)", ((each,) for each in ids))


def leave(connection: apsw.Connection, ids: IdArray) -> list[int]:
    """Take chunks out of the queue that are about to get a vector; returns those that were in it."""
    rows = fetch(
        connection,
        "DELETE FROM awaiting WHERE chunk IN carray(?) RETURNING chunk",
        (id_list(ids),),
    )
    return [int(row[0]) for row in rows]


def still(connection: apsw.Connection, ids: IdArray, digests: Sequence[bytes]) -> IdArray:
    """Those chunks of which nothing says that something else is to be embedded for them."""
    rows = fetch(
        connection, "SELECT chunk, digest FROM passage WHERE chunk IN carray(?)", (id_list(ids),)
    )
    known = dict(rows)
    pairs = zip(ids.tolist(), digests, strict=True)
    same = [chunk for chunk, digest in pairs if known.get(chunk, digest) == digest]
    return np.array(same, dtype=np.int64)


def waiting(connection: apsw.Connection, limit: int, after: int) -> list[int]:
    """Chunks that await a vector, by ascending id, after an id."""
    rows = fetch(
        connection,
        "SELECT chunk FROM awaiting WHERE chunk > ? ORDER BY chunk LIMIT ?",
        (after, limit),
    )
    return [int(row[0]) for row in rows]


def insert_digests(connection: apsw.Connection, rows: Sequence[tuple[int, ChunkRow]]) -> None:
    """Remember what is embedded for chunks, where vstash itself embeds them."""
    connection.executemany(
        "INSERT INTO passage (chunk, digest) VALUES (?, ?)",
        ((chunk, row.digest) for chunk, row in rows if row.digest is not None),
    )


def digests(connection: apsw.Connection, ids: IdArray) -> dict[int, bytes]:
    """What was embedded for chunks, as a digest by chunk."""
    rows = fetch(
        connection, "SELECT chunk, digest FROM passage WHERE chunk IN carray(?)", (id_list(ids),)
    )
    return dict(rows)


def known_vectors(
    connection: apsw.Connection, model: int, digests: Sequence[bytes]
) -> dict[bytes, bytes]:
    """Vectors that equal passages already have.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
        digests: Of passages.

    Returns:
        By digest, for those that are known, the vector as float32 bytes.
    """
    if not digests:
        return {}
    rows = fetch(
        connection,
        "SELECT asked.value, (SELECT v.value FROM passage AS p "
        f"JOIN vector_{model} AS v ON v.chunk = p.chunk WHERE p.digest = asked.value LIMIT 1) "
        "FROM carray(?) AS asked",
        (apsw.carray(tuple(digests)),),
    )
    return {digest: value for digest, value in rows if value is not None}
