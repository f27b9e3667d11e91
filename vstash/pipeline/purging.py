"""Removing what deleted documents leave in the indexes, in steps that let others in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vstash.errors import StoreError
from vstash.store.leftovers import pending_of
from vstash.upkeep import CompactProgress, CompactStage, CompactWatcher

if TYPE_CHECKING:
    from vstash.store.protocol import Store
    from vstash.store.writer import Writer

__all__ = ["Purging", "Steps"]

# How long the work of a step should take: below and above, the next one is made larger or smaller.
_SHORT_S: Final = 0.006
_LONG_S: Final = 0.015
# SQLite has no queue of writers: who waits looks every few milliseconds, later every 100, and must find
# the lock free then.
_LEAST_PAUSE_S: Final = 0.002
_MOST_PAUSE_S: Final = 0.1
# How long `forget` waits for readers that keep the log.
_PATIENCE_S: Final = 10.0
_FIRST_ROWS: Final = 50
_FIRST_PAGES: Final = 16
_LOG_KEPT: Final = (
    "What was removed is gone for every reader that begins from now on, but one that began before keeps "
    "the write-ahead log, which still holds it. End long exports and other programs that read the "
    "file, then run `vstash compact`, which finishes it."
)


class Steps:
    """Does work in transactions of a few hundredths of a second, with pauses between them.

    Args:
        store: The file.
        watcher: Called after each step, None for nobody.
    """

    def __init__(self, store: Store, watcher: CompactWatcher | None) -> None:
        self._store = store
        self._watcher = watcher
        self.done = 0
        self.longest_s = 0.0

    def run(
        self, stage: CompactStage, step: Callable[[Writer, int], bool], *, size: int = 1
    ) -> None:
        """Repeat a step for as long as it says that there is more.

        Args:
            stage: What it works on.
            step: Given its transaction, and how much of its own kind to do in it.
            size: How much the first one is to do.
        """
        more = True
        while more:
            with self._store.write() as writer:
                start = time.perf_counter()
                more = step(writer, size)
                worked = time.perf_counter() - start
            took = time.perf_counter() - start
            self.done += 1
            self.longest_s = max(self.longest_s, took)
            self.tell(stage)
            # What the disk takes to sync is the same for a small step.
            if worked > _LONG_S:
                size = max(1, int(size * _SHORT_S / worked))
            elif worked < _SHORT_S:
                size *= 2
            time.sleep(min(max(took, _LEAST_PAUSE_S), _MOST_PAUSE_S))

    def tell(self, stage: CompactStage) -> None:
        """Say where it stands."""
        if self._watcher is not None:
            self._watcher(CompactProgress(stage, self.done))


class Purging:
    """Leaves nothing of what is gone.

    Args:
        store: The file.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def tidy(self, steps: Steps) -> None:
        """Finish merges, and take the words and codes of chunks that are gone out of every index."""
        steps.run(
            "postings", lambda writer, rows: writer.leftovers.merge_postings(rows), size=_FIRST_ROWS
        )
        self._renew_postings(steps)
        self._merge_words(steps)
        self._clean_codes(steps)
        with self._store.read() as reader:
            shrinks = reader.leftovers.reclaimable() > 0
        if shrinks:
            steps.run(
                "room", lambda writer, pages: writer.leftovers.shrink(pages), size=_FIRST_PAGES
            )

    def _renew_postings(self, steps: Steps) -> None:
        with self._store.read() as reader:
            segments = reader.leftovers.segments()
        for segment in segments:
            with self._store.read() as reader:
                stale = reader.leftovers.holds_gone(segment)
            if stale:
                self._renew(steps, segment)

    def _renew(self, steps: Steps, segment: int) -> None:
        def begin(writer: Writer, _size: int) -> bool:
            writer.leftovers.renew_segment(segment)
            return False

        steps.run("postings", begin)
        steps.run(
            "postings", lambda writer, rows: writer.leftovers.merge_postings(rows), size=_FIRST_ROWS
        )

    def _merge_words(self, steps: Steps) -> None:
        begin = True

        def merge(writer: Writer, pages: int) -> bool:
            nonlocal begin
            more = writer.leftovers.merge_words(pages, begin=begin)
            begin = False
            return more

        steps.run("words", merge, size=_FIRST_PAGES)

    def _clean_codes(self, steps: Steps) -> None:
        looked = 0

        def clean(writer: Writer, runs: int) -> bool:
            nonlocal looked
            looked = writer.clean_codes(after=looked, runs=runs)
            return looked > 0

        steps.run("codes", clean)

    def finish(self, steps: Steps) -> tuple[bool, bool, str]:
        """Do what the mark of a forgetting asks for, and take the mark off.

        Returns:
            Whether the file was purged, whether the log was emptied, and what to do where not.
        """
        with self._store.read() as reader:
            mark = reader.leftovers.mark
        pending = pending_of(mark)
        if pending == 1:
            try:
                self.tidy(steps)
                steps.tell("rewrite")
                self._store.rewrite()
                mark = self._proceed(steps, mark)
            except StoreError as error:
                return (
                    False,
                    False,
                    f"{error.message} Then run `vstash compact`, which finishes it.",
                )
        steps.tell("log")
        emptied = self._store.empty_log(patience_s=_PATIENCE_S if pending else 0.0)
        if not pending:
            return True, emptied, ""
        if not emptied:
            return True, False, _LOG_KEPT
        self._proceed(steps, mark)
        self._store.empty_log(patience_s=0.0)
        return True, True, ""

    def _proceed(self, steps: Steps, mark: int) -> int:
        after = 0

        def proceed(writer: Writer, _size: int) -> bool:
            nonlocal after
            after = writer.leftovers.proceed(mark)
            return False

        steps.run("log", proceed)
        return after
