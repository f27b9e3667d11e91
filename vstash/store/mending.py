"""The part of the store that compares its file with itself, and sets right what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from vstash.store import check, repair
from vstash.store.faults import pages_damaged, translated
from vstash.store.found import Rules
from vstash.store.held import Held
from vstash.upkeep import CheckLevel

__all__ = ["Mending"]


def _untold(_part: str, _done: int, _total: int) -> None:
    return


class Mending(Held):
    """Checks and repairs of an open file."""

    def check(
        self,
        rules: Rules,
        *,
        level: CheckLevel = "full",
        progress: Callable[[str, int, int], None] = _untold,
    ) -> check.CheckResult:
        """Compare schema, text, words, vectors, codes, counters and log with one another.

        Args:
            rules: How what is derived follows from text, as it did when it was stored.
            level: As in `check.run`.
            progress: As there.
        """
        self._usable()
        # A connection of its own: SQLite's integrity check reads FTS5 through what that connection
        # cached of it before, and calls a newer state damaged.
        with translated(), self._apart() as connection:
            connection.execute("BEGIN")
            return check.run(connection, rules, level=level, progress=progress)

    def repair(
        self,
        rules: Rules,
        *,
        accept: bool,
        now: int,
        progress: Callable[[str, int, int], None] = _untold,
    ) -> repair.Repaired:
        """Check the file, and set right what is wrong in the same transaction.

        Args:
            rules: As for `check`.
            accept: Make the hash anew of documents that do not match theirs.
            now: Microseconds since the epoch.
            progress: As for `check`.

        Raises:
            StoreCorruptError: When pages are damaged; nothing was changed.
            StoreError: When the write failed; nothing was changed.
        """
        with self._turn(self._busy_timeout_s) as busy_ms, translated():
            # A connection of its own, as for `check`.
            with closing(self._new_writer()) as connection:
                connection.set_busy_timeout(busy_ms)
                with self._immediately(connection):
                    before = check.run(connection, rules, progress=progress)
                    _require_whole_pages(before)
                    accepted = repair.apply(
                        connection,
                        before,
                        rules,
                        accept=accept,
                        now=now,
                        crash_point=self._crash_point,
                        progress=progress,
                    )
                    self._crash_point("commit")
            self._write_again()
            # What the others kept of the file's schema is read anew by SQLite itself.
            return repair.Repaired(before, accepted)


def _require_whole_pages(found: check.CheckResult) -> None:
    if "file_damaged" in found.rows:
        raise pages_damaged()
