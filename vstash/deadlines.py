"""How long work may take: known, without being handed on, to all that is done for it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from vstash.errors import DeadlineError

__all__ = ["Deadline", "acquired", "check", "deadline", "passed", "patience", "unhurried"]

# A wait that ends at the deadline may wake this much before it.
_EARLY_S: Final = 0.001
# How soon a wait sees that nobody waits for the work any more.
_SLICE_S: Final = 0.1


class Deadline:
    """The moment at which work is given up; may be asked and stopped from any thread.

    Args:
        seconds: From now; infinite for work that is only given up by `stop`.
        outer: A deadline that holds as well.
    """

    __slots__ = ("_at", "_outer")

    def __init__(self, seconds: float, outer: Deadline | None = None) -> None:
        self._at = time.monotonic() + seconds
        self._outer = outer

    def left(self) -> float:
        """Seconds until then, at least 0."""
        mine = max(0.0, self._at - time.monotonic())
        return mine if self._outer is None else min(mine, self._outer.left())

    def passed(self) -> bool:
        """Whether that moment is over."""
        return self.left() <= _EARLY_S

    def stop(self) -> None:
        """Give the work up now, as when nobody waits for it any more."""
        self._at = -math.inf


_current: Final[ContextVar[Deadline | None]] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Give up what is done in a block, in its context, once it takes too long.

    Args:
        seconds: How long it may take; an outer deadline holds as well.

    Example:
        >>> with deadline(30) as limit:
        ...     check()
        ...     round(limit.left())
        30
    """
    found = Deadline(seconds, _current.get())
    token = _current.set(found)
    try:
        yield found
    finally:
        _current.reset(token)


@contextmanager
def unhurried() -> Iterator[None]:
    """Let a block finish, whatever deadline holds around it."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def passed() -> bool:
    """Whether the work at hand took longer than it may."""
    found = _current.get()
    return found is not None and found.passed()


def check() -> None:
    """Give up the work at hand if it took longer than it may; for the steps of long work.

    Raises:
        DeadlineError: When its deadline has passed.
    """
    if passed():
        raise DeadlineError(
            "The request took longer than it may and was stopped; nothing was changed. Try again, "
            "ask for less, or allow more time."
        )


def patience(seconds: float) -> float:
    """How long to wait for something: so many seconds, or less where the deadline comes first."""
    found = _current.get()
    return seconds if found is None else min(seconds, found.left())


def acquired(lock: threading.Lock, seconds: float = math.inf) -> bool:
    """Wait for a lock, no longer than the work at hand may take.

    Args:
        lock: Released by the caller.
        seconds: How long to wait at most.

    Returns:
        False when it was not to be had in time.

    Raises:
        DeadlineError: When the deadline of the work at hand passed before.
    """
    end = time.monotonic() + seconds
    while not lock.acquire(timeout=patience(min(seconds, _SLICE_S))):
        check()
        if time.monotonic() >= end:
            return False
    return True
