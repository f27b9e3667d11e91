"""Files under a temporary name."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from vstash.errors import FieldError, StoreFullError, StoreIOError, VstashError
from vstash.store.beside import BESIDE
from vstash.store.connection import create_file

__all__ = ["temporary", "told", "under_way"]

# A temporary file of another machine, whose processes cannot be seen, counts as left behind after so long.
_LEFT_BEHIND_S: Final = 86_400
_SUFFIX: Final = ".part"
# What SQLite keeps beside one has its name with an ending.
_NAME: Final = re.compile(
    r"\.(?P<target>.+)\.(?P<host>[0-9a-f]{10})-(?P<process>[0-9]+)-[0-9a-f]{8}\.part"
    r"(?P<beside>-wal|-shm|-journal)?",
    re.DOTALL,
)
_FULL: Final = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


@contextmanager
def temporary(target: Path) -> Iterator[Path]:
    """An empty file beside a target, 0600, that is gone when the block ends, unless it was renamed.

    What processes that were killed have left there is removed first.

    Raises:
        FieldError: When the target's name is one that SQLite gives to what it keeps beside a file.
        StoreError: When it cannot be made.
    """
    _require_name(target)
    if target.parent.is_dir():
        _remove_left_behind(target.parent)
    part = target.with_name(
        f".{target.name}.{_host()}-{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
    )
    create_file(part)
    try:
        yield part
    finally:
        for beside in ("", *BESIDE):
            with suppress(OSError):
                part.with_name(part.name + beside).unlink(missing_ok=True)


def _require_name(target: Path) -> None:
    for ending in BESIDE:
        beside = target.name.removesuffix(ending)
        # SQLite would take it for changes of that file, and remove it.
        if beside != target.name and target.with_name(beside).exists():
            raise FieldError(
                f"A name that ends in {ending} is SQLite's, beside the file of that name without it. "
                "Choose another one.",
                local_detail=str(target),
            )


def _host() -> str:
    """Ten characters for this machine or container: a process is known by its number only inside of it."""
    return hashlib.blake2b(platform.node().encode(), digest_size=5).hexdigest()


def _found(folder: Path) -> list[tuple[Path, re.Match[str]]]:
    """The temporary files in a folder, which may be anybody's: no other file is one of ours."""
    named = ((part, _NAME.fullmatch(part.name)) for part in folder.glob(f".*{_SUFFIX}*"))
    return [(part, name) for part, name in named if name is not None]


def _remove_left_behind(folder: Path) -> None:
    for part, name in _found(folder):
        process = int(name["process"])
        with suppress(OSError, OverflowError):
            aged = time.time() - part.stat().st_mtime > _LEFT_BEHIND_S
            if aged or (name["host"] == _host() and not _alive(process)):
                part.unlink()


def _alive(process: int) -> bool:
    if sys.platform == "win32":
        # There, asking with signal 0 would end it.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def under_way(folder: Path) -> list[str]:
    """The names of the files that are being made in a folder."""
    if not folder.is_dir():
        return []
    _remove_left_behind(folder)
    return [name["target"] for _, name in _found(folder) if not name["beside"]]


def told(error: OSError, path: Path) -> VstashError:
    """What the operating system refused, in vstash's words."""
    detail = f"{path}: {error.strerror}"
    if error.errno in _FULL:
        return StoreFullError("The disk is full; nothing was changed.", local_detail=detail)
    return StoreIOError("The backup's folder cannot be used.", local_detail=detail)
