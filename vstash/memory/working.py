"""Methods of `Memory` that work in the background."""

from __future__ import annotations

import os
from collections.abc import Sequence

from vstash.jobs import Job, JobState, UpkeepTask
from vstash.memory.base import Base, later
from vstash.types import EmbedWhen, Page

__all__ = ["Working"]


class Working(Base):
    """Jobs: ingests and upkeep that go on while the caller does something else."""

    def start_ingest(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        collection: str | None = None,
        tags: Sequence[str] = (),
        ignore: Sequence[str] = (),
        prune: bool = False,
        embed: EmbedWhen = "now",
        within: Sequence[str] | None = None,
    ) -> Job:
        """Read files and folders in the background, as `ingest` does.

        Jobs are worked off one after the other by a thread of this object, or of any other process
        that works on the jobs of the file, such as a service. Closing the file interrupts the one
        under way between two batches of files and leaves those that wait to whoever is next. To go on
        with one that was interrupted, start the same again: what it finished is unchanged then.

        Args:
            paths: 1 to 1,000 files and folders.
            collection: None for ``default``.
            tags: As in `ingest`, and so what follows.
            ignore: Further patterns in .gitignore's language.
            prune: Remove documents of these folders whose files are gone.
            embed: ``later`` leaves the vectors to `embed` or to a service.
            within: For somebody who is not this machine's user: only below these folders, by absolute
                paths, and without following any link. None for no such bounds.

        Returns:
            The job, queued.

        Raises:
            InputError: When a value cannot be used; nothing was queued.
            PathNotFoundError: When one of ``paths`` does not exist.
            PathForbiddenError: When one is not ``within``.
            OverloadError: When 1,000 jobs wait already.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.start_ingest("notes").state
            'queued'
        """
        several = [paths] if isinstance(paths, str | os.PathLike) else paths
        later(embed)
        return self._engine.jobs.start_ingest(
            several,
            collection=collection,
            tags=tags,
            ignore=ignore,
            prune=prune,
            embed=embed,
            within=within,
        )

    def start_upkeep(
        self,
        task: UpkeepTask,
        *,
        quick: bool = False,
        full: bool = False,
        model: str | None = None,
        collection: str | None = None,
    ) -> Job:
        """Check, repair, back up, compact, reindex or learn in the background, as the method of that name does.

        Its place is among the other jobs. One that is cancelled or interrupted leaves nothing half done,
        except a reindex, which goes on when it is started again.

        Args:
            task: Which.
            quick: Of a check: leave out what reads every text and vector.
            full: Of a compaction: give all free room back, which makes writers wait.
            model: Of a reindex: the name of the model.
            collection: Of learning: what to learn of, None for ``default``.

        Returns:
            The job, queued. Once it is done, `Job.outcome` has what the method returns.

        Raises:
            FieldError: When there is no such task, or it has no such option; nothing was queued.
            ModelNotFoundError: When no model of this name is installed.
            OverloadError: When 1,000 jobs wait already.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.start_upkeep("check", quick=True).kind
            'check'
        """
        return self._engine.jobs.start_upkeep(
            task, quick=quick, full=full, model=model, collection=collection
        )

    def job(self, id: str) -> Job:
        """Say how far a job is, or how it ended.

        Args:
            id: As in `Job.id`.

        Raises:
            JobNotFoundError: When there is none; the last 1,000 that have ended are kept.
        """
        return self._engine.jobs.find(id)

    def jobs(
        self,
        *,
        collection: str | None = None,
        state: JobState | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Job]:
        """List jobs, newest first.

        Args:
            collection: None for all.
            state: None for all.
            limit: Jobs per page, 1 to 1,000.
            cursor: ``next_cursor`` of the page before.

        Raises:
            QueryError, CursorError, FieldError: When one is malformed.
        """
        return self._engine.jobs.page(
            collection=collection, state=state, limit=limit, cursor=cursor
        )

    def cancel_job(self, id: str) -> Job:
        """Ask a job to stop: one that waits at once, one under way after a batch of files or a step.

        Documents that it finished stay. It can be repeated until the job has ended.

        Args:
            id: As in `Job.id`.

        Returns:
            The job as it is now: still ``running`` until it has stopped.

        Raises:
            JobNotFoundError: When there is none.
            JobFinishedError: When it has ended.
        """
        return self._engine.jobs.cancel(id)

    def work_in_background(self) -> None:
        """Work on queued jobs in a thread of its own, from now until the file is closed.

        Raises:
            ClosedError: When it is closed.
        """
        self._engine.jobs.work()
