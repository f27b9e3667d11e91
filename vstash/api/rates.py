"""How many requests one access key may send, and have under way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vstash.errors import RateLimitError

__all__ = ["Rates", "TooManyError"]

# How many seconds' worth a key that was silent may send at once.
_BURST_S = 10.0


class TooManyError(RateLimitError):
    """The access key sends more requests than it may.

    Args:
        message: What to do.
        reason: ``rate`` or ``at_once``.
        wait_s: After how many seconds the next request may be sent.
    """

    def __init__(self, message: str, *, reason: str, wait_s: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.wait_s = wait_s


@dataclass(slots=True)
class _Key:
    tokens: float
    at: float
    under_way: int = 0


class Rates:
    """A bucket of tokens and a count for each access key; used by one thread.

    Args:
        per_s: Tokens that a key gets in a second, 0 for no limit.
        at_once: Requests of a key that may be under way, 0 for no limit.
        clock: Seconds.
    """

    def __init__(
        self, per_s: float, at_once: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_s = per_s
        self._at_once = at_once
        self._clock = clock
        self._most = max(1.0, per_s * _BURST_S)
        self._keys: dict[str, _Key] = {}

    @contextmanager
    def under_way(self, key_id: str) -> Iterator[None]:
        """Serve a request of a key in a block.

        Args:
            key_id: Of the access key; empty for all who have none.

        Raises:
            TooManyError: When the key has sent too many.
        """
        if not (self._per_s or self._at_once):
            yield
            return
        # Keys that the guard lets through are those that somebody made: as many as there are.
        key = self._keys.setdefault(key_id, _Key(self._most, self._clock()))
        if self._at_once and key.under_way >= self._at_once:
            raise TooManyError(
                f"{self._at_once:,} requests of this access key are under way already: wait for one "
                "to be answered.",
                reason="at_once",
                wait_s=1,
            )
        if self._per_s:
            self._take(key)
        key.under_way += 1
        try:
            yield
        finally:
            key.under_way -= 1

    def _take(self, key: _Key) -> None:
        now = self._clock()
        key.tokens = min(self._most, key.tokens + (now - key.at) * self._per_s)
        key.at = now
        if key.tokens < 1:
            raise TooManyError(
                f"This access key may send {self._per_s:g} requests a second: wait.",
                reason="rate",
                wait_s=math.ceil((1 - key.tokens) / self._per_s),
            )
        key.tokens -= 1
