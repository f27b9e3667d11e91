"""Integrity of what is derived from vectors: signs in vec0's table, codes, and who awaits one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from vstash.errors import StoreCorruptError
from vstash.reports import Finding
from vstash.store import vectors
from vstash.store.check_words import finding
from vstash.store.codes import Codes, encoded, joined, runs
from vstash.store.connection import fetch

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = ["vector_findings"]

_NORM_TOLERANCE: Final = 1e-3


def vector_findings(connection: apsw.Connection) -> Iterator[Finding]:
    """Compare the vectors with the chunks, and everything that is derived from them with them.

    Args:
        connection: In a read transaction.

    Yields:
        What does not agree.
    """
    model = vectors.active_model(connection)
    if model is None:
        return
    number, info = model
    yield from _whose(connection, number)
    codes, damaged = _codes(connection, number)
    yield from finding("codes_damaged", "Codes cannot be read.", damaged)
    if codes is not None:
        unique, often = np.unique(codes.ids, return_counts=True)
        yield from finding("code_repeated", "Chunks have two codes.", unique[often > 1].tolist())
    odd = fetch(
        connection,
        f"SELECT chunk FROM vector_{number} WHERE length(value) <> ?",
        (4 * info.dimension,),
    )
    if odd:
        # Of another length, they cannot be compared with anything.
        yield from finding(
            "vector_invalid", "Vectors have another length.", (row[0] for row in odd)
        )
        return
    signs: dict[int, bytes] = dict(connection.execute(f"SELECT rowid, code FROM coarse_{number}"))
    invalid: list[int] = []
    stale: list[int] = []
    for ids, matrix in vectors.in_parts(connection, number):
        norms = np.linalg.norm(matrix, axis=1)
        invalid += ids[~(np.abs(norms - 1) <= _NORM_TOLERANCE)].tolist()
        stale += _unlike(ids, matrix, signs, codes)
    yield from finding("vector_invalid", "Vectors are not of length 1.", invalid)
    yield from finding("code_differs", "Codes are missing or do not match their vectors.", stale)
    yield from finding("code_orphaned", "Codes of chunks that have no vector.", signs)


def _whose(connection: apsw.Connection, number: int) -> Iterator[Finding]:
    absent = connection.execute(
        f"SELECT id FROM chunk WHERE id NOT IN (SELECT chunk FROM vector_{number}) "
        "AND id NOT IN (SELECT chunk FROM awaiting)"
    )
    yield from finding("vector_missing", "Chunks have no vector.", (row[0] for row in absent))
    early = connection.execute(
        f"SELECT chunk FROM awaiting WHERE chunk IN (SELECT chunk FROM vector_{number})"
    )
    yield from finding(
        "awaiting_differs", "Chunks that await a vector have one.", (row[0] for row in early)
    )
    orphans = connection.execute(
        f"SELECT chunk FROM vector_{number} WHERE chunk NOT IN (SELECT id FROM chunk)"
    )
    yield from finding(
        "vector_orphaned", "Vectors of chunks that do not exist.", (row[0] for row in orphans)
    )


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
) -> list[int]:
    raw = vectors.sign_codes(matrix)
    unlike = {
        chunk for row, chunk in enumerate(ids.tolist()) if signs.pop(chunk, None) != bytes(raw[row])
    }
    unlike.update(_uncoded(ids, matrix, codes))
    return sorted(unlike)


def _uncoded(ids: IdArray, matrix: FloatArray, codes: Codes | None) -> list[int]:
    """Chunks whose code is missing or another than their vector's."""
    expected = encoded(ids, matrix)
    if codes is None or len(codes.high) != len(expected.high):
        return list(map(int, ids))
    places = np.minimum(np.searchsorted(codes.ids, ids), len(codes.ids) - 1)
    held = codes.only(places)
    same = held.ids == ids
    same &= np.isclose(expected.factors, held.factors, rtol=1e-4)
    same &= np.all(expected.high == held.high, axis=0) & np.all(expected.low == held.low, axis=0)
    found: list[int] = ids[~same].tolist()
    return found
