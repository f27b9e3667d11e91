"""Progress bars on standard error."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from vstash.reports import EmbedProgress, IngestProgress
    from vstash.upkeep import CheckProgress

__all__ = ["CountBar", "EmbedBar", "PartBar", "Progress"]


class _Shown:
    """A bar that is gone when it is over."""

    def __init__(self, *columns: ProgressColumn, **fields: Any) -> None:
        self._bar = Bar(
            BarColumn(bar_width=24),
            *columns,
            TextColumn("{task.fields[rate]:,.0f}/s", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True, markup=False, highlight=False),
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, rate=0.0, **fields)
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _rate(self, done: int) -> float:
        return done / max(time.perf_counter() - self._started, 1e-9)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(line)

    def stop(self) -> None:
        """Take the bar away, so that something else can be shown; may be called twice."""
        self._bar.stop()


class Progress(_Shown):
    """Files done, chunks written, chunks a second, and the time left."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.completed:.0f}/{task.fields[files]} files", markup=False),
            TextColumn("{task.fields[chunks]:,} chunks", markup=False),
            files="?",
            chunks=0,
        )

    def update(self, state: IngestProgress) -> None:
        """Show where the ingest stands."""
        self._bar.update(
            self._task,
            completed=state.files_done,
            total=state.files_found,
            files=f"{state.files_found:,}",
            chunks=state.chunks_written,
            rate=self._rate(state.chunks_written),
        )


class EmbedBar(_Shown):
    """Chunks embedded, chunks a second, and the time left."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.completed:,.0f}/{task.fields[all]} chunks", markup=False), all="?"
        )

    def update(self, state: EmbedProgress) -> None:
        """Show where the embedding stands."""
        total = state.embedded + state.awaiting
        self._bar.update(
            self._task,
            completed=state.embedded,
            total=total,
            all=f"{total:,}",
            rate=self._rate(state.embedded),
        )


class CountBar(_Shown):
    """Things done of how many, things a second, and the time left.

    Args:
        things: What they are called.
    """

    def __init__(self, things: str) -> None:
        super().__init__(
            TextColumn("{task.completed:,.0f}/{task.fields[all]} " + things, markup=False), all="?"
        )

    def update(self, done: int, total: int) -> None:
        """Show how far it is."""
        self._bar.update(
            self._task, completed=done, total=total, all=f"{total:,}", rate=self._rate(done)
        )


class PartBar(_Shown):
    """Which part of a check or a repair is under way, and how far it is."""

    def __init__(self) -> None:
        super().__init__(TextColumn("{task.fields[part]}", markup=False), part="")

    def update(self, state: CheckProgress) -> None:
        """Show where it stands."""
        self._bar.update(
            self._task,
            completed=state.done,
            total=state.total or None,
            part=state.part,
            rate=self._rate(state.done),
        )
