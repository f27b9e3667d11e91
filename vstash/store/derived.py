"""What is kept in memory between searches: rebuilt from the file, never the source of truth."""

from __future__ import annotations

import apsw

from vstash.store import codes, lengths
from vstash.store.codes import CodeTable
from vstash.store.lengths import LengthTable

__all__ = ["Derived"]


class Derived:
    """Lengths of chunks and codes of vectors, brought up to date by what changed in the file.

    Tables are never changed once made, so threads share them without a lock; two that refresh at the
    same time do the same work twice.
    """

    def __init__(self) -> None:
        self._lengths: LengthTable | None = None
        self._codes: dict[int, CodeTable] = {}

    def lengths(self, connection: apsw.Connection, counter: int) -> LengthTable:
        """The lengths as a reader at this change counter sees them, or newer."""
        table = lengths.refreshed(connection, self._lengths, counter)
        self._lengths = table
        return table

    def codes(
        self, connection: apsw.Connection, model: int, *, counter: int, chunk_count: int
    ) -> CodeTable:
        """The codes of a model as a reader at this change counter sees them, or newer."""
        table = codes.refreshed(
            connection, model, self._codes.get(model), counter=counter, chunk_count=chunk_count
        )
        self._codes[model] = table
        return table
