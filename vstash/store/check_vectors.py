"""Integrity of vectors and of what is derived from them: signs in vec0's table, and codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from vstash.errors import StoreCorruptError
from vstash.store import models, vectors
from vstash.store.codes import Codes, encoded, joined, runs
from vstash.store.connection import fetch
from vstash.store.found import Found, Rules, Tick

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray, IdArray

__all__ = ["NORM_TOLERANCE", "vector_findings"]

# Room for what rounding does to the norm of a float32 vector.
NORM_TOLERANCE: Final = 1e-3


def vector_findings(connection: apsw.Connection, _rules: Rules, tick: Tick) -> Found:
    """Compare the vectors with everything that is derived from them.

    Signs in vec0's table and codes are made of a vector at once: where both say other than it, the
    vector changed.

    Args:
        connection: In a read transaction.
        tick: Called with vectors done.

    Yields:
        What does not agree.
    """
    for number, info in models.every_model(connection):
        yield from _of_model(connection, number, info.dimension, tick)


def _of_model(connection: apsw.Connection, number: int, dimension: int, tick: Tick) -> Found:
    codes, damaged = _codes(connection, number)
    yield "codes_damaged", damaged
    if codes is not None:
        unique, often = np.unique(codes.ids, return_counts=True)
        yield "code_repeated", unique[often > 1].tolist()
    odd = fetch(
        connection,
        f"SELECT chunk FROM vector_{number} WHERE typeof(value) <> 'blob' OR length(value) <> ?",
        (4 * dimension,),
    )
    if odd:
        # Of another length, they cannot be compared with anything.
        yield "vector_invalid", [row[0] for row in odd]
        return
    vectors.require_signs(connection, number)
    signs: dict[int, bytes] = dict(connection.execute(f"SELECT rowid, code FROM coarse_{number}"))
    total, done = len(signs), 0
    for ids, matrix in vectors.in_parts(connection, number):
        norms = np.linalg.norm(matrix, axis=1)
        yield "vector_invalid", ids[~(np.abs(norms - 1) <= NORM_TOLERANCE)].tolist()
        yield from _unlike(ids, matrix, signs, codes)
        done += len(ids)
        tick(done, max(total, done))
    yield "code_orphaned", signs


def _codes(connection: apsw.Connection, number: int) -> tuple[Codes | None, list[str]]:
    """Codes of the chunks that exist, by ascending id; a run keeps those of others until it is merged."""
    try:
        parts = [codes for codes, _ in runs(connection, number, -1)]
    except StoreCorruptError as error:
        return None, [type(error).__name__]
    if not parts:
        return None, []
    every = joined(parts)
    living = np.fromiter(
        (row[0] for row in fetch(connection, "SELECT id FROM chunk")), dtype=np.int64
    )
    found = every.only(np.isin(every.ids, living))
    return (found.only(np.argsort(found.ids)) if len(found.ids) else None), []


def _unlike(
    ids: IdArray, matrix: FloatArray, signs: dict[int, bytes], codes: Codes | None
) -> Found:
    raw = vectors.sign_codes(matrix)
    held = [signs.pop(chunk, None) for chunk in ids.tolist()]
    same = np.array([sign == bytes(raw[row]) for row, sign in enumerate(held)])
    signed = np.array([sign is not None for sign in held])
    alike, coded = _alike(ids, matrix, codes)
    yield "vector_differs", ids[signed & ~same & coded & ~alike].tolist()
    yield "code_differs", ids[~same | ~alike].tolist()


def _alike(
    ids: IdArray, matrix: FloatArray, codes: Codes | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which chunks have their vector's code, and which have any."""
    expected = encoded(ids, matrix)
    if codes is None or len(codes.high) != len(expected.high):
        none = np.zeros(len(ids), dtype=np.bool_)
        return none, none
    held = codes.only(np.minimum(np.searchsorted(codes.ids, ids), len(codes.ids) - 1))
    coded = held.ids == ids
    alike = coded & np.isclose(expected.factors, held.factors, rtol=1e-4)
    alike &= np.all(expected.high == held.high, axis=0) & np.all(expected.low == held.low, axis=0)
    return alike, coded
