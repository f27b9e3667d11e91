"""The names of backups, which say of which file and when they were made, and why."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from vstash.errors import OverwriteError
from vstash.upkeep import BACKUP_REASONS, BackupReason

__all__ = ["BackupName", "aside_name", "kept", "name_of", "parsed"]

_TIME: Final = "%Y%m%dT%H%M%SZ"
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class BackupName:
    """What the name of a backup says."""

    created: datetime
    reason: BackupReason | None


def _stem(source: Path) -> str:
    return source.name.removesuffix(".db")


def parsed(name: str, source: Path) -> BackupName | None:
    """What a file name says, None where it is not that of a backup of a file.

    Args:
        name: Any name.
        source: The file.
    """
    reasons = "|".join(BACKUP_REASONS)
    pattern = rf"{re.escape(_stem(source))}-([0-9]{{8}}T[0-9]{{6}}Z)(?:-({reasons}))?\.db"
    found = re.fullmatch(pattern, name)
    if found is None:
        return None
    try:
        created = datetime.strptime(found[1], _TIME).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    reason = next((each for each in BACKUP_REASONS if each == found[2]), None)
    return BackupName(created, reason)


def name_of(source: Path, reason: BackupReason | None, created: datetime) -> str:
    """The name of a backup of a file."""
    suffix = "" if reason is None else f"-{reason}"
    return f"{_stem(source)}-{created.strftime(_TIME)}{suffix}.db"


def aside_name(source: Path, now: datetime) -> str:
    """The name for a file that cannot be opened, when another takes its place."""
    return f"{_stem(source)}-{now.strftime('%Y%m%dT%H%M%S%fZ')}-replaced.db"


def kept(
    source: Path,
    folder: Path,
    reason: BackupReason | None,
    copy: Callable[[Path], None],
    *,
    now: datetime,
) -> Path:
    """Make a backup under the name that is its own.

    Args:
        source: The file.
        folder: Where backups of it are.
        reason: None where it was asked for.
        copy: Makes the copy at a path, and raises where a file is there.
        now: The time, in UTC.

    Returns:
        Its path. Of two in the same second, the later one is called after the next.

    Example:
        >>> kept(path, path.parent / "backups", "migration", partial(copied, path), now=now)
        PosixPath('/data/backups/notes-20260102T030405Z-migration.db')
    """
    now = now.replace(microsecond=0)
    taken = {
        name.created for name in (parsed(each.name, source) for each in _entries(folder)) if name
    }
    while True:
        if now not in taken:
            target = folder / name_of(source, reason, now)
            with suppress(OverwriteError):
                copy(target)
                return target
        now += _SECOND


def _entries(folder: Path) -> list[Path]:
    # What cannot be listed cannot be written either, which the copy tells.
    with suppress(OSError):
        return list(folder.iterdir())
    return []
