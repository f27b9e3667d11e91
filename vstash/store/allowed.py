"""Which chunks a filter allows, remembered until a write or an expiry changes it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from vstash.filters import Filter
from vstash.store import documents
from vstash.store.connection import fetch
from vstash.store.filter_sql import SqlValue, compile_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import IdArray

__all__ = ["Allowed", "AllowedCache", "find_allowed"]

# A filter that allows all of a million chunks takes nine megabytes.
_MOST_BYTES: Final = 32 * 1024 * 1024
# The filter itself and the objects around it; values in a filter are bounded by its size.
_ENTRY_BYTES: Final = 4096
_NEVER: Final = 2**63 - 1
# More than a document can have chunks: the longest text has 500 million characters.
_COUNT: Final = 2**30


@dataclass(frozen=True, slots=True)
class Allowed:
    """Chunks that a search may return.

    Attributes:
        ids: Ascending chunk ids, shape (n,).
        mask: The same by chunk id: shape (highest id + 1,).
        since: Microseconds since the epoch at which it was found.
        until: The time at which the next document expires.
    """

    ids: IdArray
    mask: NDArray[np.bool_]
    since: int
    until: int

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return int(self.ids.nbytes + self.mask.nbytes) + _ENTRY_BYTES


Key = tuple[int | None, str, tuple[SqlValue, ...]]


class AllowedCache:
    """What filters allowed at one state of the file; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counter = -1
        self._found: OrderedDict[Key, Allowed] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key, counter: int, now: int) -> Allowed | None:
        """What is known of a filter at this change counter and time."""
        with self._lock:
            found = self._found.get(key) if counter == self._counter else None
            if found is None or not found.since <= now < found.until:
                return None
            self._found.move_to_end(key)
            return found

    def put(self, key: Key, counter: int, allowed: Allowed) -> None:
        """Remember it, and forget what was asked for longest ago where there is too much."""
        with self._lock:
            if counter < self._counter or allowed.size > _MOST_BYTES:
                return
            if counter > self._counter:
                self._counter, self._bytes = counter, 0
                self._found.clear()
            before = self._found.pop(key, None)
            self._bytes += allowed.size - (0 if before is None else before.size)
            self._found[key] = allowed
            while self._bytes > _MOST_BYTES:
                self._bytes -= self._found.popitem(last=False)[1].size


def find_allowed(
    connection: apsw.Connection,
    cache: AllowedCache,
    collection: str,
    where: Filter | None,
    *,
    counter: int,
    now: int,
) -> Allowed | None:
    """Which chunks a search may return.

    Args:
        connection: In a transaction.
        cache: What is known from earlier searches.
        collection: Name of a collection.
        where: Further conditions, None for none.
        counter: The file's change counter in this transaction.
        now: Microseconds since the epoch; what has expired by then is left out.

    Returns:
        None when every chunk of the file is allowed.
    """
    number = documents.collection_number(connection, collection)
    alone = _is_alone(connection, number)
    if where is None and alone and not _has_expired(connection, now):
        return None
    condition, binds = ("1", ()) if where is None else compile_filter(where)
    key = (number, condition, tuple(binds))
    known = cache.get(key, counter, now)
    if known is None:
        known = _found(connection, number, condition, binds, now, alone=alone)
        cache.put(key, counter, known)
    return known


def _is_alone(connection: apsw.Connection, collection: int | None) -> bool:
    """Whether no other collection has documents."""
    return not fetch(
        connection,
        # Asked of each other collection: `collection <> ?` would read every document.
        "SELECT 1 FROM collection WHERE id <> ? "
        "AND EXISTS (SELECT 1 FROM document WHERE collection = collection.id) LIMIT 1",
        (collection,),
    )


def _has_expired(connection: apsw.Connection, now: int) -> bool:
    return bool(fetch(connection, "SELECT 1 FROM document WHERE expires_at <= ? LIMIT 1", (now,)))


def _chunks(numbers: str) -> IdArray:
    """Ascending chunk ids of documents, each given as its first chunk times `_COUNT` and their number."""
    if not numbers:
        return np.empty(0, dtype=np.int64)
    packed = np.fromstring(numbers, dtype=np.int64, sep=",")
    first, often = packed // _COUNT, packed % _COUNT
    if np.all(often == 1):
        ids = first
    else:
        # Each document's ids count up from its first.
        before = np.cumsum(often) - often
        ids = np.arange(int(often.sum())) + np.repeat(first - before, often)
    return np.sort(ids)


def _found(
    connection: apsw.Connection,
    collection: int | None,
    condition: str,
    binds: Sequence[SqlValue],
    now: int,
    *,
    alone: bool,
) -> Allowed:
    # One text of numbers costs a third of as many rows. A `+` keeps the index of keys out of the way
    # where a whole file is scanned: in its order, rows of documents lie all over the file.
    by_key = "d.key" in condition or not alone
    rows = fetch(
        connection,
        f"SELECT coalesce(group_concat(d.first_chunk * {_COUNT} + d.chunk_count), '') "
        f"FROM document d WHERE {'' if by_key else '+'}d.collection = ? "
        f"AND (d.expires_at IS NULL OR d.expires_at > ?) AND {condition}",
        (collection, now, *binds),
    )
    ids = _chunks(str(rows[0][0]))
    mask = np.zeros(int(ids[-1]) + 1 if len(ids) else 0, dtype=np.bool_)
    mask[ids] = True
    expiries = fetch(
        connection, "SELECT min(expires_at) FROM document WHERE expires_at > ?", (now,)
    )
    until = expiries[0][0]
    return Allowed(ids, mask, now, _NEVER if until is None else int(until))
