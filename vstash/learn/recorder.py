"""Writing the log behind the reply: a bounded queue and one thread."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Generic, TypeVar

from vstash.threads import started

__all__ = ["Recorder"]

Row = TypeVar("Row")
_QUEUE_ROWS: Final = 1000
_LEAVE_AFTER_S: Final = 2.0
# Rows are stored together: each write costs a sync, and the pages that readers had in memory.
_BATCH_ROWS: Final = 100
_LINGER_S: Final = 0.2


class Recorder(Generic[Row]):
    """Hands rows to a writer outside the caller's path, and counts those that were dropped.

    Args:
        write: Stores rows together; returns how many it stored. It must not raise.

    Example:
        >>> stored: list[int] = []
        >>> recorder = Recorder(lambda rows: stored.extend(rows) or len(rows))
        >>> recorder.record(7)
        >>> recorder.close()
        >>> stored
        [7]
    """

    def __init__(self, write: Callable[[Sequence[Row]], int]) -> None:
        self._write = write
        # True asks for what waits to be stored at once, False to stop after that.
        self._queue: queue.Queue[tuple[Row] | bool] = queue.Queue(_QUEUE_ROWS)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Rows that were not stored."""
        return self._dropped

    def record(self, row: Row) -> None:
        """Queue a row; when the queue is full or nobody is there to empty it, it is dropped and counted."""
        with self._lock:
            if self._thread is None:
                self._thread = started(self._run, name="vstash-log")
            if self._thread is None:
                self._dropped += 1
                return
        try:
            self._queue.put_nowait((row,))
        except queue.Full:
            self._dropped += 1

    def flush(self) -> None:
        """Wait until every queued row was stored or dropped."""
        # In a process that was forked there is no thread, and nothing of its own to wait for.
        thread = self._thread
        if thread is None or not thread.is_alive():
            return
        with suppress(queue.Full):
            self._queue.put(True, timeout=_LEAVE_AFTER_S)
        with self._queue.all_tasks_done:
            # It may be told to stop before it comes to what was just put.
            while self._queue.unfinished_tasks and thread.is_alive():
                self._queue.all_tasks_done.wait(_LINGER_S)

    def _run(self) -> None:
        going = True
        while going:
            taken = self._gathered()
            rows = [each[0] for each in taken if isinstance(each, tuple)]
            going = taken[-1] is not False
            try:
                if rows:
                    self._dropped += len(rows) - self._write(rows)
            except MemoryError:
                # Whoever waits for the rows would wait for ever, were this thread to end.
                self._dropped += len(rows)
            finally:
                for _ in taken:
                    self._queue.task_done()

    def _gathered(self) -> list[tuple[Row] | bool]:
        """Wait for a row, and then a moment for others."""
        taken = [self._queue.get()]
        end = time.monotonic() + _LINGER_S
        while isinstance(taken[-1], tuple) and len(taken) < _BATCH_ROWS:
            try:
                taken.append(self._queue.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:  # noqa: PERF203 - the queue has no other way to say it
                break
        return taken

    def close(self) -> None:
        """Store what is queued and stop; what takes longer than two seconds is dropped."""
        thread = self._thread
        if thread is None:
            return
        try:
            self._queue.put(False, timeout=_LEAVE_AFTER_S)
        except queue.Full:
            self._dropped += self._queue.qsize()
        thread.join(timeout=_LEAVE_AFTER_S)
        self._thread = None
