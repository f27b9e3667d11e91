"""SQLite's errors, told in vstash's words."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import apsw

from vstash import deadlines
from vstash.errors import (
    InternalError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreForeignError,
    StoreFullError,
    StoreIOError,
    StoreReadOnlyError,
    VstashError,
)

__all__ = [
    "OF_DAMAGE",
    "UNREADABLE",
    "IndexDamagedError",
    "doubted",
    "extended_code",
    "full",
    "index_damaged",
    "is_malformed",
    "lacks_room",
    "pages_damaged",
    "require",
    "translate",
    "translated",
    "unreadable",
]

# What decoding a damaged value raises: text that is not UTF-8, and JSON that is none.
UNREADABLE: Final = (UnicodeDecodeError, json.JSONDecodeError)

# What rows in the place of others may raise. A defect of ours may as well, so that the file is asked first.
OF_DAMAGE: Final = (TypeError, ValueError, IndexError, KeyError, OverflowError)

# How sqlite-vec tells of a read that failed, whatever the reason: as of a wrong statement.
_BY_VECTORS: Final = "Internal sqlite-vec error"

# What a statement that is interrupted raises, also from inside of an index, and what a wait does.
_BY_DEADLINE: Final = (apsw.InterruptError, apsw.SQLError, apsw.BusyError)

# SQLite takes note of a full disk alone; the system also refuses by a quota or a limit on the size of files.
_NO_ROOM: Final = frozenset(
    getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)
)

_TABLE: tuple[tuple[type[apsw.Error], type[VstashError], str], ...] = (
    (
        apsw.BusyError,
        StoreBusyError,
        (
            "Another process is writing to the file and did not finish in time; nothing was changed. "
            "Try again."
        ),
    ),
    (apsw.LockedError, StoreBusyError, "The file is in use; nothing was changed. Try again."),
    (
        apsw.ReadOnlyError,
        StoreReadOnlyError,
        "The file cannot be written. Check its permissions and those of its folder.",
    ),
    (
        apsw.PermissionsError,
        StoreReadOnlyError,
        "The file cannot be accessed. Check its permissions and those of its folder.",
    ),
    (
        apsw.CorruptError,
        StoreCorruptError,
        "The file is damaged. Restore a backup; `vstash check` tells what is wrong.",
    ),
    (
        apsw.NotADBError,
        StoreForeignError,
        "The file is not a vstash file; it was left as it is. Choose another path.",
    ),
    (
        apsw.IOError,
        StoreIOError,
        (
            "The operating system failed to read or write the file. The last write may or may not have "
            "happened: repeat it with the same key."
        ),
    ),
    (
        apsw.CantOpenError,
        StoreIOError,
        "The file cannot be opened. Check that its folder exists and may be written.",
    ),
    (
        apsw.ProtocolError,
        StoreBusyError,
        "The file's locks did not settle; nothing was changed. Try again.",
    ),
    (
        apsw.ExtensionLoadingError,
        StoreError,
        (
            "The vector extension of SQLite cannot be loaded. Is there enough memory? If there is, "
            "install vstash again."
        ),
    ),
    (apsw.NoMemError, StoreError, "SQLite ran out of memory; nothing was changed."),
    (
        apsw.TooBigError,
        StoreError,
        "A value is larger than SQLite can hold; nothing was changed.",
    ),
)


def translate(error: apsw.Error, connection: apsw.Connection | None = None) -> VstashError:
    """Turn an error of SQLite into the matching error of vstash.

    Args:
        error: What APSW raised.
        connection: That may have raised it, which knows more.

    Returns:
        An error whose message holds no SQL; a defect of ours becomes `InternalError`.
    """
    if lacks_room(error, connection):
        return full()
    for kind, ours, message in _TABLE:
        if isinstance(error, kind):
            return ours(message)
    if is_malformed(error):
        return unreadable()
    if isinstance(error, apsw.SQLError) and str(error).startswith(_BY_VECTORS):
        return StoreIOError(
            "The vector index could not be read; nothing was changed. Try again; if it stays so, "
            "`vstash check` tells what is wrong."
        )
    return InternalError(
        "vstash asked SQLite for something that it refused; please report this.",
        local_detail=f"{type(error).__name__}: {error}",
    )


def lacks_room(error: BaseException, connection: apsw.Connection | None = None) -> bool:
    """Whether it failed because there is no space, and so that nothing was changed.

    Args:
        error: What was raised. A sync that fails for want of space is none of these: nobody knows what
            came of what it should have made safe.
        connection: That raised it, where it is known.
    """
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if not isinstance(error, apsw.IOError):
        return isinstance(error, apsw.FullError)
    if extended_code(error) == apsw.SQLITE_IOERR_SHMSIZE:
        # The memory that processes share is a file too.
        return True
    return (
        extended_code(error) == apsw.SQLITE_IOERR_WRITE
        and connection is not None
        and connection.system_errno in _NO_ROOM
    )


def extended_code(error: apsw.Error) -> int:
    """SQLite's extended result code, 0 where the error has none."""
    return int(getattr(error, "extendedresult", 0))


def is_malformed(error: apsw.Error) -> bool:
    """Whether SQLite could not read stored JSON, which it tells like a wrong statement."""
    return isinstance(error, apsw.SQLError) and str(error) == "malformed JSON"


def full() -> StoreFullError:
    """The error for a disk without space."""
    return StoreFullError("The disk is full; nothing was changed. Free some space and try again.")


def unreadable() -> StoreCorruptError:
    """The error for a stored value that cannot be what vstash wrote.

    Raise it ``from None``: the errors in `UNREADABLE` hold the stored text.
    """
    return StoreCorruptError(
        "The file is damaged: it holds a value that vstash cannot have written. Restore a backup; "
        "`vstash check` tells what is wrong."
    )


def pages_damaged() -> StoreCorruptError:
    """The error for a repair of a file whose pages are damaged."""
    return StoreCorruptError(
        "Pages of the file are damaged, so that nothing can be derived from them: restore a backup "
        "with `vstash restore`, or copy what can be read into a new file with `vstash salvage`. "
        "Nothing was changed."
    )


def require(sound: bool) -> None:  # noqa: FBT001 - reads as a sentence
    """Refuse to go on with what a damaged file holds.

    Raises:
        StoreCorruptError: When it is not sound.
    """
    if not sound:
        raise unreadable()


@contextmanager
def translated() -> Iterator[None]:
    """Run a block in which SQLite's errors, and those of reading damaged values, leave as vstash's."""
    try:
        yield
    except apsw.Error as error:
        if isinstance(error, _BY_DEADLINE):
            deadlines.check()
        raise translate(error) from error
    except UNREADABLE:
        raise unreadable() from None


@contextmanager
def doubted(is_damaged: Callable[[], bool]) -> Iterator[None]:
    """Run a block in which an error that damage can explain leaves as one of a damaged file, if it is one.

    Args:
        is_damaged: Asks the file.
    """
    try:
        yield
    except VstashError:
        raise
    except OF_DAMAGE:
        if is_damaged():
            raise unreadable() from None
        raise


class IndexDamagedError(StoreCorruptError):
    """An index that is derived from the rest of the file cannot be read; a search goes on without.

    Args:
        index: ``postings``, ``codes`` or ``keyword index``.
    """

    def __init__(self, index: str) -> None:
        super().__init__(
            f"The {index} in the file cannot be read. `vstash check` tells what is wrong."
        )
        self.index = index


@contextmanager
def index_damaged(index: str) -> Iterator[None]:
    """Run a block that reads a derived index; what cannot be read leaves as `IndexDamagedError`."""
    try:
        yield
    except (apsw.CorruptError, apsw.SQLError, StoreCorruptError, *UNREADABLE):
        raise IndexDamagedError(index) from None
