"""The indexes of several models in one file: building one beside the active one, switching, removing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from vstash.store import calibration, codes, documents, models, queue, vectors
from vstash.store.connection import fetch, id_list
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = ["IndexReader", "IndexWriter", "StoredIndex", "bytes_per_chunk"]

# There while the index of a model is being built for the first time: its number in the file.
_BUILDING: Final = "model_building"
# There while the index of a model is being removed, so that nobody goes on with what is left of it.
_REMOVING: Final = "model_removing"
# What the log says of cosines up to this search is of another model than the active one.
_EVIDENCE: Final = "evidence_after"
_PAGE_BYTES: Final = 8192
# A row's header, its key, and its share of the pages above.
_ROW_BYTES: Final = 24
_FLOAT_BYTES: Final = 4


def bytes_per_chunk(dimension: int) -> int:
    """What a chunk's vector, signs and codes take in the file, about.

    Args:
        dimension: Of the model.
    """
    row = _FLOAT_BYTES * dimension + _ROW_BYTES
    # As many whole rows as a page holds; those that are longer than a page take several.
    vector = _PAGE_BYTES // (_PAGE_BYTES // row) if row <= _PAGE_BYTES else row + _PAGE_BYTES // 2
    return vector + -(-dimension // 8) + -(-dimension // 4) + 2 * _ROW_BYTES


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """A model's index in the file.

    Attributes:
        number: The model's.
        info: Which model it is.
        active: Whether searches use it.
        building: Whether it was never complete so far, or is being removed.
        vectors: Of chunks that have one.
    """

    number: int
    info: ModelInfo
    active: bool
    building: bool
    vectors: int


class IndexReader:
    """What indexes there are.

    Args:
        connection: In a transaction.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def listed(self) -> list[StoredIndex]:
        """All of them, the oldest first."""
        active = models.served(self._connection)
        building = (self._marked(_BUILDING), self.removing)
        return [
            StoredIndex(
                number,
                info,
                active is not None and number == active.number,
                number in building,
                self._count(number),
            )
            for number, info in models.every_model(self._connection)
        ]

    def knows(self, model: models.Served) -> bool:
        """Whether there is an index of this very model under its number."""
        return models.knows(self._connection, model)

    def find(self, sha256: str) -> StoredIndex | None:
        """The index of a model, None for none."""
        return next((each for each in self.listed() if each.info.sha256 == sha256), None)

    @property
    def removing(self) -> int:
        """The number of the model whose index is being removed, 0 for none."""
        return self._marked(_REMOVING)

    def _marked(self, name: str) -> int:
        rows = fetch(self._connection, "SELECT value FROM meta WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    def _count(self, model: int) -> int:
        return int(fetch(self._connection, f"SELECT count(*) FROM coarse_{model}_rowids")[0][0])

    def missing(self, model: int, limit: int, *, after: int) -> list[int]:
        """Chunks that a model has no vector of, by ascending id, after an id."""
        # Its signs are told by a small table; that of its vectors takes as many pages as they do.
        rows = fetch(
            self._connection,
            "SELECT c.id FROM chunk AS c WHERE c.id > ? AND NOT EXISTS "
            f"(SELECT 1 FROM coarse_{model}_rowids AS r WHERE r.rowid = c.id) "
            "ORDER BY c.id LIMIT ?",
            (after, limit),
        )
        return [int(row[0]) for row in rows]

    def last_chunk(self) -> int:
        """The highest id that a chunk has or had."""
        return documents.last_chunk(self._connection)

    def longest(self) -> int:
        """Tokens of the longest chunk, as the model counted them that it was cut for; 0 for none."""
        rows = fetch(self._connection, "SELECT coalesce(max(tokens), 0) FROM chunk")
        return int(rows[0][0])

    def free_bytes(self) -> int:
        """Bytes of the file that nothing is in."""
        rows = fetch(
            self._connection,
            "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size",
        )
        return int(rows[0][0])


class IndexWriter(IndexReader):
    """Builds, switches and removes indexes.

    Args:
        connection: The write connection inside its transaction.
        counter: The change counter of this write.
        crash_point: Called by name between steps; tests stop the process there.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        counter: int,
        crash_point: Callable[[str], None],
    ) -> None:
        super().__init__(connection)
        self._counter = counter
        self._crash_point = crash_point

    def begin(self, info: ModelInfo) -> int:
        """Make the tables of a model that the file does not know; returns its number."""
        number = models.register_model(self._connection, info)
        self._mark(_BUILDING, number)
        self._crash_point("reindex:begin")
        return number

    def fill(self, model: int, ids: IdArray, digests: Sequence[bytes], matrix: FloatArray) -> int:
        """Store vectors of a model that is not the active one.

        Args:
            model: Its number.
            ids: Chunk ids, shape (n,), ascending; those that are gone, have a vector, or are others by
                now, since a backup was restored, are passed over.
            digests: Of what was embedded.
            matrix: Shape (n, dimension), float32, length 1.

        Returns:
            How many were stored.
        """
        rows = fetch(
            self._connection,
            f"SELECT id FROM chunk WHERE id IN carray(?1) AND id NOT IN "
            f"(SELECT chunk FROM vector_{model} WHERE chunk IN carray(?1))",
            (id_list(queue.still(self._connection, ids, digests)),),
        )
        wanted = np.isin(ids, np.fromiter((row[0] for row in rows), np.int64, len(rows)))
        if not wanted.any():
            return 0
        last = fetch(self._connection, f"SELECT coalesce(max(rowid), 0) FROM coarse_{model}_rowids")
        late = int(ids[wanted][0]) <= last[0][0]
        vectors.insert_vectors(self._connection, model, ids[wanted], matrix[wanted])
        codes.add_codes(
            self._connection, model, ids[wanted], matrix[wanted], self._counter, late=late
        )
        self._crash_point("reindex:fill")
        active = models.served(self._connection)
        if active is not None and active.number == model:
            # Somebody else built it too, and switched.
            queue.leave(self._connection, ids[wanted])
        return int(wanted.sum())

    def switch(self, model: int) -> None:
        """Make a model the active one; chunks that it has no vector of await one.

        Args:
            model: Its number.
        """
        models.activate(self._connection, model)
        self._crash_point("switch:active")
        self._connection.execute("DELETE FROM awaiting")
        self._connection.execute(
            "INSERT INTO awaiting (chunk) SELECT c.id FROM chunk AS c WHERE NOT EXISTS "
            f"(SELECT 1 FROM coarse_{model}_rowids AS r WHERE r.rowid = c.id)"
        )
        if self._marked(_BUILDING) == model:
            self._unmark(_BUILDING)
        self._mark(
            _EVIDENCE,
            fetch(self._connection, "SELECT coalesce(max(number), 0) FROM search")[0][0],
        )
        self._crash_point("switch:end")

    def drop_some(self, model: int, rows: int) -> bool:
        """Remove a part of the index of a model that is not active; returns whether there is more.

        Args:
            model: Its number.
            rows: At most so many vectors.
        """
        self._mark(_REMOVING, model)
        found = fetch(
            self._connection, f"SELECT chunk FROM vector_{model} ORDER BY chunk LIMIT ?", (rows,)
        )
        if found:
            vectors.delete_vectors(self._connection, model, [row[0] for row in found])
            return True
        runs = fetch(
            self._connection,
            "DELETE FROM code_run WHERE id IN (SELECT id FROM code_run WHERE model = ? LIMIT ?) "
            "RETURNING id",
            (model, 1 + rows // 512),
        )
        if runs:
            return True
        self._drop(model)
        return False

    def _drop(self, model: int) -> None:
        models.retire_number(self._connection, model)
        # Whoever began to write with this model before may have added one since.
        codes.clear_codes(self._connection, model)
        calibration.clear_calibration(self._connection, model)
        self._connection.execute(f"DROP TABLE vector_{model}")
        self._connection.execute(f"DROP TABLE coarse_{model}")
        self._connection.execute("DELETE FROM model WHERE id = ?", (model,))
        if self._marked(_BUILDING) == model:
            self._unmark(_BUILDING)
        self._unmark(_REMOVING)

    def _mark(self, name: str, value: int) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, value)
        )

    def _unmark(self, name: str) -> None:
        self._connection.execute("DELETE FROM meta WHERE name = ?", (name,))
