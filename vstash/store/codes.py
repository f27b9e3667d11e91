"""Codes of vectors, two bits a component, as they lie in the file.

A component's high bit is its sign; its low bit says, with the sign, in which of four equal steps of
width 1 / sqrt(dimension) it lies. A step stands for its middle, so that a vector x is near
``factor * (2 * high + low - 1.5)`` with the factor that makes the product with x itself come out as
1: the unbiased estimate of RaBitQ (Gao and Long, SIGMOD 2024, section 3.2) without its rotation,
which was measured to lose here. Each commit adds one run; runs of a size are merged by later ones.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np

from vstash.errors import StoreCorruptError
from vstash.store.connection import fetch
from vstash.store.faults import require
from vstash.store.lengths import all_lengths
from vstash.store.levels import FAN_IN, level_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray, IdArray

    Bits = NDArray[np.uint64]

__all__ = [
    "CODER_VERSION",
    "Codes",
    "add_codes",
    "clean_all",
    "clean_some",
    "clear_codes",
    "encoded",
    "joined",
    "runs",
]

CODER_VERSION: Final = 1
"""Stored in the file; another number means that the codes have to be derived again."""

# A run of 512 chunks and more stays as it is.
_FINAL_LEVEL: Final = 3
# A final run of which fewer than this share live is written anew.
_LEAST_LIVING: Final = 0.75
# Bulk commits are cut, so that a row stays below some hundred kilobytes.
_MOST: Final = 4096
_WORD_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of some vectors.

    Attributes:
        ids: Chunk ids, shape (n,).
        factors: What a code is to be multiplied with, shape (n,), float32.
        high: Sign bits, set where positive, shape (words, n).
        low: The second bits, in the same layout.
    """

    ids: IdArray
    factors: FloatArray
    high: Bits
    low: Bits

    def only(self, chosen: NDArray[Any] | slice) -> Codes:
        """Some of them, by position or by a mask."""
        return Codes(
            self.ids[chosen], self.factors[chosen], self.high[:, chosen], self.low[:, chosen]
        )


def joined(several: list[Codes]) -> Codes:
    """Codes one after another; at least one part."""
    return Codes(
        np.concatenate([each.ids for each in several]),
        np.concatenate([each.factors for each in several]),
        np.concatenate([each.high for each in several], axis=1),
        np.concatenate([each.low for each in several], axis=1),
    )


def encoded(ids: IdArray, vectors: FloatArray) -> Codes:
    """Make codes.

    Args:
        ids: Chunk ids, shape (n,).
        vectors: Shape (n, dimension), float32, length 1.
    """
    step = np.float32(1 / np.sqrt(vectors.shape[1]))
    high = vectors > 0
    low = np.where(high, vectors > step, vectors > -step)
    values = 2.0 * high.astype(np.float32) + low.astype(np.float32) - np.float32(1.5)
    products = np.einsum("ij,ij->i", values, vectors)
    # A vector of length 1 has a positive product with its own code.
    factors = (1.0 / np.maximum(products, step)).astype(np.float32)
    return Codes(ids, factors, _packed(high), _packed(low))


def _packed(bits: NDArray[np.bool_]) -> Bits:
    count, dimension = bits.shape
    padded = np.zeros((count, -(-dimension // _WORD_BITS) * _WORD_BITS), dtype=np.bool_)
    padded[:, :dimension] = bits
    words = np.packbits(padded, axis=1).view("<u8")
    return np.ascontiguousarray(words.T).astype(np.uint64, copy=False)


def add_codes(
    connection: apsw.Connection,
    model: int,
    ids: IdArray,
    vectors: FloatArray,
    counter: int,
    *,
    late: bool,
) -> None:
    """Write the codes of new vectors, and merge runs that have become many.

    Args:
        connection: The write connection inside its transaction.
        model: The model's number in the file.
        ids: Chunk ids without a code, shape (n,), n >= 1.
        vectors: Shape (n, dimension).
        counter: The change counter of this write.
        late: Whether chunks are among them that are older than some that have a code.
    """
    for start in range(0, len(ids), _MOST):
        part = slice(start, start + _MOST)
        _insert(connection, model, encoded(ids[part], vectors[part]), counter, late=late)
    # What is damaged stays as it is, for the check to find; it must not keep others from writing.
    with suppress(StoreCorruptError):
        _merge(connection, model, counter)


def _insert(
    connection: apsw.Connection, model: int, codes: Codes, counter: int, *, late: bool
) -> None:
    connection.execute(
        "INSERT INTO code_run (model, counter, level, late, chunks, factors, high, low) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            model,
            counter,
            min(level_of(len(codes.ids)), _FINAL_LEVEL),
            int(late),
            codes.ids.astype("<u4").tobytes(),
            codes.factors.astype("<f4").tobytes(),
            codes.high.astype("<u8").tobytes(),
            codes.low.astype("<u8").tobytes(),
        ),
    )


def _merge(connection: apsw.Connection, model: int, counter: int) -> None:
    """Join runs of a level while there are too many; each code moves once a level."""
    for level in range(_FINAL_LEVEL):
        rows = fetch(
            connection,
            "SELECT id, late, chunks, factors, high, low FROM code_run "
            "WHERE model = ? AND level = ? ORDER BY id",
            (model, level),
        )
        if len(rows) < FAN_IN:
            continue
        parts = [_read(row[2:]) for row in rows]
        require(len({len(part.high) for part in parts}) == 1)
        every = joined(parts)
        lengths = all_lengths(connection)
        require(int(every.ids.max()) < len(lengths))
        living = every.only(lengths[every.ids] > 0)
        connection.executemany("DELETE FROM code_run WHERE id = ?", ((row[0],) for row in rows))
        if len(living.ids):
            _insert(connection, model, living, counter, late=any(row[1] for row in rows))


def clean_some(connection: apsw.Connection, counter: int, *, cursor: int, runs: int) -> int:
    """Look through some final runs for codes of chunks that are gone, and write without them.

    Args:
        connection: The write connection inside its transaction.
        counter: The change counter of this write.
        cursor: Where the last look ended.
        runs: At most so many.

    Returns:
        Where this look ended, 0 at the end.
    """
    return _cleaned(connection, counter, (_FINAL_LEVEL, cursor, runs), _LEAST_LIVING)


def clean_all(connection: apsw.Connection, counter: int, *, cursor: int, runs: int) -> int:
    """Leave no code of a chunk that is gone in some runs; otherwise as `clean_some`."""
    return _cleaned(connection, counter, (0, cursor, runs), 1.0)


def _cleaned(
    connection: apsw.Connection,
    counter: int,
    which: tuple[int, int, int],
    least_living: float,
) -> int:
    rows = fetch(
        connection,
        "SELECT id, model, late, chunks, factors, high, low FROM code_run "
        "WHERE level >= ? AND id > ? ORDER BY id LIMIT ?",
        which,
    )
    if not rows:
        return 0
    lengths = all_lengths(connection)
    for row in rows:
        codes = _read(row[3:])
        require(int(codes.ids.max()) < len(lengths))
        living = lengths[codes.ids] > 0
        if living.mean() < least_living:
            connection.execute("DELETE FROM code_run WHERE id = ?", (row[0],))
            if living.any():
                _insert(connection, row[1], codes.only(living), counter, late=bool(row[2]))
    return int(rows[-1][0]) if len(rows) == which[-1] else 0


def _read(row: tuple[bytes, bytes, bytes, bytes]) -> Codes:
    chunks, factors, high, low = row
    require(len(chunks) % 4 == 0)
    ids = np.frombuffer(chunks, dtype="<u4").astype(np.int64)
    require(len(ids) > 0 and len(factors) == 4 * len(ids))
    require(len(high) == len(low) and len(high) > 0 and len(high) % (8 * len(ids)) == 0)
    shape = (-1, len(ids))
    return Codes(
        ids,
        np.frombuffer(factors, dtype="<f4"),
        np.frombuffer(high, dtype="<u8").reshape(shape),
        np.frombuffer(low, dtype="<u8").reshape(shape),
    )


def runs(connection: apsw.Connection, model: int, since: int) -> list[tuple[Codes, bool]]:
    """The runs that were written after a change counter.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
        since: A change counter; -1 for all runs.

    Returns:
        Each with whether it may hold chunks older than an earlier run's.

    Raises:
        StoreCorruptError: When a run cannot be read.
    """
    rows = fetch(
        connection,
        "SELECT late, chunks, factors, high, low FROM code_run WHERE model = ? AND counter > ? "
        "ORDER BY id",
        (model, since),
    )
    found = [(_read(row[1:]), bool(row[0])) for row in rows]
    require(len({len(codes.high) for codes, _ in found}) <= 1)
    return found


def clear_codes(connection: apsw.Connection, model: int) -> None:
    """Remove every code of a model, to derive them anew."""
    connection.execute("DELETE FROM code_run WHERE model = ?", (model,))
