"""Jobs: queueing them, showing them, and asking them to stop."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import uuid6

from vstash.errors import (
    FieldError,
    JobFinishedError,
    OverloadError,
    QueryError,
)
from vstash.errors.missing import no_job
from vstash.jobs import (
    JOB_STATES,
    UPKEEP_TASKS,
    Job,
    JobKind,
    JobRequest,
    JobState,
    UpkeepRequest,
    UpkeepTask,
)
from vstash.pipeline.files import checked_ignore
from vstash.pipeline.job_paths import checked_roots
from vstash.pipeline.job_runner import JobRunner
from vstash.pipeline.once import settle
from vstash.pipeline.paging import decode_cursor, encode_cursor, page_limit
from vstash.pipeline.prepare import checked_collection, checked_key, checked_tags
from vstash.types import Page

if TYPE_CHECKING:
    from vstash.store.protocol import Store
    from vstash.types import EmbedWhen

__all__ = ["Jobs"]

_MAX_QUEUED: Final = 1_000
_MAX_PATHS: Final = 1_000
_MAX_PATTERNS: Final = 1_000
_MAX_PATTERN_CHARS: Final = 1_000


class Jobs:
    """The jobs of a file.

    Args:
        store: The file.
        runner: Works them off.
        clock: Microseconds since the epoch.
        opened: Opens a model by its name, or refuses.
    """

    def __init__(
        self,
        store: Store,
        runner: JobRunner,
        clock: Callable[[], int],
        opened: Callable[[str], object],
    ) -> None:
        self._store = store
        self.runner = runner
        self._clock = clock
        self._opened = opened

    def start_ingest(
        self,
        paths: Sequence[str | os.PathLike[str]],
        *,
        collection: str | None,
        tags: Sequence[str],
        ignore: Sequence[str],
        prune: bool,
        embed: EmbedWhen,
        within: Sequence[str] | None,
    ) -> Job:
        """Queue an ingest; see `Memory.start_ingest`."""
        name, labels = checked_collection(collection), checked_tags(tags)
        patterns = _checked_patterns(ignore)
        if not isinstance(prune, bool):
            raise FieldError("prune is true or false.", pointer="/prune")
        if not 1 <= len(paths) <= _MAX_PATHS:
            raise FieldError(f"Give 1 to {_MAX_PATHS:,} paths.", pointer="/paths")
        _, roots = checked_roots(self._store.path, paths, within)
        # What is not confined may be relative to a folder that only this process is in.
        shown = [str(root) for root in roots] if within is None else [str(path) for path in paths]
        request = JobRequest(tuple(shown), labels, patterns, prune, embed)
        bounds = None if within is None else tuple(within)
        return self._queued("ingest", name, request, bounds)

    def start_upkeep(
        self,
        task: UpkeepTask,
        *,
        quick: bool,
        full: bool,
        model: str | None,
        collection: str | None,
    ) -> Job:
        """Queue work on the whole file; see `Memory.start_upkeep`."""
        if task not in UPKEEP_TASKS:
            raise FieldError(f"task is one of: {', '.join(UPKEEP_TASKS)}.", pointer="/task")
        for name, value, whose in (("quick", quick, "check"), ("full", full, "compact")):
            if not isinstance(value, bool):
                raise FieldError(f"{name} is true or false.", pointer=f"/{name}")
            if value and task != whose:
                raise FieldError(f"{name} is of the task {whose} alone.", pointer=f"/{name}")
        if (model is None) == (task == "reindex"):
            raise FieldError("model is of the task reindex, and of it alone.", pointer="/model")
        if model is not None:
            if not isinstance(model, str):
                raise FieldError("model is the name of an installed model.", pointer="/model")
            self._opened(model)
        if collection is not None:
            if task != "learn":
                raise FieldError(
                    "collection is of the task learn, and of it alone.", pointer="/collection"
                )
            checked_collection(collection)
        return self._queued(task, None, UpkeepRequest(quick, full, model, collection), None)

    def _queued(
        self,
        kind: JobKind,
        collection: str | None,
        request: JobRequest | UpkeepRequest,
        within: tuple[str, ...] | None,
    ) -> Job:
        with self._store.write() as writer:
            if writer.jobs.queued() >= _MAX_QUEUED:
                raise OverloadError(f"{_MAX_QUEUED:,} jobs wait already. Try again later.")
            job = writer.jobs.insert(
                str(uuid6.uuid7()), kind, collection, request, within, now=self._clock()
            )
            settle(writer, job)
        self.runner.start()
        return job

    def work(self) -> None:
        """Work them off from now on; see `Memory.work_in_background`."""
        self.runner.interrupt_lost()
        self.runner.start()

    def find(self, job_id: str) -> Job:
        """Show a job; see `Memory.job`."""
        checked_key(job_id, pointer="/id")
        self.runner.interrupt_lost()
        with self._store.read() as reader:
            return _there(reader.jobs.find(job_id))

    def page(
        self, *, collection: str | None, state: JobState | None, limit: int, cursor: str | None
    ) -> Page[Job]:
        """List jobs; see `Memory.jobs`."""
        name = None if collection is None else checked_collection(collection)
        if state is not None and state not in JOB_STATES:
            raise QueryError(f"state is one of: {', '.join(JOB_STATES)}.", pointer="/state")
        size = page_limit(limit)
        before = None if cursor is None else decode_cursor("jobs", cursor)
        self.runner.interrupt_lost()
        with self._store.read() as reader:
            found = reader.jobs.page(collection=name, state=state, before=before, limit=size + 1)
        more = encode_cursor("jobs", found[size - 1][0]) if len(found) > size else None
        return Page(tuple(job for _, job in found[:size]), more)

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop; see `Memory.cancel_job`."""
        self.find(job_id)
        with self._store.write() as writer:
            job = writer.jobs.cancel(job_id, now=self._clock())
            if job is None:
                ended = _there(writer.jobs.find(job_id))
                raise JobFinishedError(f"The job has ended: it is {ended.state}.", pointer="/id")
            settle(writer, job)
        self.runner.cancel(job_id)
        return job


def _there(job: Job | None) -> Job:
    if job is None:
        raise no_job()
    return job


def _checked_patterns(ignore: Sequence[str]) -> tuple[str, ...]:
    checked_ignore(ignore)
    if len(ignore) > _MAX_PATTERNS or any(len(each) > _MAX_PATTERN_CHARS for each in ignore):
        raise FieldError(
            f"Give at most {_MAX_PATTERNS:,} patterns of at most {_MAX_PATTERN_CHARS:,} characters.",
            pointer="/ignore",
        )
    return tuple(ignore)
