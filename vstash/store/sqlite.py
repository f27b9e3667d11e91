"""The store: one file, one write connection, read connections on demand."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import apsw

from vstash import deadlines
from vstash.errors import (
    ClosedError,
    ForkedError,
    PathNotFoundError,
    StoreBusyError,
    StoreCorruptError,
    StoreForeignError,
    StoreReadOnlyError,
    VstashError,
)
from vstash.store import check, repair
from vstash.store.connection import create_file, open_reader, open_writer
from vstash.store.derived import Derived
from vstash.store.faults import translate, translated
from vstash.store.found import Rules
from vstash.store.migrate import identify, known_migrations, migrate
from vstash.store.session import Reader
from vstash.store.writer import Writer
from vstash.upkeep import CheckLevel

__all__ = ["SqliteStore"]

# Idle read connections kept; each holds three descriptors and up to 16 MiB of cache.
_IDLE_READERS = 8
# Rows of postings merged in one transaction when tidying: others get to write in between.
_MERGED_AT_ONCE = 20_000


def _no_crash(_name: str) -> None:
    return


def _untold(_part: str, _done: int, _total: int) -> None:
    return


class SqliteStore:
    """One vstash file, safe to use from many threads and beside other processes.

    Args:
        path: Absolute path of the file.
        create: Make the file and its folder when they are missing.
        durability: ``full``: a commit survives power loss; ``normal``: it survives kill -9.
        busy_timeout_s: How long a write waits for another process.
        crash_point: For fault tests: called by name between the steps of a write.

    Raises:
        PathNotFoundError: When the file is missing and ``create`` is false.
        StoreError: When the file is not ours, newer, damaged, or cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        *,
        create: bool = True,
        durability: Literal["full", "normal"] = "full",
        busy_timeout_s: float = 5.0,
        crash_point: Callable[[str], None] = _no_crash,
    ) -> None:
        self.path = path
        self._durability: Literal["full", "normal"] = durability
        self._busy_timeout_s = busy_timeout_s
        self._crash_point = crash_point
        self._pid = os.getpid()
        self._closed = False
        self._write_lock = threading.Lock()
        self._pool_lock = threading.Lock()
        self._idle: list[apsw.Connection] = []
        self._writer: apsw.Connection | None = None
        self._derived = Derived()
        self.immutable = False
        self._open(create=create)

    def _open(self, *, create: bool) -> None:
        if self.path.is_dir():
            raise StoreForeignError(
                "The path is a folder: name a file in it.", local_detail=str(self.path)
            )
        if not self.path.exists():
            if not create:
                raise PathNotFoundError(
                    "There is no vstash file yet: `vstash add` or `vstash ingest` makes one.",
                    local_detail=str(self.path),
                )
            create_file(self.path)
        try:
            self._bring_up_to_date()
        except apsw.Error as error:
            raise self._named(translate(error)) from error
        except VstashError as error:
            raise self._named(error) from error

    def _named(self, error: VstashError) -> VstashError:
        detail = error.local_detail
        error.local_detail = f"{self.path}: {detail}" if detail else str(self.path)
        return error

    def _bring_up_to_date(self) -> None:
        steps = known_migrations()
        latest = steps[-1].version
        if self.path.stat().st_size:
            reader = self._first_reader()
            self._idle.append(reader)
            if identify(reader, latest) == latest:
                return
        if self.immutable:
            raise StoreReadOnlyError("The file needs a migration and cannot be written.")
        migrate(self._write_connection(), steps)
        # Every page of the schema stands in the log now; a small disk need not hold both.
        self._write_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _first_reader(self) -> apsw.Connection:
        try:
            return self._probed(immutable=False)
        except (apsw.CantOpenError, apsw.ReadOnlyError):
            if not os.access(self.path, os.R_OK):
                raise StoreReadOnlyError(
                    "The file cannot be read. Check its permissions."
                ) from None
            if os.access(self.path.parent, os.W_OK):
                raise
        wal = self.path.with_name(self.path.name + "-wal")
        if wal.exists() and wal.stat().st_size:
            raise StoreReadOnlyError(
                "The folder cannot be written and the file has changes that were not yet moved "
                "into it. Open it once where it can be written."
            )
        self.immutable = True
        return self._probed(immutable=True)

    def _probed(self, *, immutable: bool) -> apsw.Connection:
        connection = open_reader(
            self.path, busy_timeout_s=self._busy_timeout_s, immutable=immutable
        )
        try:
            connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    def _usable(self) -> None:
        if self._pid != os.getpid():
            raise ForkedError(
                "This Memory was opened before the process forked. Open a new one in the child."
            )
        if self._closed:
            raise ClosedError("This Memory is closed. Open a new one.")

    def _write_connection(self) -> apsw.Connection:
        if self._writer is None:
            self._writer = self._new_writer()
        return self._writer

    def _new_writer(self) -> apsw.Connection:
        return open_writer(
            self.path, busy_timeout_s=self._busy_timeout_s, durability=self._durability
        )

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A consistent view of the file, never waiting for a writer."""
        self._usable()
        with translated(), self._borrowed() as connection:
            connection.execute("BEGIN")
            try:
                yield Reader(connection, self._derived)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _borrowed(self) -> Iterator[apsw.Connection]:
        with self._pool_lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = open_reader(
                self.path, busy_timeout_s=self._busy_timeout_s, immutable=self.immutable
            )
        sound = True
        try:
            yield connection
        except apsw.Error:
            sound = False
            raise
        finally:
            with self._pool_lock:
                if sound and not self._closed and len(self._idle) < _IDLE_READERS:
                    self._idle.append(connection)
                else:
                    connection.close()

    @contextmanager
    def write(self, *, timeout_s: float | None = None) -> Iterator[Writer]:
        """One write transaction: committed when the block ends, undone when it raises.

        Args:
            timeout_s: How long to wait for other threads and processes; None for the setting.

        Raises:
            StoreBusyError: When others did not finish in time; nothing was changed.
            DeadlineError: When the deadline passed before the commit; nothing was changed.
            StoreError: When the write failed.
        """
        self._require_writable()
        wait = self._busy_timeout_s if timeout_s is None else timeout_s
        with self._alone(wait):
            busy_ms = math.ceil(deadlines.patience(wait) * 1000)
            with translated(), self._transaction(busy_ms) as writer:
                yield writer

    def _require_writable(self) -> None:
        self._usable()
        if self.immutable:
            raise StoreReadOnlyError(
                "The file's folder cannot be written, so the file is open for reading only.",
                local_detail=str(self.path),
            )

    @contextmanager
    def _alone(self, wait: float) -> Iterator[None]:
        """Hold the lock that the threads of this process write under."""
        if not deadlines.acquired(self._write_lock, wait):
            raise StoreBusyError(
                "Another thread is writing and did not finish in time; nothing was changed. "
                "Try again."
            )
        try:
            # It may have been closed while this thread waited.
            self._usable()
            yield
        finally:
            self._write_lock.release()

    @contextmanager
    def _transaction(self, busy_ms: int) -> Iterator[Writer]:
        connection = self._write_connection()
        connection.set_busy_timeout(busy_ms)
        with self._immediately(connection):
            writer = Writer(connection, self._crash_point)
            yield writer
            writer.finish()
            self._crash_point("commit")

    @contextmanager
    def _immediately(self, connection: apsw.Connection) -> Iterator[None]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            deadlines.check()
            # From here on it is done: one that was interrupted would leave it open whether it is.
            with deadlines.unhurried():
                connection.execute("COMMIT")
        except BaseException:
            # SQLite has already rolled back after some errors, such as a full disk.
            if connection.in_transaction:
                with deadlines.unhurried():
                    connection.execute("ROLLBACK")
            raise

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
        with translated(), closing(self._probed(immutable=self.immutable)) as connection:
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
        self._require_writable()
        with self._alone(self._busy_timeout_s), translated():
            # A connection of its own, as for `check`.
            with closing(self._new_writer()) as connection, self._immediately(connection):
                before = check.run(connection, rules, progress=progress)
                if "file_damaged" in before.rows:
                    raise StoreCorruptError(
                        "Pages of the file are damaged, so that nothing can be derived from them: "
                        "restore a backup with `vstash restore`, or copy what can be read into a new "
                        "file with `vstash salvage`. Nothing was changed."
                    )
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
            # What the others kept of the file's schema is read anew by SQLite itself.
            return repair.Repaired(before, accepted)

    def backup(self, target: Path) -> None:
        """Copy the file as it is at this moment; stands in until backups are there."""
        self._usable()
        create_file(target)
        with (
            translated(),
            closing(self._probed(immutable=self.immutable)) as connection,
            closing(apsw.Connection(str(target))) as copy,
            copy.backup("main", connection, "main") as pages,
        ):
            pages.step()

    def size(self) -> int:
        """Bytes of the file and its write-ahead log."""
        wal = self.path.with_name(self.path.name + "-wal")
        return sum(each.stat().st_size for each in (self.path, wal) if each.exists())

    def tidy(self) -> None:
        """Leave no word of chunks that are gone in any index, and empty the write-ahead log.

        Raises:
            StoreBusyError: When others did not finish writing in time.
            StoreError: When a write failed.
        """
        more = True
        while more:
            with self.write() as writer:
                more = writer.merge_postings(_MERGED_AT_ONCE)
        looked: int | None = 0
        while looked is not None:
            with self.write() as writer:
                looked = writer.drop_gone_postings(after=looked)
        with self.write() as writer:
            writer.optimise_words()
        with self._write_lock:
            self._usable()
            connection = self._write_connection()
            # A reader under way keeps the log; it must not keep everybody waiting.
            connection.set_busy_timeout(0)
            with translated():
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close every connection; may be called more than once."""
        if self._closed or self._pid != os.getpid():
            self._closed = True
            return
        with self._write_lock, self._pool_lock:
            self._closed = True
            for connection in self._idle:
                connection.close()
            self._idle.clear()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
