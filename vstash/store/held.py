"""What the parts of the store need of the open file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import apsw

__all__ = ["Held"]


class Held:
    """An open file, as its parts see it."""

    immutable: bool
    _busy_timeout_s: float
    _crash_point: Callable[[str], None]

    def _usable(self) -> None:
        """Refuse to go on where the file is closed, forked or replaced."""
        raise NotImplementedError

    def _apart(self) -> AbstractContextManager[apsw.Connection]:
        """A reading connection of its own, which knows nothing of earlier states."""
        raise NotImplementedError

    def _turn(self, wait: float) -> AbstractContextManager[int]:
        """Let no other thread write, and say for how many milliseconds to wait for other processes."""
        raise NotImplementedError

    def _new_writer(self) -> apsw.Connection:
        """A writing connection that knows nothing of earlier states; the one before is closed."""
        raise NotImplementedError

    def _write_again(self) -> None:
        """Have a write connection, as who closes the file must: one that reads leaves the log beside it."""
        raise NotImplementedError

    def _immediately(self, connection: apsw.Connection) -> AbstractContextManager[None]:
        """One write transaction: committed when the block ends, undone when it raises."""
        raise NotImplementedError
