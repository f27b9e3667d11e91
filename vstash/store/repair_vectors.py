"""Removing vectors that are none, noting who awaits one, and making what is derived of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import apsw
import numpy as np

from vstash.store import models, vectors
from vstash.store.check_vectors import NORM_TOLERANCE

__all__ = ["restore_signs", "restore_vectors"]

_STEP: Final = 4096


def restore_vectors(connection: apsw.Connection, lost: Sequence[int]) -> bool:
    """Keep the sound vectors of chunks that there are; every other chunk awaits one.

    Args:
        connection: A write connection in a transaction.
        lost: Chunks whose vectors are not their own.

    Returns:
        Whether any was removed.
    """
    active = models.served(connection)
    if active is None:
        return False
    before = connection.total_changes()
    for number, info in models.every_model(connection):
        _keep_sound(connection, number, info.dimension, lost)
    changed = connection.total_changes() > before
    table = f"vector_{active.number}"
    connection.execute(f"DELETE FROM awaiting WHERE chunk IN (SELECT chunk FROM {table})")
    connection.execute(
        "INSERT INTO awaiting (chunk) SELECT id FROM chunk "
        f"WHERE id NOT IN (SELECT chunk FROM {table}) AND id NOT IN (SELECT chunk FROM awaiting)"
    )
    return changed


def _keep_sound(
    connection: apsw.Connection, number: int, dimension: int, lost: Sequence[int]
) -> None:
    table = f"vector_{number}"
    connection.execute(f"DELETE FROM {table} WHERE chunk NOT IN (SELECT id FROM chunk)")
    connection.execute(
        f"DELETE FROM {table} WHERE typeof(value) <> 'blob' OR length(value) <> ?",
        (4 * dimension,),
    )
    invalid = [
        chunk
        for ids, matrix in vectors.in_parts(connection, number)
        for chunk in ids[~(np.abs(np.linalg.norm(matrix, axis=1) - 1) <= NORM_TOLERANCE)].tolist()
    ]
    connection.executemany(
        f"DELETE FROM {table} WHERE chunk = ?", ((chunk,) for chunk in {*invalid, *lost})
    )


def restore_signs(connection: apsw.Connection) -> None:
    """Make vec0's table of signs anew from the vectors.

    Args:
        connection: A write connection in a transaction.
    """
    for number, info in models.every_model(connection):
        vectors.require_signs(connection, number)
        connection.execute(f"DROP TABLE coarse_{number}")
        models.create_signs(connection, number, info.dimension)
        for ids, matrix in vectors.in_parts(connection, number, _STEP):
            vectors.insert_signs(connection, number, ids, matrix)
