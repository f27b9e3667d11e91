"""Methods of `Memory` that make backups and bring them back."""

from __future__ import annotations

import os
from pathlib import Path

from vstash.memory.base import Base
from vstash.upkeep import BackupInfo, BackupProgressCallback, RestoreReport

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
        from vstash.pipeline.engine import absolute  # noqa: PLC0415 - it is loaded by now

        target = None if path is None else absolute(Path(path))
        return self._engine.backups.make(target, progress=progress)

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

    def back_up_when_due(self, *, every_s: float, keep: int) -> BackupInfo | None:
        """Make a scheduled backup if the last one is old enough, and remove those too many.

        Who calls it now and then has a schedule. Several processes that do keep one together: the
        files in the folder tell when the last one was made.

        Args:
            every_s: Seconds from one backup to the next, 1 to 31,536,000.
            keep: How many scheduled backups are kept, 1 to 100,000; all others stay.

        Returns:
            The backup; None where none is due, or nothing changed since the last one.

        Raises:
            FieldError: When a value is out of range.
            StoreError: When it cannot be made; none was removed.
        """
        return self._engine.schedule.back_up(every_s=every_s, keep=keep)

    def back_up_in_background(self) -> None:
        """Make scheduled backups in a thread of its own, by the settings, until the file is closed.

        Raises:
            ClosedError: When it is closed.
        """
        self._engine.backups.listed()
        self._engine.backing_up.start()

    def restore(
        self,
        source: str | os.PathLike[str],
        *,
        force: bool = False,
        progress: BackupProgressCallback | None = None,
    ) -> RestoreReport:
        """Replace what the file holds by what a backup does, while others have it open.

        It is one write: a crash leaves all of the old or all of the new, other threads and processes
        see the one or the other, and writes that come meanwhile wait. What was there before is kept
        as a backup with the reason ``restore``. Access keys and jobs stay as they are: a key that was
        revoked since the backup stays revoked. Documents that were removed or forgotten since come
        back.

        Args:
            source: The name of a backup as it is listed; or a path, as a `Path` or with a separator in
                it.
            force: Whether a file that holds documents is replaced.
            progress: Called as pages are copied.

        Raises:
            OverwriteError: When the file holds documents and ``force`` is false.
            BackupNotFoundError, PathNotFoundError: When there is no such backup.
            ModelMismatchError: When the backup was written with another model.
            StoreCorruptError: When the backup is damaged.
            StoreNewerError: When the backup was made by a newer vstash.
            StoreError: When it failed; nothing was changed.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.restore(memory.backups()[0].name, force=True).documents
            1
        """
        return self._engine.restoring.restore(source, force=force, progress=progress)
