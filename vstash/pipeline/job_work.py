"""What a job does: an ingest, or work on the whole file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, cast

from vstash.jobs import JobProgress, JobReport, UpkeepTask
from vstash.pipeline.ingest import Run
from vstash.pipeline.job_paths import checked_roots
from vstash.reports import FileOutcome, IngestReport
from vstash.types import JsonObject
from vstash.wire import to_json

if TYPE_CHECKING:
    from vstash.pipeline.ingest import Ingesting
    from vstash.pipeline.upkeep import Upkeep
    from vstash.store.jobs import Claim
    from vstash.store.protocol import Store

__all__ = ["Ended", "IngestWork", "UpkeepWork", "Work"]

_PROBLEMS: Final = 100


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended that did not fail: what it did, and whether it left some of it."""

    report: JobReport | JsonObject | None
    cut: bool = False


class Work(Protocol):
    """A job under way."""

    def progress(self) -> JobProgress:
        """How far it is."""
        ...

    def run(self) -> Ended:
        """Do it."""
        ...


class IngestWork:
    """Reads files.

    Args:
        store: The file.
        ingesting: Does it.
        claim: The job.
        stop: Asked before each file whether to leave the rest.
    """

    def __init__(
        self, store: Store, ingesting: Ingesting, claim: Claim, stop: Callable[[], bool]
    ) -> None:
        self._store = store
        self._ingesting = ingesting
        self._claim = claim
        self._stop = stop
        self._run: Run | None = None

    def progress(self) -> JobProgress:
        """Files by what became of them."""
        run = self._run
        if run is None:
            return JobProgress()
        return JobProgress(
            files_found=run.found,
            files_done=run.done,
            added=run.count("added"),
            replaced=run.count("replaced"),
            unchanged=run.count("unchanged"),
            skipped=run.count("skipped"),
            failed=run.count("failed"),
            chunks=run.chunks,
        )

    def run(self) -> Ended:
        """Read them, in batches."""
        job = self._claim.job
        assert job.request is not None  # noqa: S101 - every ingest has one
        assert job.collection is not None  # noqa: S101 - the same
        files, roots = checked_roots(self._store.path, job.request.paths, self._claim.within)
        self._run = run = Run(
            files=files,
            roots=roots,
            collection=job.collection,
            tags=job.request.tags,
            ignore=job.request.ignore,
            embed=job.request.embed == "now",
            prune=job.request.prune,
            stop=self._stop,
        )
        return Ended(_report(self._ingesting.work(run)), cut=run.cut)


class _CutError(Exception):
    """The job is to stop."""


class UpkeepWork:
    """Works on the whole file.

    Args:
        upkeep: Does it.
        claim: The job.
        stop: Asked at every step whether to leave the rest.
    """

    def __init__(self, upkeep: Upkeep, claim: Claim, stop: Callable[[], bool]) -> None:
        self._upkeep = upkeep
        self._claim = claim
        self._stop = stop
        self._done = self._steps = 0

    def progress(self) -> JobProgress:
        """Steps done, of those that are known."""
        return JobProgress(steps_done=self._done, steps=self._steps)

    def run(self) -> Ended:
        """Do it; nothing is half done where it is cut."""
        request = self._claim.job.upkeep
        assert request is not None  # noqa: S101 - every job but an ingest has one
        task = cast("UpkeepTask", self._claim.job.kind)
        try:
            outcome = to_json(self._upkeep.run(task, request, self._step))
        except _CutError:
            return Ended(None, cut=True)
        return Ended(cast("JsonObject", outcome))

    def _step(self, done: int, steps: int) -> None:
        self._done, self._steps = done, steps
        if self._stop():
            raise _CutError


def _report(report: IngestReport) -> JobReport:
    problems = [each for each in report.outcomes if each.status in {"skipped", "failed"}]
    return JobReport(
        added=report.added,
        replaced=report.replaced,
        unchanged=report.unchanged,
        skipped=report.skipped,
        failed=report.failed,
        chunks=report.chunks,
        pruned=len(report.pruned),
        problems=tuple(_readable(each) for each in problems[:_PROBLEMS]),
        more_problems=max(len(problems) - _PROBLEMS, 0),
        seconds=report.seconds,
    )


def _readable(outcome: FileOutcome) -> FileOutcome:
    # Bytes of a name that are not UTF-8 cannot be stored.
    path = os.fsencode(outcome.path).decode("utf-8", "replace")
    return FileOutcome(path, outcome.status, outcome.reason)
