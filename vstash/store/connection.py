"""Opening connections: pragmas, the vector extension, file modes."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import quote

import apsw
import numpy as np
import sqlite_vec

from vstash import deadlines
from vstash.errors import StoreForeignError, StoreIOError, StoreReadOnlyError
from vstash.store.faults import full, lacks_room
from vstash.store.folders import make_folder

if TYPE_CHECKING:
    from vstash.types import IdArray

__all__ = [
    "APPLICATION_ID",
    "PAGE_SIZE",
    "create_file",
    "fetch",
    "id_list",
    "open_reader",
    "open_scratch",
    "open_writer",
    "pragma_int",
    "roll_back",
]

APPLICATION_ID = 0x76737468  # "vsth"
# Five vectors of 384 float32 share a page of 8 KiB; on the default 4 KiB a quarter is wasted.
PAGE_SIZE = 8192
_CACHE_KIB = 16_384
_WAL_LIMIT_BYTES = 64 * 1024 * 1024
# Steps of SQLite's machine between two looks at the clock, some tenths of a millisecond.
_STEPS = 20_000
# No right to write, and a disk that is mounted for reading only.
_MAY_NOT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

_COMMON = (
    "PRAGMA trusted_schema = OFF",
    "PRAGMA foreign_keys = ON",
    "PRAGMA mmap_size = 0",
    "PRAGMA cell_size_check = ON",
    "PRAGMA temp_store = MEMORY",
    f"PRAGMA cache_size = -{_CACHE_KIB}",
)


def create_file(path: Path) -> None:
    """Make an empty file that only its owner can read, and its folder if it is missing.

    Args:
        path: Absolute path; an existing file is left alone.

    Raises:
        StoreReadOnlyError: When the folder cannot be written.
        StoreForeignError: When a part of the path is in the way.
    """
    try:
        make_folder(path.parent)
        # Before any connection exists, so that SQLite gives -wal and -shm the same mode. O_EXCL:
        # closing a descriptor of a file that is in use here would drop SQLite's locks.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if path.parent.is_dir():
            return
        raise StoreForeignError(
            "A file stands where the folder should be. Choose another path.",
            local_detail=str(path.parent),
        ) from None
    except NotADirectoryError as error:
        raise StoreForeignError(
            "A file stands where the folder should be. Choose another path.",
            local_detail=str(path.parent),
        ) from error
    except OSError as error:
        if error.errno in _MAY_NOT:
            raise StoreReadOnlyError(
                "The folder cannot be written, so the file cannot be made.",
                local_detail=str(path.parent),
            ) from error
        if lacks_room(error):
            raise full() from error
        raise StoreIOError(
            "The file cannot be made.", local_detail=f"{path}: {error.strerror}"
        ) from error


def _connect(target: str, flags: int, busy_timeout_s: float) -> apsw.Connection:
    connection = apsw.Connection(target, flags=flags)
    try:
        # First of all: a pragma reads the schema, and another process may be making the file.
        connection.set_busy_timeout(int(busy_timeout_s * 1000))
        connection.enable_load_extension(True)
        library = str(sqlite_vec.loadable_path())  # type: ignore[no-untyped-call]
        connection.load_extension(library)
        connection.enable_load_extension(False)
        for statement in _COMMON:
            connection.execute(statement)
        connection.set_progress_handler(deadlines.passed, _STEPS)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path, *, busy_timeout_s: float, immutable: bool) -> apsw.Connection:
    """Open a connection that cannot write.

    Args:
        path: An existing file.
        busy_timeout_s: Seconds to wait for recovery by another process.
        immutable: Open without locks, for a file in a folder that cannot be written.

    Returns:
        A connection for one thread at a time.
    """
    query = "?mode=ro&immutable=1" if immutable else "?mode=ro"
    target = f"file:{quote(path.as_posix())}{query}"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return _connect(target, flags, busy_timeout_s)


def open_scratch() -> apsw.Connection:
    """Open an empty database in memory, to see what statements make of it."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    return _connect(":memory:", flags, 0)


def open_writer(
    path: Path, *, busy_timeout_s: float, durability: Literal["full", "normal"]
) -> apsw.Connection:
    """Open the write connection of this process.

    Args:
        path: An existing file, empty or ours.
        busy_timeout_s: Seconds to wait for another process' write.
        durability: ``full`` syncs at every commit, ``normal`` at checkpoints.

    Returns:
        A connection in autocommit mode: every write says BEGIN IMMEDIATE itself.
    """
    connection = _connect(str(path), apsw.SQLITE_OPEN_READWRITE, busy_timeout_s)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        if not path.stat().st_size:
            # Before the first table. On a file that has some it would wait for the write lock.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _use_wal(connection, busy_timeout_s)
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
        connection.execute(f"PRAGMA synchronous = {durability.upper()}")
        if sys.platform == "darwin" and durability == "full":
            # fsync() on macOS leaves data in the drive's cache.
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA checkpoint_fullfsync = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def roll_back(path: Path, *, busy_timeout_s: float) -> None:
    """Undo what a process left half done that ended while it made the file, before the file had its log.

    Args:
        path: A file that has a journal beside it, which connections that only read may not apply.
        busy_timeout_s: Seconds to wait for another process.
    """
    connection = _connect(str(path), apsw.SQLITE_OPEN_READWRITE, busy_timeout_s)
    try:
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
    finally:
        connection.close()


def id_list(ids: IdArray) -> Any:
    """Chunk ids as a parameter for ``carray(?)``."""
    # carray refuses an array without items; no id is negative.
    return apsw.carray(ids if len(ids) else np.array([-1], dtype=np.int64))


def fetch(
    connection: apsw.Connection, sql: str, binds: Sequence[object] = ()
) -> list[tuple[Any, ...]]:
    """All rows of a statement; what its columns hold, the schema says."""
    return cast("list[tuple[Any, ...]]", connection.execute(sql, tuple(binds)).fetchall())


def _use_wal(connection: apsw.Connection, patience_s: float) -> None:
    # The busy handler is not asked when the journal mode changes, which happens once in the life of
    # a file: two processes that make it together must wait for each other here.
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except apsw.BusyError:  # noqa: PERF203 - a wait, not a hot loop
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.01)
        else:
            return


def pragma_int(connection: apsw.Connection, name: str) -> int:
    """Read a pragma that is an integer."""
    value = connection.pragma(name)
    return int(value) if isinstance(value, int | str) else 0
