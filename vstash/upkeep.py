"""What looking after a file tells: backups and restores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

__all__ = [
    "BACKUP_REASONS",
    "BackupInfo",
    "BackupProgress",
    "BackupProgressCallback",
    "BackupReason",
    "RestoreReport",
]

# Backups and restores.

BackupReason = Literal["scheduled", "repair", "migration", "restore"]
BACKUP_REASONS: Final[tuple[BackupReason, ...]] = get_args(BackupReason)


@dataclass(frozen=True, slots=True)
class BackupProgress:
    """Where a backup or a restore stands: pages copied so far, pages in all."""

    done: int
    pages: int


BackupProgressCallback = Callable[[BackupProgress], None]


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """A backup: a whole copy of a file at one moment.

    Attributes:
        name: Its file name.
        created: When it was made.
        bytes: Its size.
        reason: Why vstash made it by itself, None where it was asked for.
        schema_version: None where the file cannot be read, and so ``documents`` and ``chunks``.
        documents: How many it holds.
        chunks: How many it holds.
    """

    name: str
    created: datetime
    bytes: int
    reason: BackupReason | None
    schema_version: int | None
    documents: int | None
    chunks: int | None


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore brought back.

    Attributes:
        documents: In the file now.
        chunks: In the file now.
        schema_version: Of the backup; an older one was brought up to date.
        kept: Name of the backup, or of the file beside the restored one, that holds what was there
            before; None where there was nothing.
        seconds: Wall time.
    """

    documents: int
    chunks: int
    schema_version: int
    kept: str | None
    seconds: float
