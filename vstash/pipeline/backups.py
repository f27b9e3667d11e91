"""Backups that vstash makes by itself; stands in until all of them are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vstash.store.documents import to_datetime

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.store.protocol import Store

__all__ = ["BackupName", "Backups"]


@dataclass(frozen=True, slots=True)
class BackupName:
    """What a backup is called."""

    name: str


class Backups:
    """Keeps a file as it is before something that changes much of it.

    Args:
        store: The file.
        settings: In force.
        clock: Microseconds since the epoch.
    """

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], int]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    def before(self, reason: str) -> BackupName:
        """Copy the file into the backup folder."""
        path = self._store.path
        moment = to_datetime(self._clock()).strftime("%Y%m%dT%H%M%S%fZ")
        name = f"{path.stem}-{moment}-{reason}.db"
        self._store.backup(path.parent / "backups" / name)
        return BackupName(name)
