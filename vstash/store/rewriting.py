"""Writing a file anew, and emptying its write-ahead log."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from vstash.errors import StoreFullError
from vstash.store.connection import pragma_int
from vstash.store.folders import free_bytes

__all__ = ["empty_log", "rewrite"]

# The temporary copy and the write-ahead log each hold the file once.
_COPIES: Final = 2
_PAUSE_S: Final = 0.05
_INCREMENTAL: Final = 2
_FOLDER: Final = "SQLITE_TMPDIR"
_folder_lock: Final = threading.Lock()


def rewrite(connection: apsw.Connection, path: Path) -> None:
    """Write every page of a file anew: free pages go, and with them what is left between rows.

    Readers go on; writers wait until it is done.

    Args:
        connection: The write connection outside of a transaction.
        path: The file; the copy that SQLite makes on the way is put beside it, without a name.

    Raises:
        StoreFullError: When there is too little room for that; nothing was changed.
    """
    _require_room(connection, path.parent)
    if pragma_int(connection, "auto_vacuum") != _INCREMENTAL:
        # A file of an older vstash: from now on free pages at its end can go in steps.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA temp_store = FILE")
    try:
        with _temporary_files_in(path.parent):
            connection.execute("VACUUM")
    finally:
        connection.execute("PRAGMA temp_store = MEMORY")


def _require_room(connection: apsw.Connection, folder: Path) -> None:
    pages = pragma_int(connection, "page_count") - pragma_int(connection, "freelist_count")
    needed = _COPIES * pages * pragma_int(connection, "page_size")
    free = free_bytes(folder)
    if free is not None and free < needed:
        raise StoreFullError(
            f"Writing the file anew needs {needed / 2**20:,.0f} MiB of free room beside it, and "
            f"{free / 2**20:,.0f} MiB are left. Make room and repeat it; nothing was changed."
        )


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    # SQLite reads it when it makes a file; no other file of ours is temporary.
    with _folder_lock:
        before = os.environ.get(_FOLDER)
        os.environ[_FOLDER] = str(folder)
        try:
            yield
        finally:
            if before is None:
                del os.environ[_FOLDER]
            else:
                os.environ[_FOLDER] = before


def empty_log(connection: apsw.Connection, patience_s: float) -> bool:
    """Move everything of the write-ahead log into the file and cut the log off.

    Args:
        connection: The write connection outside of a transaction.
        patience_s: How long to wait for readers of older states, which need the log.

    Returns:
        Whether the log is empty.
    """
    end = time.monotonic() + patience_s
    # Each try holds others up for a moment only: most is moved without keeping anybody waiting.
    connection.set_busy_timeout(0)
    while True:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        try:
            ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except apsw.BusyError:
            busy = 1
        if not busy:
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(_PAUSE_S)
