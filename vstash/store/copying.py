"""The part of the store that copies its file, and puts a copy in its place."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import apsw

from vstash.store.backup import ProgressCallback, copy_of
from vstash.store.connection import open_writer
from vstash.store.faults import translated
from vstash.store.held import Held
from vstash.store.restore import restore_into

__all__ = ["Copying"]


class Copying(Held):
    """Backups and restores of an open file."""

    def backup(
        self,
        target: Path,
        *,
        damaged: bool = False,
        progress: ProgressCallback | None = None,
    ) -> None:
        """Copy the file as it is at this moment, while others write to it; see `copy_of`.

        Args:
            target: Absolute path of the copy; a missing folder is made.
            damaged: Whether what SQLite's check finds wrong is copied all the same.
            progress: Called with the pages that were copied and how many there are.
        """
        self._usable()
        with translated(), self._apart() as connection:
            copy_of(
                connection,
                target,
                damaged=damaged,
                progress=progress,
                crash_point=self._crash_point,
            )

    def restore(
        self,
        source: Path,
        *,
        keep: Callable[[], None],
        force: bool,
        progress: ProgressCallback | None = None,
    ) -> None:
        """Replace all that the file holds, in one write that every process sees at once.

        Args:
            source: A copy of the backup that nobody else uses, of this schema; it is changed.
            keep: Puts aside what the file holds, while nobody can write.
            force: Whether a file with documents is replaced.
            progress: Called with the pages that were copied and how many there are.

        Raises:
            OverwriteError: When the file holds documents and ``force`` is false.
            StoreBusyError: When others did not finish writing in time; nothing was changed.
            StoreError: When it failed; nothing was changed.
        """
        with self._turn(self._busy_timeout_s) as busy_ms, translated():
            with (
                self._apart() as state,
                closing(open_writer(source, busy_timeout_s=0, durability="normal")) as copy,
                # What a connection knows of the file's tables must not outlive them.
                closing(self._new_writer()) as live,
            ):
                live.set_busy_timeout(busy_ms)
                restore_into(
                    live,
                    copy,
                    state,
                    keep=keep,
                    force=force,
                    progress=progress,
                    crash_point=self._crash_point,
                )
                live.set_busy_timeout(0)
                # It is done, whether there is room to move the log into the file or not.
                with suppress(apsw.Error):
                    live.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._write_again()
