"""What a collection's own searches said of it, kept between searches and read from the log at first."""

from __future__ import annotations

import threading
from functools import reduce
from typing import TYPE_CHECKING, Final

from vstash.search.trust import UNKNOWN, Evidence, Experience

if TYPE_CHECKING:
    from vstash.store.session import Reader

__all__ = ["Traffic"]

# Collections whose experience is kept in memory.
_MOST: Final = 1024


class Traffic:
    """Experience by collection; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Experience] = {}

    def of(self, reader: Reader, collection: str) -> Experience:
        """The experience of a collection's searches so far.

        Args:
            reader: Of the file, whose log is read the first time.
            collection: Its name.
        """
        with self._lock:
            known = self._known.get(collection)
        if known is None:
            logged = (
                Evidence(gap, best, bool(agreed))
                for gap, best, agreed in reader.logged_evidence(collection)
            )
            known = reduce(Experience.after, logged, UNKNOWN)
            with self._lock:
                if len(self._known) >= _MOST:
                    self._known.clear()
                known = self._known.setdefault(collection, known)
        return known

    def saw(self, collection: str, evidence: Evidence) -> None:
        """Add a search to the experience of its collection."""
        with self._lock:
            known = self._known.get(collection)
            if known is not None:
                self._known[collection] = known.after(evidence)
