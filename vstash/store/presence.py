"""Whether the paths of an open file still name what its connections have open."""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from pathlib import Path
from typing import Final

import apsw

from vstash.errors import StoreReplacedError

__all__ = ["Presence"]

# The file, its write-ahead log, and the memory that says what is in that.
_ENDINGS: Final = ("", "-wal", "-shm")

# Device and inode, None where there is nothing.
_Inode = tuple[int, int] | None

_living: Final[weakref.WeakSet[Presence]] = weakref.WeakSet()


class Presence:
    """Notices that a file was removed or replaced while it was open.

    SQLite would go on with what it has open: with a file that nobody else sees, or beside a log that
    other processes have begun anew.

    Args:
        path: Of a file that is there.
    """

    def __init__(self, path: Path) -> None:
        self._paths = tuple(str(path) + ending for ending in _ENDINGS)
        self._lock = threading.Lock()
        self._connections: set[apsw.Connection] = set()
        # The log may be deleted, and begun anew, while nobody has the file open.
        self._held: tuple[_Inode, ...] = (_inode(self._paths[0]),)
        _living.add(self)

    def require(self) -> None:
        """Refuse to go on when a path names something else than what is open, or nothing.

        Raises:
            StoreReplacedError: When one does.
        """
        if self._is_there():
            return
        # Whoever closes the last connection lets SQLite delete the log, and holds the lock meanwhile.
        with self._lock:
            sound = self._is_there()
        if not sound:
            raise StoreReplacedError(
                "The file or its write-ahead log was removed or replaced while it was open; nothing "
                "was changed. Close this Memory and open it again; restart a service."
            )

    def opened(self, connection: apsw.Connection) -> None:
        """Take in a new connection; one that cannot read is closed."""
        try:
            # SQLite opens what is beside the file at the first read.
            connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._connections.add(connection)
            known = self._held[1:] or (None, None)
            # A file that had no log gets one from its first writer.
            found = (
                each or _inode(path) for each, path in zip(known, self._paths[1:], strict=True)
            )
            self._held = (self._held[0], *found)

    def close(self, connection: apsw.Connection) -> None:
        """Close a connection; where its file is gone it moves nothing from its log to what is there."""
        with self._lock:
            if not self._is_there():
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            self._connections.discard(connection)
            connection.close()
            if not self._connections:
                self._held = self._held[:1]

    def abandon(self) -> None:
        """Make sure, in the child of a fork, that not even the end of the process closes anything.

        A connection that came across believes in locks that only the parent has, and its mutexes may
        be held by threads that are not there: SQLite wants it left alone.
        """
        for connection in self._connections:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))

    def _is_there(self) -> bool:
        held = self._held
        # By path, never by opening it: closing a descriptor would drop SQLite's locks.
        return all(
            inode is None or _inode(path) == inode
            for path, inode in zip(self._paths, held, strict=False)
        )


def _inode(path: str) -> _Inode:
    try:
        found = os.stat(path)  # noqa: PTH116 - twice as fast, and asked at every read
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _abandon_all() -> None:
    for presence in _living:
        presence.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
