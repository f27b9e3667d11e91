"""Lengths of chunks in words, in blocks by chunk id: what BM25 divides by, and who is alive.

A block is one small row, so that a write touches a page, a fresh process reads a few dozen rows, and
one that is open reads just the blocks that changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from vstash.store.connection import fetch
from vstash.store.faults import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import IdArray

__all__ = ["MAX_LENGTH", "LengthTable", "all_lengths", "clear_lengths", "refreshed", "set_lengths"]

_BLOCK: Final = 4096
# Postings hold ids of 32 bits.
_MOST_BLOCKS: Final = 2**32 // _BLOCK
MAX_LENGTH: Final = 65_535


@dataclass(frozen=True, slots=True)
class LengthTable:
    """The lengths of all chunks as they were at one state of the file.

    Attributes:
        counter: The file's change counter at that state.
        lengths: By chunk id, shape (n,), uint16; 0 where there is no chunk.
        count: Number of chunks.
        mean: Their mean length, at least 1.
        living: Whether there is a chunk, by id, shape (n,).
    """

    counter: int
    lengths: NDArray[np.uint16]
    living: NDArray[np.bool_]
    count: int
    mean: float


def set_lengths(
    connection: apsw.Connection, ids: IdArray, lengths: NDArray[np.int64], counter: int
) -> None:
    """Write the lengths of chunks; 0 says that a chunk is gone.

    Args:
        connection: The write connection inside its transaction.
        ids: Chunk ids, shape (n,).
        lengths: In words, shape (n,).
        counter: The change counter of this write.
    """
    for block in np.unique(ids // _BLOCK).tolist():
        rows = fetch(connection, "SELECT lengths FROM length_block WHERE block = ?", (block,))
        held = np.zeros(_BLOCK, dtype="<u2")
        if rows:
            require(len(rows[0][0]) == 2 * _BLOCK)
            held[:] = np.frombuffer(rows[0][0], dtype="<u2")
        mine = ids // _BLOCK == block
        held[ids[mine] % _BLOCK] = np.minimum(lengths[mine], MAX_LENGTH)
        connection.execute(
            "INSERT INTO length_block (block, changed, lengths) VALUES (?, ?, ?) "
            "ON CONFLICT (block) DO UPDATE SET changed = excluded.changed, lengths = excluded.lengths",
            (block, counter, held.tobytes()),
        )


def clear_lengths(connection: apsw.Connection, counter: int) -> None:
    """Say that every chunk is gone, in the write with this change counter."""
    connection.execute(
        "UPDATE length_block SET changed = ?, lengths = zeroblob(?)", (counter, 2 * _BLOCK)
    )


def _filled(
    connection: apsw.Connection, lengths: NDArray[np.uint16], since: int
) -> NDArray[np.uint16]:
    rows = fetch(
        connection,
        "SELECT block, lengths FROM length_block WHERE changed > ? ORDER BY block DESC",
        (since,),
    )
    if not rows:
        return lengths
    require(rows[-1][0] >= 0 and rows[0][0] < _MOST_BLOCKS)
    size = max(len(lengths), (rows[0][0] + 1) * _BLOCK)
    filled = np.zeros(size, dtype=np.uint16)
    filled[: len(lengths)] = lengths
    for block, values in rows:
        require(len(values) == 2 * _BLOCK)
        filled[block * _BLOCK : (block + 1) * _BLOCK] = np.frombuffer(values, dtype="<u2")
    return filled


def all_lengths(connection: apsw.Connection) -> NDArray[np.uint16]:
    """The lengths of all chunks by id, 0 where there is none."""
    return _filled(connection, np.zeros(1, dtype=np.uint16), -1)


def refreshed(connection: apsw.Connection, kept: LengthTable | None, counter: int) -> LengthTable:
    """The lengths at the state that a reader sees.

    Args:
        connection: In a transaction.
        kept: An earlier table, None for none.
        counter: The file's change counter in this transaction.

    Returns:
        ``kept`` where it is at least as new, else a new table that read only what changed.
    """
    if kept is not None and kept.counter >= counter:
        return kept
    before = np.zeros(1, dtype=np.uint16) if kept is None else kept.lengths
    lengths = _filled(connection, before, -1 if kept is None else kept.counter)
    living = lengths > 0
    count = int(np.count_nonzero(living))
    total = int(lengths.sum(dtype=np.int64))
    return LengthTable(counter, lengths, living, count, max(total / max(count, 1), 1.0))
