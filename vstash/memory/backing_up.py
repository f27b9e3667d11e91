"""Methods of `Memory` that make backups and bring them back."""

from __future__ import annotations

import os
from pathlib import Path

from vstash.errors import FieldError
from vstash.memory.base import Base
from vstash.upkeep import BackupInfo, BackupProgressCallback

__all__ = ["BackingUp"]


class BackingUp(Base):
    """Backups: whole copies of the file at one moment."""

    def backup(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        progress: BackupProgressCallback | None = None,
    ) -> BackupInfo:
        """Copy the file as it is at this moment; others, and other processes, read and write meanwhile.

        The copy is a file like any other: it can be opened, searched and restored. It is checked
        before it gets its name, so that a file of that name is a whole one, whatever happens.

        Args:
            path: Where the copy goes; in a folder it gets a name of its own. None for the folder of
                the file's backups, which is the setting `backup_folder`.
            progress: Called as pages are copied.

        Raises:
            OverwriteError: When there is a file at the path.
            StoreCorruptError: When the file is damaged; the backups that there are are better.
            StoreFullError: When the disk of the copy is full; nothing is left of it.
            StoreError: When the copy cannot be made.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.backup("/mnt/other-disk/notes.db").documents
            1
        """
        return self._engine.backups.make(_absolute(path), progress=progress)

    def backups(self) -> tuple[BackupInfo, ...]:
        """List the backups in the folder of this file's backups, the newest first.

        Raises:
            StoreError: When the folder cannot be read.
        """
        return self._engine.backups.listed()

    def delete_backup(self, name: str) -> BackupInfo:
        """Remove a backup from the folder of this file's backups.

        Args:
            name: As it is listed.

        Returns:
            The backup that was.

        Raises:
            BackupNotFoundError: When there is none of this name.
            StoreError: When it cannot be removed.
        """
        return self._engine.backups.delete(name)


def _absolute(path: str | os.PathLike[str] | None) -> Path | None:
    if path is None:
        return None
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise FieldError(
            "The path names the home of a user who does not exist.",
            pointer="/path",
            local_detail=str(path),
        ) from error
