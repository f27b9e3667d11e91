"""The store: one file, one write connection, read connections on demand."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import apsw

from vstash import deadlines
from vstash.errors import (
    ClosedError,
    ForkedError,
    PathNotFoundError,
    StoreBusyError,
    StoreForeignError,
    StoreReadOnlyError,
    VstashError,
)
from vstash.store.backup import no_crash
from vstash.store.beside import log_bytes, total_bytes
from vstash.store.connection import create_file, open_reader, open_writer, pragma_int, roll_back
from vstash.store.copying import Copying
from vstash.store.derived import LatestDerived
from vstash.store.faults import doubted, extended_code, full, lacks_room, translate, translated
from vstash.store.mending import Mending
from vstash.store.migrate import identify, known_migrations, migrate, require_known
from vstash.store.models import Served
from vstash.store.presence import Presence
from vstash.store.rewriting import empty_log, rewrite
from vstash.store.session import Reader
from vstash.store.writer import Writer

__all__ = ["SqliteStore"]

# Idle read connections kept; each holds three descriptors and up to 16 MiB of cache.
_IDLE_READERS = 8


def _no_backup(_path: Path) -> None:
    return


class SqliteStore(Copying, Mending):
    """One vstash file, safe to use from many threads and beside other processes.

    Args:
        path: Absolute path of the file.
        create: Make the file and its folder when they are missing.
        durability: ``full``: a commit survives power loss; ``normal``: it survives kill -9.
        busy_timeout_s: How long a write waits for another process.
        crash_point: For fault tests: called by name between the steps of a write.
        before_migration: Called with the path before the schema of a file is changed, while nobody
            else can write; what it raises leaves the file as it was.

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
        crash_point: Callable[[str], None] = no_crash,
        before_migration: Callable[[Path], object] = _no_backup,
    ) -> None:
        self.path = path
        self._durability: Literal["full", "normal"] = durability
        self._busy_timeout_s = busy_timeout_s
        self._crash_point = crash_point
        self._before_migration = before_migration
        self._latest = known_migrations()[-1].version
        self._pid = os.getpid()
        self._closed = False
        self._write_lock = threading.Lock()
        self._pool_lock = threading.Lock()
        self._idle: list[apsw.Connection] = []
        self._writer: apsw.Connection | None = None
        self._derived = LatestDerived()
        # Whether a write lately found the disk full.
        self._crowded = False
        self.immutable = False
        try:
            self._open(create=create)
        except BaseException:
            # A file that was refused may be about to be replaced.
            self.close()
            raise

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
        self._presence = Presence(self.path)
        try:
            self._bring_up_to_date()
        except apsw.Error as error:
            raise self._named(translate(error, self._writer)) from error
        except VstashError as error:
            raise self._named(error) from error

    def _named(self, error: VstashError) -> VstashError:
        detail = error.local_detail
        error.local_detail = f"{self.path}: {detail}" if detail else str(self.path)
        return error

    def _bring_up_to_date(self) -> None:
        if self.path.stat().st_size:
            reader = self._first_reader()
            self._idle.append(reader)
            if identify(reader, self._latest) == self._latest:
                return
        if self.immutable:
            raise StoreReadOnlyError("The file needs a migration and cannot be written.")
        migrate(
            self._write_connection(),
            known_migrations(),
            before=lambda _schema: self._before_migration(self.path),
            crash_point=self._crash_point,
        )
        # Every page of the schema stands in the log now; a small disk need not hold both.
        self._write_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _first_reader(self) -> apsw.Connection:
        try:
            return self._probed(immutable=False)
        except (apsw.CantOpenError, apsw.ReadOnlyError) as error:
            if not os.access(self.path, os.R_OK):
                raise StoreReadOnlyError(
                    "The file cannot be read. Check its permissions."
                ) from None
            if os.access(self.path.parent, os.W_OK):
                if extended_code(error) != apsw.SQLITE_READONLY_ROLLBACK:
                    raise
                roll_back(self.path, busy_timeout_s=self._busy_timeout_s)
                return self._probed(immutable=False)
        if log_bytes(self.path):
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
        self._presence.opened(connection)
        return connection

    @contextmanager
    def _apart(self) -> Iterator[apsw.Connection]:
        connection = self._probed(immutable=self.immutable)
        try:
            yield connection
        finally:
            self._presence.close(connection)

    def _usable(self) -> None:
        if self._pid != os.getpid():
            raise ForkedError(
                "This Memory was opened before the process forked. Open a new one in the child."
            )
        if self._closed:
            raise ClosedError("This Memory is closed. Open a new one.")
        self._presence.require()

    def _write_connection(self) -> apsw.Connection:
        if self._writer is None:
            writer = self._new_writer()
            self._presence.opened(writer)
            self._writer = writer
        return self._writer

    def _new_writer(self) -> apsw.Connection:
        if self._writer is not None:
            self._presence.close(self._writer)
            self._writer = None
        return open_writer(
            self.path, busy_timeout_s=self._busy_timeout_s, durability=self._durability
        )

    def _write_again(self) -> None:
        # What came before it is done, whether this can be or not.
        with suppress(apsw.Error):
            self._write_connection()

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A consistent view of the file, never waiting for a writer."""
        self._usable()
        with doubted(self._is_damaged), translated(), self._borrowed() as connection:
            connection.execute("BEGIN")
            try:
                self._require_schema(connection)
                yield Reader(connection, self._derived)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _is_damaged(self) -> bool:
        try:
            with self._apart() as connection:
                return connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]
        except apsw.Error:
            return True

    def _require_schema(self, connection: apsw.Connection) -> None:
        # A newer vstash may have brought the file up to date while it was open here.
        require_known(pragma_int(connection, "user_version"), self._latest)

    @contextmanager
    def _borrowed(self) -> Iterator[apsw.Connection]:
        with self._pool_lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._probed(immutable=self.immutable)
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
                    self._presence.close(connection)

    @contextmanager
    def write(
        self, *, timeout_s: float | None = None, made_by: Served | None = None
    ) -> Iterator[Writer]:
        """One write transaction: committed when the block ends, undone when it raises.

        Args:
            timeout_s: How long to wait for other threads and processes; None for the setting.
            made_by: The model that made the vectors of what is stored, None for the active one.

        Raises:
            StoreBusyError: When others did not finish in time; nothing was changed.
            DeadlineError: When the deadline passed before the commit; nothing was changed.
            StoreError: When the write failed.
        """
        with (
            self._turn(self._busy_timeout_s if timeout_s is None else timeout_s) as busy_ms,
            doubted(self._is_damaged),
            translated(),
            self._transaction(busy_ms, made_by) as writer,
        ):
            yield writer

    @contextmanager
    def _turn(self, wait: float) -> Iterator[int]:
        """Let no other thread write, and say for how many milliseconds to wait for other processes."""
        self._usable()
        if self.immutable:
            raise StoreReadOnlyError(
                "The file's folder cannot be written, so the file is open for reading only.",
                local_detail=str(self.path),
            )
        if not deadlines.acquired(self._write_lock, wait):
            raise StoreBusyError(
                "Another thread is writing and did not finish in time; nothing was changed. "
                "Try again."
            )
        try:
            # It may have been closed while this thread waited.
            self._usable()
            yield math.ceil(deadlines.patience(wait) * 1000)
        finally:
            self._write_lock.release()

    @contextmanager
    def _transaction(self, busy_ms: int, made_by: Served | None) -> Iterator[Writer]:
        connection = self._write_connection()
        if self._crowded:
            self._make_room(connection)
        connection.set_busy_timeout(busy_ms)
        with self._immediately(connection):
            self._require_schema(connection)
            writer = Writer(connection, self._crash_point, made_by)
            yield writer
            writer.finish()
            self._crash_point("commit")

    @contextmanager
    def _immediately(self, connection: apsw.Connection) -> Iterator[None]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            deadlines.check()
            self._presence.require()
            # From here on it is done: one that was interrupted would leave it open whether it is.
            with deadlines.unhurried():
                connection.execute("COMMIT")
        except BaseException as error:
            crowded = lacks_room(error, connection)
            self._crowded = self._crowded or crowded
            # SQLite has already rolled back after some errors, such as a full disk.
            if connection.in_transaction:
                with deadlines.unhurried():
                    connection.execute("ROLLBACK")
            if crowded:
                raise full() from error
            raise

    def _make_room(self, connection: apsw.Connection) -> None:
        """After the disk was full: move the log into the file, where it may take a fraction of the space."""
        try:
            self._empty_log(connection)
        except apsw.Error as error:
            if not lacks_room(error, connection):
                raise
        else:
            self._crowded = False

    @staticmethod
    def _empty_log(connection: apsw.Connection) -> None:
        # A reader under way keeps the log; it must not keep everybody waiting.
        connection.set_busy_timeout(0)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def size(self) -> int:
        """Bytes of the file and its write-ahead log."""
        return total_bytes(self.path)

    def rewrite(self) -> None:
        """Write every page of the file anew; readers go on meanwhile, writers wait.

        Raises:
            StoreFullError: When there is too little room for a copy; nothing was changed.
            StoreBusyError: When others did not finish writing in time; nothing was changed.
        """
        with self._alone() as connection, deadlines.unhurried():
            self._crash_point("rewrite:begin")
            rewrite(connection, self.path)
            self._crash_point("rewrite:end")

    def empty_log(self, *, patience_s: float) -> bool:
        """Empty the write-ahead log, unless a reader needs it for longer than that.

        Args:
            patience_s: How long to wait for such readers.

        Returns:
            Whether the log is empty.
        """
        with self._alone() as connection:
            return empty_log(connection, patience_s)

    @contextmanager
    def _alone(self) -> Iterator[apsw.Connection]:
        """The write connection without a transaction."""
        with self._write_lock, translated():
            self._usable()
            connection = self._write_connection()
            connection.set_busy_timeout(math.ceil(self._busy_timeout_s * 1000))
            yield connection

    def close(self) -> None:
        """Close every connection; may be called more than once."""
        if self._closed or self._pid != os.getpid():
            self._closed = True
            return
        with self._write_lock, self._pool_lock:
            self._closed = True
            for connection in self._idle:
                self._presence.close(connection)
            self._idle.clear()
            if self._writer is not None:
                self._presence.close(self._writer)
                self._writer = None
