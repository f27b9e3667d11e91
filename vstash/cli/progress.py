"""The progress bar of an ingest, on standard error."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from types import TracebackType

    from vstash.reports import IngestProgress

__all__ = ["Progress"]


class Progress:
    """Files done, chunks written, chunks a second, and the time left; gone when it is over."""

    def __init__(self) -> None:
        self._bar = Bar(
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.fields[files]} files", markup=False),
            TextColumn("{task.fields[chunks]:,} chunks", markup=False),
            TextColumn("{task.fields[rate]:,.0f}/s", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True, markup=False, highlight=False),
            transient=True,
        )
        self._task = self._bar.add_task("ingest", total=None, files="?", chunks=0, rate=0.0)
        self._started = time.perf_counter()

    def __enter__(self) -> Progress:  # noqa: PYI034 - Self needs Python 3.11
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def update(self, state: IngestProgress) -> None:
        """Show where the ingest stands."""
        spent = max(time.perf_counter() - self._started, 1e-9)
        self._bar.update(
            self._task,
            completed=state.files_done,
            total=state.files_found,
            files=f"{state.files_found:,}",
            chunks=state.chunks_written,
            rate=state.chunks_written / spent,
        )

    def stop(self) -> None:
        """Take the bar away, so that something else can be shown; may be called twice."""
        self._bar.stop()
