"""Searches take turns at what only one thread can do at a time anyway."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from vstash import deadlines

__all__ = ["Turns"]


class Turns:
    """A lock around work that the interpreter runs on one core whatever the number of threads.

    Threads that compete for the interpreter hand it over at each of the hundreds of short calls of a
    search to SQLite and numpy, and wait for it after each: four of them answer less than one does
    alone. What needs no interpreter, such as the model, is done before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for this thread's turn, and end it with the block.

        Raises:
            DeadlineError: When the deadline of the work at hand passed before.
        """
        deadlines.acquired(self._lock)
        try:
            yield
        finally:
            self._lock.release()
