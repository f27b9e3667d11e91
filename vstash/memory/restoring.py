"""Restoring to a path, whatever is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vstash.errors import (
    PathNotFoundError,
    StoreCorruptError,
    StoreForeignError,
    StoreNewerError,
)
from vstash.upkeep import BackupProgressCallback, RestoreReport

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.settings import Settings

__all__ = ["restore"]

# Why a file cannot be opened, where putting another one in its place helps.
_UNUSABLE = (PathNotFoundError, StoreCorruptError, StoreForeignError, StoreNewerError)


def restore(
    backup: str | os.PathLike[str],
    path: str | os.PathLike[str] | None = None,
    *,
    force: bool = False,
    model: str | Embedder | None = None,
    settings: Settings | None = None,
    progress: BackupProgressCallback | None = None,
) -> RestoreReport:
    """Restore a backup to a path: where there is no file, one that cannot be opened, or any other.

    A file that can be opened is restored in place as by `Memory.restore`, while others use it. One that
    cannot, or not be restored so, since it is damaged, newer, or no file of vstash, is kept beside under a name that ends in
    ``-replaced.db``; the copy takes its place.

    Args:
        backup: The name of a backup in the folder of the path's backups; or a path, as a `Path` or with
            a separator in it.
        path: The file; None for the setting.
        force: Whether a file that holds documents, or that cannot be opened, is replaced.
        model: As for `Memory`.
        settings: As for `Memory`.
        progress: Called as pages are copied.

    Raises:
        OverwriteError: When there is something to be replaced and ``force`` is false.
        StoreBusyError: When a process has a file open that cannot be opened anew.
        BackupNotFoundError, PathNotFoundError: When there is no such backup.
        StoreError, ModelError: As for `Memory.restore`.

    Example:
        >>> import vstash
        >>> vstash.restore("/mnt/other-disk/notes.db", "notes.db").documents
        1
    """
    from vstash.memory import Memory  # noqa: PLC0415 - this module is a part of it
    from vstash.pipeline.engine import absolute  # noqa: PLC0415 - heavy, and only who asks pays
    from vstash.pipeline.restoring import replace_file  # noqa: PLC0415 - the same
    from vstash.settings import load_settings  # noqa: PLC0415 - the same

    settings = load_settings() if settings is None else settings
    target = settings.db_path() if path is None else absolute(Path(path))
    try:
        memory = Memory(target, model=model, settings=settings, create=False)
    except _UNUSABLE:
        return replace_file(backup, target, settings, force=force)
    with memory:
        try:
            return memory.restore(backup, force=force, progress=progress)
        except StoreCorruptError:
            # It can be opened, and is damaged where a restore looks; or the backup is, which is told.
            if not force:
                raise
    return replace_file(backup, target, settings, force=force)
