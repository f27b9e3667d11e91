"""Compaction: what has expired goes, indexes are tidied up, and room is given back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vstash.errors import FieldError
from vstash.pipeline.purging import Purging, Steps
from vstash.upkeep import CompactReport, CompactWatcher

if TYPE_CHECKING:
    from vstash.learn.recorder import Recorder
    from vstash.pipeline.record import Logged
    from vstash.store.protocol import Store
    from vstash.store.writer import Writer

__all__ = ["Compacting"]

# Expired documents that the first step removes.
_FIRST_DOCUMENTS: Final = 16


class Compacting:
    """Keeps a file small.

    Args:
        store: The file.
        recorder: Of the log, which holds searches back for a moment.
        clock: Microseconds since the epoch.
    """

    def __init__(self, store: Store, recorder: Recorder[Logged], clock: Callable[[], int]) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._purging = Purging(store)

    def compact(self, *, full: bool, progress: CompactWatcher | None) -> CompactReport:
        """Tidy up; see `Memory.compact`."""
        if not isinstance(full, bool):
            raise FieldError("full is true or false.", pointer="/full")
        start = time.perf_counter()
        self._recorder.flush()
        before = self._store.size()
        steps = Steps(self._store, progress)
        removed = self._remove_expired(steps)
        self._purging.tidy(steps)
        if full:
            steps.tell("rewrite")
            self._store.rewrite()
        self._purging.finish(steps)
        with self._store.read() as reader:
            reclaimable = reader.leftovers.reclaimable()
        return CompactReport(
            expired=removed,
            bytes_before=before,
            bytes_after=self._store.size(),
            reclaimable=reclaimable,
            steps=steps.done,
            longest_step_ms=round(steps.longest_s * 1000, 1),
            seconds=round(time.perf_counter() - start, 3),
        )

    def _remove_expired(self, steps: Steps) -> int:
        now, removed = self._clock(), 0

        def remove(writer: Writer, most: int) -> bool:
            nonlocal removed
            numbers = writer.expired(most, now=now)
            for number in numbers:
                writer.delete(number)
            removed += len(numbers)
            return len(numbers) == most

        steps.run("expired", remove, size=_FIRST_DOCUMENTS)
        return removed

    def finish(self) -> None:
        """Go on with a forgetting that was cut short, if there is one."""
        with self._store.read() as reader:
            pending = reader.leftovers.pending
        if pending:
            self._purging.finish(Steps(self._store, None))
