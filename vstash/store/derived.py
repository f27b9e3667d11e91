"""What is kept in memory between searches: rebuilt from the file, never the source of truth."""

from __future__ import annotations

import apsw

from vstash.store import code_table, lengths
from vstash.store.allowed import AllowedCache
from vstash.store.code_table import CodeTable
from vstash.store.lengths import LengthTable

__all__ = ["Derived", "LatestDerived"]


class Derived:
    """Lengths of chunks, codes of vectors and what filters allow, brought up to date by what changed in the file.

    Tables are never changed once made, so threads share them without a lock; two that refresh at the
    same time do the same work twice.
    """

    def __init__(self) -> None:
        self.allowed = AllowedCache()
        self._lengths: LengthTable | None = None
        self._codes: dict[int, CodeTable] = {}

    def lengths(self, connection: apsw.Connection, counter: int) -> LengthTable:
        """The lengths as a reader at this change counter sees them, or newer."""
        table = lengths.refreshed(connection, self._lengths, counter)
        self._lengths = table
        return table

    def codes(
        self, connection: apsw.Connection, model: int, *, counter: int, vector_count: int
    ) -> CodeTable:
        """The codes of a model as a reader at this change counter sees them, or newer."""
        table = code_table.refreshed(
            connection,
            model,
            self._codes.get(model),
            counter=counter,
            vector_count=vector_count,
            living=self.lengths(connection, counter).living,
        )
        self._codes[model] = table
        return table


class LatestDerived:
    """What readers share; begun anew when an index was derived anew, or the file was restored."""

    def __init__(self) -> None:
        self._latest = (-1, Derived())

    def at(self, derived_anew: int) -> Derived:
        """What goes with a state of the file; a reader of an older one gets something of its own."""
        known, derived = self._latest
        if known == derived_anew:
            return derived
        fresh = Derived()
        if derived_anew > known:
            self._latest = (derived_anew, fresh)
        return fresh
