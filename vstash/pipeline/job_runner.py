"""A thread that works off jobs one at a time, and says that it lives while it does."""

from __future__ import annotations

import logging
import os
import platform
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vstash.errors import InternalError, StoreError, VstashError
from vstash.jobs import JobError, JobProgress, JobReport, JobState
from vstash.pipeline.ingest import Run
from vstash.pipeline.job_paths import checked_roots
from vstash.reports import FileOutcome, IngestReport

if TYPE_CHECKING:
    from vstash.pipeline.embedding import BackgroundEmbedding
    from vstash.pipeline.ingest import Ingesting
    from vstash.store.jobs import Claim, Running
    from vstash.store.protocol import Store

__all__ = ["JobRunner"]

# How often a runner says that it lives, and how often it looks for jobs that others queued.
_BEAT_S: Final = 1.0
_PATIENCE_S: Final = 2.0
# A runner that has not said so for as long is taken for dead.
_LOST_US: Final = 10_000_000
_PROBLEMS: Final = 100
# The end of a job is worth waiting for; when it cannot be written at all, silence tells it.
_TRIES: Final = 5
_RUNNER: Final = re.compile(r"(.*)/(\d{1,9})/[0-9a-f]+")
_log = logging.getLogger("vstash")


@dataclass(slots=True)
class _Work:
    """The job under way."""

    claim: Claim
    run: Run | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def progress(self) -> JobProgress:
        run = self.run
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


class JobRunner:
    """Works off the jobs of a file.

    Args:
        store: The file.
        ingesting: Does what a job asks for.
        background: Embeds what a job left for later.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        ingesting: Ingesting,
        background: BackgroundEmbedding,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._ingesting = ingesting
        self._background = background
        self._clock = clock
        self._name = _runner_name()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._work: _Work | None = None

    def start(self) -> None:
        """Begin, and look for jobs at once."""
        with self._lock:
            if self._thread is None:
                # In a context of its own: the deadline of whoever asked is not that of the jobs.
                self._thread = threading.Thread(
                    target=Context().run, args=(self._loop,), name="vstash-jobs", daemon=True
                )
                self._thread.start()
        self._wake.set()

    def cancel(self, job_id: str) -> None:
        """Stop a job that is under way here, without waiting for the next sign of life."""
        work = self._work
        if work is not None and work.claim.job.id == job_id:
            work.cancelled.set()

    def interrupt_lost(self) -> None:
        """Say of every job whose runner is gone that it was interrupted, where the file can be written."""
        now = self._clock()
        with self._store.read() as reader:
            # Whatever the clock did meanwhile, what this runner has is not lost.
            others = [each for each in reader.jobs.running() if each.runner != self._name]
        lost = [each for each in others if _is_lost(each, now)]
        if lost:
            with suppress(StoreError), self._store.write() as writer:
                for each in lost:
                    writer.jobs.interrupt(each)

    def close(self) -> None:
        """Wait until the batch under way is stored; the job is interrupted, those that wait stay."""
        self._stopped.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        while not self._stopped.is_set():
            self._wake.clear()
            try:
                while not self._stopped.is_set() and self._work_off_one():
                    pass
            except VstashError as error:
                _log.warning("a job could not be worked on: %s", error.code)
            self._wake.wait(_PATIENCE_S)

    def _work_off_one(self) -> bool:
        """Take a job and end it; False when none waits."""
        self.interrupt_lost()
        with self._store.read() as reader:
            if not reader.jobs.queued():
                return False
        with self._store.write() as writer:
            claim = writer.jobs.claim(self._name, now=self._clock())
        if claim is None:
            return False
        self._work = work = _Work(claim)
        try:
            with self._beating(work):
                report, error = self._done(work)
        finally:
            self._work = None
        self._finish(work, report, error)
        self._background.wake()
        return True

    def _done(self, work: _Work) -> tuple[JobReport | None, JobError | None]:
        job, store = work.claim.job, self._store
        try:
            files, roots = checked_roots(store.path, job.request.paths, work.claim.within)
            work.run = Run(
                files=files,
                roots=roots,
                collection=job.collection,
                tags=job.request.tags,
                ignore=job.request.ignore,
                embed=job.request.embed == "now",
                prune=job.request.prune,
                stop=lambda: self._stopped.is_set() or work.cancelled.is_set(),
            )
            return _report(self._ingesting.work(work.run)), None
        except VstashError as error:
            return None, JobError(error.code, error.message)
        except Exception as error:  # noqa: BLE001 - a defect must end the job and not the runner
            # Its message and traceback may hold stored text.
            _log.error("a job failed: %s", type(error).__name__)
            return None, JobError(InternalError.code, "vstash failed; its log says where.")

    def _finish(self, work: _Work, report: JobReport | None, error: JobError | None) -> None:
        state: JobState = "done"
        if error is not None:
            state = "failed"
        elif work.run is not None and work.run.cut:
            state = "cancelled" if work.cancelled.is_set() else "interrupted"
        for _ in range(1 if self._stopped.is_set() else _TRIES):
            with suppress(StoreError), self._store.write() as writer:
                writer.jobs.finish(
                    work.claim,
                    self._name,
                    state,
                    work.progress(),
                    report=report,
                    error=error,
                    now=self._clock(),
                )
                return
            self._stopped.wait(_BEAT_S)

    @contextmanager
    def _beating(self, work: _Work) -> Iterator[None]:
        """Say every second that this runner lives, in a thread that no long text holds up."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(_BEAT_S):
                with suppress(VstashError), self._store.write(timeout_s=_BEAT_S) as writer:
                    if writer.jobs.beat(work.claim, self._name, work.progress(), now=self._clock()):
                        work.cancelled.set()

        thread = threading.Thread(target=beat, name="vstash-job-beat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _is_lost(running: Running, now: int) -> bool:
    # A clock that went back leaves signs in the future, for which nobody should wait.
    return abs(now - running.seen) > _LOST_US or _is_gone(running.runner)


def _runner_name() -> str:
    return f"{_machine()}/{os.getpid()}/{secrets.token_hex(8)}"


def _machine() -> str:
    """Within what a process has its number: this machine, and on Linux its container."""
    namespace = ""
    with suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return f"{platform.node()}/{namespace}"


def _is_gone(runner: str) -> bool:
    """Whether a runner's process is surely gone; one that is elsewhere, or whose number is in use, is not."""
    found = _RUNNER.fullmatch(runner)
    if sys.platform == "win32" or found is None or found[1] != _machine():
        return False
    try:
        os.kill(int(found[2]), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


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
