"""Folders and names in them that survive a power loss."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["free_bytes", "make_folder", "sync_folder"]


def free_bytes(folder: Path) -> int | None:
    """Room that is left for this user where a folder is, None where the system does not say.

    Args:
        folder: One that is missing is taken to come where the nearest above it is.
    """
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    with suppress(OSError, AttributeError):  # Windows has no statvfs
        found = os.statvfs(there)
        return found.f_bavail * found.f_frsize
    return None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, 0700.

    Args:
        folder: Absolute; one that exists is left alone.

    Raises:
        OSError: When it cannot be made.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        # One by one: mkdir(parents=True) gives the mode to the last one only.
        each.mkdir(mode=0o700, exist_ok=True)
        # SQLite syncs the folder of the file and none above it. Who may not read one cannot sync it.
        with suppress(PermissionError):
            sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power loss, where the system offers that.

    Args:
        folder: A folder, so that no descriptor of the file itself is opened or closed.
    """
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
