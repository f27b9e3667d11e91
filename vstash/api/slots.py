"""Turns at the threads that do the work: so many at a time, and so many that wait."""

from __future__ import annotations

import asyncio
from collections import deque

from vstash.deadlines import Deadline
from vstash.errors import DeadlineError, OverloadError

__all__ = ["Slots"]


class Slots:
    """A bounded number of turns, and a bounded queue for them; used by one event loop.

    Args:
        count: Turns at a time, at least 1.
        queue_size: Requests that may wait for one.
    """

    def __init__(self, count: int, queue_size: int) -> None:
        self._count = self._free = count
        self._queue_size = queue_size
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def taken(self) -> int:
        """Turns that are taken."""
        return self._count - self._free

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._waiting)

    def require_room(self) -> None:
        """Refuse what would not even find a place in the queue.

        Raises:
            OverloadError: When it is full.
        """
        if not self._free and len(self._waiting) >= self._queue_size:
            raise OverloadError("The service has more to do than it can: try again later.")

    async def take(self, limit: Deadline, gone: asyncio.Future[None]) -> bool:
        """Wait for a turn.

        Args:
            limit: Of the request.
            gone: Done when the client goes away.

        Returns:
            False when the client went away instead; otherwise `give` the turn back.

        Raises:
            OverloadError: When too many wait.
            DeadlineError: When the request may not take that long.
        """
        self.require_room()
        if self._free:
            self._free -= 1
            return True
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            # An infinite wait has no number in asyncio.
            left = min(limit.left(), 86_400.0)
            await asyncio.wait((turn, gone), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            self._leave(turn)
            raise
        if turn.done() and not gone.done():
            return True
        self._leave(turn)
        if gone.done():
            return False
        raise DeadlineError(
            "The service had no time for the request before its deadline: try again later."
        )

    def give(self) -> None:
        """Give a turn to who waits longest."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._free += 1

    def _leave(self, turn: asyncio.Future[None]) -> None:
        if turn.done():
            self.give()
        else:
            self._waiting.remove(turn)
