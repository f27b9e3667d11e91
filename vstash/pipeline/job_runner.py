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
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vstash.errors import InternalError, StoreError, VstashError
from vstash.jobs import JobError, JobState
from vstash.pipeline.job_work import Ended, IngestWork, UpkeepWork, Work
from vstash.threads import started

if TYPE_CHECKING:
    from vstash.pipeline.embedding import BackgroundEmbedding
    from vstash.pipeline.ingest import Ingesting
    from vstash.pipeline.upkeep import Upkeep
    from vstash.store.jobs import Claim, Running
    from vstash.store.protocol import Store

__all__ = ["JobRunner"]

# How often a runner says that it lives, and how often it looks for jobs that others queued.
_BEAT_S: Final = 1.0
_PATIENCE_S: Final = 2.0
# A runner that has not said so for as long is taken for dead.
_LOST_US: Final = 10_000_000
# The end of a job is worth waiting for; when it cannot be written at all, silence tells it.
_TRIES: Final = 5
_RUNNER: Final = re.compile(r"(.*)/(\d{1,9})/[0-9a-f]+")
_log = logging.getLogger("vstash")


@dataclass(slots=True)
class _UnderWay:
    """The job under way."""

    claim: Claim
    work: Work
    cancelled: threading.Event


class JobRunner:
    """Works off the jobs of a file.

    Args:
        store: The file.
        ingesting: Reads files; asked for at each job, since the file's model may be another by then.
        upkeep: Works on the whole file; the same.
        background: Embeds what a job left for later.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        ingesting: Callable[[], Ingesting],
        upkeep: Callable[[], Upkeep],
        background: BackgroundEmbedding,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._ingesting = ingesting
        self._upkeep = upkeep
        self._background = background
        self._clock = clock
        self._name = _runner_name()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._under_way: _UnderWay | None = None

    def start(self) -> None:
        """Begin, and look for jobs at once."""
        with self._lock:
            if self._thread is None:
                # In a context of its own: the deadline of whoever asked is not that of the jobs.
                self._thread = started(partial(Context().run, self._loop), name="vstash-jobs")
        self._wake.set()

    def cancel(self, job_id: str) -> None:
        """Stop a job that is under way here, without waiting for the next sign of life."""
        job = self._under_way
        if job is not None and job.claim.job.id == job_id:
            job.cancelled.set()

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
        try:
            self._upkeep().compacting.finish()
        except VstashError as error:
            _log.warning("a forgetting that was cut short could not be finished: %s", error.code)
        while not self._stopped.is_set():
            self._wake.clear()
            try:
                while not self._stopped.is_set() and self._work_off_one():
                    pass
            except VstashError as error:
                _log.warning("a job could not be worked on: %s", error.code)
            except MemoryError:
                _log.warning("a job could not be worked on for want of memory")
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
        self._under_way = job = self._begun(claim)
        try:
            with self._beating(job):
                ended = self._ended(job)
        finally:
            self._under_way = None
        self._finish(job, ended)
        self._background.wake()
        return True

    def _begun(self, claim: Claim) -> _UnderWay:
        cancelled = threading.Event()

        def stop() -> bool:
            return self._stopped.is_set() or cancelled.is_set()

        work: Work
        if claim.job.kind == "ingest":
            work = IngestWork(self._store, self._ingesting(), claim, stop)
        else:
            work = UpkeepWork(self._upkeep(), claim, stop)
        return _UnderWay(claim, work, cancelled)

    def _ended(self, job: _UnderWay) -> Ended | JobError:
        try:
            return job.work.run()
        except VstashError as error:
            return JobError(error.code, error.message)
        except Exception as error:  # noqa: BLE001 - a defect must end the job and not the runner
            # Its message and traceback may hold stored text.
            _log.error("a job failed: %s", type(error).__name__)
            return JobError(InternalError.code, "vstash failed; its log says where.")

    def _finish(self, job: _UnderWay, ended: Ended | JobError) -> None:
        state: JobState = "done"
        if isinstance(ended, JobError):
            state = "failed"
        elif ended.cut:
            state = "cancelled" if job.cancelled.is_set() else "interrupted"
        for _ in range(1 if self._stopped.is_set() else _TRIES):
            with suppress(StoreError), self._store.write() as writer:
                writer.jobs.finish(
                    job.claim,
                    self._name,
                    state,
                    job.work.progress(),
                    report=None if isinstance(ended, JobError) else ended.report,
                    error=ended if isinstance(ended, JobError) else None,
                    now=self._clock(),
                )
                return
            self._stopped.wait(_BEAT_S)

    @contextmanager
    def _beating(self, job: _UnderWay) -> Iterator[None]:
        """Say every second that this runner lives, in a thread that no long text holds up."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(_BEAT_S):
                with suppress(VstashError), self._store.write(timeout_s=_BEAT_S) as writer:
                    if writer.jobs.beat(
                        job.claim, self._name, job.work.progress(), now=self._clock()
                    ):
                        job.cancelled.set()

        thread = started(beat, name="vstash-job-beat")
        try:
            yield
        finally:
            ended.set()
            if thread is not None:
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
