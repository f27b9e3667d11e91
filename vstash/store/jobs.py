"""Jobs: queued, claimed by one runner at a time, and kept for a while once they ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import apsw
import msgspec

from vstash.jobs import (
    Job,
    JobError,
    JobKind,
    JobProgress,
    JobReport,
    JobRequest,
    JobState,
    UpkeepRequest,
)
from vstash.store.connection import fetch
from vstash.store.documents import to_datetime
from vstash.store.faults import unreadable
from vstash.types import JsonObject

__all__ = ["Claim", "JobReader", "JobWriter", "Running"]

# Jobs that have ended and are kept.
_KEPT: Final = 1_000
# What stands for a collection in a job on the whole file.
_WHOLE_FILE: Final = ""
_OPEN: Final = "state IN ('queued', 'running')"
_SELECT: Final = (
    "SELECT number, id, kind, collection, state, request, progress, report, error, created, "
    "started, finished FROM job"
)


@dataclass(frozen=True, slots=True)
class Running:
    """A job under way: whose it is, and when that last gave a sign, in microseconds since the epoch."""

    number: int
    runner: str
    seen: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a runner has taken.

    Attributes:
        within: The folders that it is confined to, None for no such bounds.
    """

    number: int
    job: Job
    within: tuple[str, ...] | None


class JobReader:
    """The jobs of a file.

    Args:
        connection: In a transaction.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def find(self, job_id: str) -> Job | None:
        """A job by its id."""
        rows = fetch(self._connection, f"{_SELECT} WHERE id = ?", (job_id,))
        return _job(rows[0]) if rows else None

    def page(
        self, *, collection: str | None, state: str | None, before: int | None, limit: int
    ) -> list[tuple[int, Job]]:
        """Jobs with their internal numbers, newest first.

        Args:
            collection: By name, None for all.
            state: None for all.
            before: Number of the job after which the page starts, None for the newest.
            limit: At most this many.
        """
        rows = fetch(
            self._connection,
            f"{_SELECT} WHERE number < ?1 AND (?2 IS NULL OR collection = ?2) "
            "AND (?3 IS NULL OR state = ?3) ORDER BY number DESC LIMIT ?4",
            (2**63 - 1 if before is None else before, collection, state, limit),
        )
        return [(int(row[0]), _job(row)) for row in rows]

    def running(self) -> list[Running]:
        """The jobs under way, of every process."""
        rows = fetch(
            self._connection, "SELECT number, runner, seen FROM job WHERE state = 'running'"
        )
        return [Running(int(number), str(runner), int(seen)) for number, runner, seen in rows]

    def queued(self) -> int:
        """How many jobs wait."""
        rows = fetch(self._connection, "SELECT count(*) FROM job WHERE state = 'queued'")
        return int(rows[0][0])


class JobWriter(JobReader):
    """The jobs of a file, to be changed inside a write transaction."""

    def insert(
        self,
        job_id: str,
        kind: JobKind,
        collection: str | None,
        request: JobRequest | UpkeepRequest,
        within: tuple[str, ...] | None,
        *,
        now: int,
    ) -> Job:
        """Queue a job, and forget the oldest of those that have ended long ago.

        Args:
            job_id: New.
            kind: Of job.
            collection: By name, None for the whole file.
            request: What to do.
            within: As in `Claim`.
            now: Microseconds since the epoch.
        """
        self._connection.execute(
            f"DELETE FROM job WHERE NOT {_OPEN} AND number <= (SELECT number FROM job "
            f"WHERE NOT {_OPEN} ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (_KEPT,),
        )
        self._connection.execute(
            "INSERT INTO job (id, kind, collection, state, request, within, progress, runner, "
            "seen, created) VALUES (?, ?, ?, 'queued', ?, ?, ?, '', ?, ?)",
            (
                job_id,
                kind,
                collection or _WHOLE_FILE,
                _text(request),
                None if within is None else _text(within),
                _text(JobProgress()),
                now,
                now,
            ),
        )
        return self._required("id = ?", job_id)

    def claim(self, runner: str, *, now: int) -> Claim | None:
        """Take the job that has waited longest; None when none waits."""
        rows = fetch(
            self._connection,
            "UPDATE job SET state = 'running', runner = ?1, seen = ?2, started = ?2 WHERE number = "
            "(SELECT number FROM job WHERE state = 'queued' ORDER BY number LIMIT 1) "
            "RETURNING number, within",
            (runner, now),
        )
        if not rows:
            return None
        number, within = rows[0]
        bounds = None if within is None else _read(within, tuple[str, ...])
        return Claim(int(number), self._required("number = ?", number), bounds)

    def beat(self, claim: Claim, runner: str, progress: JobProgress, *, now: int) -> bool:
        """Say that a runner lives and how far its job is; returns whether it is to be cancelled.

        Somebody may have taken it for dead, as after a machine slept: that is set right.
        """
        rows = fetch(
            self._connection,
            "UPDATE job SET state = 'running', seen = ?, progress = ?, finished = NULL "
            "WHERE number = ? AND runner = ? RETURNING cancelled",
            (now, _text(progress), claim.number, runner),
        )
        return bool(rows and rows[0][0])

    def finish(
        self,
        claim: Claim,
        runner: str,
        state: JobState,
        progress: JobProgress,
        *,
        report: JobReport | JsonObject | None,
        error: JobError | None,
        now: int,
    ) -> None:
        """End a job that this runner has."""
        self._connection.execute(
            "UPDATE job SET state = ?, progress = ?, report = ?, error = ?, seen = ?, finished = ? "
            "WHERE number = ? AND runner = ?",
            (
                state,
                _text(progress),
                None if report is None else _text(report),
                None if error is None else _text(error),
                now,
                now,
                claim.number,
                runner,
            ),
        )

    def cancel(self, job_id: str, *, now: int) -> Job | None:
        """Ask a job to stop, one that waits at once; None where it has ended or is not there."""
        self._connection.execute(
            "UPDATE job SET cancelled = 1, "
            "finished = CASE state WHEN 'queued' THEN ?1 ELSE finished END, "
            "state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END "
            f"WHERE id = ?2 AND {_OPEN}",
            (now, job_id),
        )
        return self.find(job_id) if self._connection.changes() else None

    def interrupt(self, found: Running) -> None:
        """Say of a job that nobody works on it any more, unless its runner gave a sign since."""
        self._connection.execute(
            "UPDATE job SET state = 'interrupted', finished = seen "
            "WHERE number = ? AND runner = ? AND seen = ? AND state = 'running'",
            (found.number, found.runner, found.seen),
        )

    def _required(self, where: str, value: object) -> Job:
        return _job(fetch(self._connection, f"{_SELECT} WHERE {where}", (value,))[0])


def _job(row: tuple[Any, ...]) -> Job:
    _, job_id, kind, collection, state, request, progress, report, error, *times = row
    created, started, finished = times
    ingest = kind == "ingest"
    return Job(
        id=job_id,
        kind=kind,
        collection=None if collection == _WHOLE_FILE else collection,
        state=state,
        request=_read(request, JobRequest) if ingest else None,
        upkeep=None if ingest else _read(request, UpkeepRequest),
        progress=_read(progress, JobProgress),
        report=_read(report, JobReport) if ingest and report is not None else None,
        outcome=None if ingest or report is None else _read(report, dict[str, Any]),
        error=None if error is None else _read(error, JobError),
        created=to_datetime(created),
        started=None if started is None else to_datetime(started),
        finished=None if finished is None else to_datetime(finished),
    )


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _read(text: str, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:
        raise unreadable() from None
