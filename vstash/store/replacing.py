"""Putting a copy to where there is no file, or one that cannot be opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from vstash.errors import StoreBusyError
from vstash.store.backup import counted, no_crash, publish
from vstash.store.backup_names import aside_name
from vstash.store.beside import BESIDE
from vstash.store.connection import fetch, open_writer
from vstash.store.faults import translated
from vstash.store.folders import sync_folder
from vstash.store.restore import end_open_jobs
from vstash.store.temporary import told

__all__ = ["put_in_place"]

_PROCESSES: Final = Path("/proc")


def put_in_place(
    part: Path, target: Path, *, now: datetime, crash_point: Callable[[str], None] = no_crash
) -> tuple[int, int, str | None]:
    """Give a checked copy the name of a file, and keep what was there under another name.

    Args:
        part: The copy, beside the target; nobody else uses it.
        target: The file; it may be missing.
        now: The time, for the name of what was there.
        crash_point: For fault tests: called by name between the steps.

    Returns:
        Documents, chunks, and the name of the file that was there, None where there was none.

    Raises:
        StoreBusyError: When a process is known to have the file open.
        StoreError: When the operating system refused.
    """
    documents, chunks = _settled(part)
    old = [each for each in _with_beside(target) if each.exists()]
    if any(_in_use(each) for each in old):
        raise StoreBusyError(
            "A process has the file open; it was left as it is. Stop what uses it, and try again."
        )
    try:
        if not old:
            publish(part, target)
            return documents, chunks, None
        aside = target.with_name(aside_name(target, now))
        for each in old:
            os.link(each, aside.with_name(aside.name + each.name[len(target.name) :]))
        sync_folder(target.parent)
        crash_point("restore:aside")
        for each in old:
            if each != target:
                each.unlink()
        crash_point("restore:cleared")
        part.replace(target)
        crash_point("restore:replaced")
        sync_folder(target.parent)
    except OSError as error:
        raise told(error, target) from error
    return documents, chunks, aside.name if target in old else None


def _with_beside(target: Path) -> list[Path]:
    # What SQLite keeps beside a file would be taken for changes of the one that takes its place.
    return [target, *(target.with_name(target.name + beside) for beside in BESIDE)]


def _settled(part: Path) -> tuple[int, int]:
    """End the jobs of a copy, whose changes are in the file itself and synced when this returns."""
    with translated(), closing(open_writer(part, busy_timeout_s=0, durability="full")) as copy:
        # A schema before the one with jobs has none.
        if fetch(copy, "SELECT 1 FROM sqlite_schema WHERE name = 'job'"):
            end_open_jobs(copy)
        _, documents, chunks = counted(copy)
        copy.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return documents, chunks


def _in_use(path: Path) -> bool:
    """Whether a process that this user may look into has a file open, as far as the system tells."""
    ours = path.stat()
    if not _PROCESSES.is_dir():
        return False
    for process in _PROCESSES.iterdir():
        if not process.name.isdigit():
            continue
        with suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with suppress(OSError):
                    found = descriptor.stat()
                    if (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino):
                        return True
    return False
