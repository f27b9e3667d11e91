"""Backups of the file: made, listed and removed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vstash.errors import BackupNotFoundError, SettingsError, StoreError
from vstash.store.backup import read_back
from vstash.store.backup_names import BackupName, kept, parsed
from vstash.store.documents import to_datetime
from vstash.store.folders import sync_folder
from vstash.store.temporary import told
from vstash.upkeep import BackupInfo, BackupProgress, BackupProgressCallback, BackupReason

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.store.protocol import Store

__all__ = ["Backups", "backup_folder", "found_backup", "in_pages"]


def backup_folder(path: Path, settings: Settings) -> Path:
    """Where the backups of a file are kept.

    Args:
        path: The file, absolute.
        settings: In force.

    Raises:
        SettingsError: When the setting names a home that there is not.
    """
    if not settings.backup_folder:
        return path.parent / "backups"
    try:
        return Path(settings.backup_folder).expanduser().absolute()
    except RuntimeError as error:
        raise SettingsError(
            "Setting `backup_folder`: there is no such home folder; write the path in full.",
            local_detail=settings.backup_folder,
        ) from error


def in_pages(progress: BackupProgressCallback | None) -> Callable[[int, int], None] | None:
    """What the store calls, for who wants to know where a backup stands."""
    if progress is None:
        return None
    tell = progress

    def told_of(done: int, pages: int) -> None:
        tell(BackupProgress(done, pages))

    return told_of


def found_backup(name: str, folder: Path, source: Path) -> Path:
    """The backup of a name.

    Args:
        name: Anything at all.
        folder: Where the backups are.
        source: The file that they are of.

    Raises:
        BackupNotFoundError: When there is none, also for what is no name of a backup.
    """
    # What is asked for is looked for among what is there: it never becomes a path.
    for path, _ in _files(folder, source):
        if path.name == name:
            return path
    raise BackupNotFoundError("There is no backup of this name; `vstash backups` lists them.")


def _files(folder: Path, source: Path) -> list[tuple[Path, BackupName]]:
    try:
        entries = list(folder.iterdir()) if folder.is_dir() else []
        named = [(path, parsed(path.name, source)) for path in entries]
        return [
            (path, name)
            for path, name in named
            if name is not None and path.is_file() and not path.is_symlink()
        ]
    except OSError as error:
        raise told(error, folder) from error


class Backups:
    """Makes, lists and removes backups.

    Args:
        store: The file.
        settings: Where they go.
        clock: Microseconds since the epoch.
    """

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self.folder = backup_folder(store.path, settings)

    def make(
        self, path: Path | None, *, progress: BackupProgressCallback | None = None
    ) -> BackupInfo:
        """Make a backup; see `Memory.backup`."""
        if path is None or path.is_dir():
            return self.keep(None, folder=path, progress=progress)
        self._store.backup(path, progress=in_pages(progress))
        return _info(path, self._named(path))

    def before(
        self, reason: BackupReason, *, progress: BackupProgressCallback | None = None
    ) -> BackupInfo:
        """Keep the file as it is, damaged or not, before something that changes much of it.

        Args:
            reason: What is about to happen.
            progress: Called as pages are copied.

        Raises:
            StoreError: When it cannot be kept; then that must not happen.
        """
        return self.keep(reason, damaged=True, progress=progress)

    def keep(
        self,
        reason: BackupReason | None,
        *,
        folder: Path | None = None,
        damaged: bool = False,
        progress: BackupProgressCallback | None = None,
    ) -> BackupInfo:
        """Make a backup under a name of its own.

        Args:
            reason: None where it was asked for.
            folder: None for the folder of the file's backups.
            damaged: Whether what SQLite's check finds wrong is copied all the same.
            progress: Called as pages are copied.
        """
        path = kept(
            self._store.path,
            self.folder if folder is None else folder,
            reason,
            partial(self._store.backup, damaged=damaged, progress=in_pages(progress)),
            now=to_datetime(self._clock()),
        )
        return _info(path, self._named(path))

    def listed(self) -> tuple[BackupInfo, ...]:
        """List the backups; see `Memory.backups`."""
        with self._store.read():
            found = [_info(path, name) for path, name in self.files()]
        return tuple(sorted(found, key=lambda info: (info.created, info.name), reverse=True))

    def files(self) -> list[tuple[Path, BackupName]]:
        """The backups of this file in the folder; nothing is opened."""
        return _files(self.folder, self._store.path)

    def age_s(self) -> float | None:
        """Seconds since the newest was made, None without any or where the folder cannot be read."""
        with suppress(StoreError):
            made = [name.created for _, name in self.files()]
            if made:
                return (to_datetime(self._clock()) - max(made)).total_seconds()
        return None

    def found(self, name: str) -> Path:
        """The backup of a name; as `found_backup`."""
        return found_backup(name, self.folder, self._store.path)

    def delete(self, name: str) -> BackupInfo:
        """Remove a backup; see `Memory.delete_backup`."""
        with self._store.read():
            path = self.found(name)
        info = _info(path, self._named(path))
        try:
            path.unlink()
            sync_folder(self.folder)
        except FileNotFoundError:
            raise BackupNotFoundError("Somebody else removed this backup.") from None
        except OSError as error:
            raise told(error, path) from error
        return info

    def _named(self, path: Path) -> BackupName:
        """What a name says, or for one that the caller chose: made just now, as it was asked for."""
        return parsed(path.name, self._store.path) or BackupName(to_datetime(self._clock()), None)


def _info(path: Path, name: BackupName) -> BackupInfo:
    read = read_back(path)
    version, documents, chunks = (None, None, None) if read is None else read
    return BackupInfo(
        name=path.name,
        created=name.created,
        bytes=path.stat().st_size if path.exists() else 0,
        reason=name.reason,
        schema_version=version,
        documents=documents,
        chunks=chunks,
    )
