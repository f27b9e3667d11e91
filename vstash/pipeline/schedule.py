"""Backups that are made by themselves, so many of which are kept."""

from __future__ import annotations

import logging
import math
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vstash import deadlines
from vstash.errors import BackupNotFoundError, FieldError, VstashError
from vstash.pipeline.backups import Backups
from vstash.store.backup import last_change, made_of
from vstash.store.backup_names import BackupName, parsed
from vstash.store.documents import to_datetime
from vstash.store.temporary import under_way
from vstash.threads import started

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.upkeep import BackupInfo

__all__ = ["BackgroundBackups", "Schedule"]

_LONGEST_S: Final = 31_536_000
_MOST: Final = 100_000
# How often to look whether one is due.
_LOOK_S: Final = 60.0
# The later one of two in a second is called after the next.
_AHEAD: Final = timedelta(seconds=5)
_log = logging.getLogger("vstash")


class Schedule:
    """Makes a backup when the last scheduled one is old enough, and removes those too many.

    The files tell when that is, so that several processes, and one that starts anew, keep one schedule.

    Args:
        store: The file.
        backups: Of the file.
        clock: Microseconds since the epoch.
    """

    def __init__(self, store: Store, backups: Backups, clock: Callable[[], int]) -> None:
        self._store = store
        self._backups = backups
        self._clock = clock

    def back_up(self, *, every_s: float, keep: int) -> BackupInfo | None:
        """Make one if it is due; see `Memory.back_up_when_due`."""
        if not 1 <= every_s <= _LONGEST_S:
            raise FieldError(
                f"every_s is a number of seconds, 1 to {_LONGEST_S}.", pointer="/every_s"
            )
        if not 1 <= keep <= _MOST:
            raise FieldError(f"keep is 1 to {_MOST}.", pointer="/keep")
        if not self._due(every_s):
            return None
        made = self._backups.keep("scheduled")
        for path, _ in list(self._scheduled())[keep:]:
            # Another process may remove the same ones.
            with suppress(BackupNotFoundError):
                self._backups.delete(path.name)
        return made

    def _scheduled(self) -> Iterator[tuple[Path, BackupName]]:
        """Those of this very file, the newest first."""
        now = to_datetime(self._clock())
        # What a clock that was wrong calls the future says nothing, and takes nobody's place.
        found = [
            each
            for each in self._backups.files()
            if each[1].reason == "scheduled" and each[1].created <= now + _AHEAD
        ]
        with self._store.read() as reader:
            made = reader.made
        for path, name in sorted(found, key=lambda each: each[1].created, reverse=True):
            # A file of the same name elsewhere may have its backups in the same folder.
            if made_of(path) == made:
                yield path, name

    def _due(self, every_s: float) -> bool:
        newest = next(self._scheduled(), None)
        if newest is not None:
            path, name = newest
            if to_datetime(self._clock()) - name.created < timedelta(seconds=every_s):
                return False
            with self._store.read() as reader:
                if reader.state == last_change(path):
                    return False
        making = (parsed(name, self._store.path) for name in under_way(self._backups.folder))
        return not any(name is not None and name.reason == "scheduled" for name in making)


class BackgroundBackups:
    """A thread that makes backups by the settings, until the file is closed.

    Args:
        schedule: Does the work.
        settings: How often, and how many are kept.
    """

    def __init__(self, schedule: Schedule, settings: Settings) -> None:
        self._schedule = schedule
        self._settings = settings
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._limit: deadlines.Deadline | None = None
        self.problem: VstashError | None = None
        """Why the last one could not be made, None where it could."""

    def start(self) -> None:
        """Begin, where the settings say so; a second call changes nothing."""
        if self._settings.backup_every and self._thread is None:
            self._thread = started(self._run, name="vstash-backups")

    def close(self) -> None:
        """Give up one that is under way; nothing is left of it."""
        self._stopped.set()
        if self._limit is not None:
            self._limit.stop()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        every = self._settings.backup_every
        with deadlines.deadline(math.inf) as self._limit:
            while not self._stopped.is_set():
                try:
                    self._schedule.back_up(every_s=every, keep=self._settings.backup_keep)
                except VstashError as error:
                    if not self._stopped.is_set():
                        self.problem = error
                        _log.warning("a scheduled backup failed: %s", error.code)
                else:
                    self.problem = None
                # Services on one file that were started together should not look together.
                self._stopped.wait(min(_LOOK_S, every / 2) * random.uniform(0.5, 1))  # noqa: S311
