"""The routes of jobs: work in the background."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import Body, FastAPI, Path, Query
from pydantic import Field
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.responses import Response

from vstash.api import inputs
from vstash.api.access import Access, Caller
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import NextCursor, Reply, Time
from vstash.api.routing import add_route
from vstash.errors import (
    CollectionForbiddenError,
    CursorError,
    FieldError,
    InputError,
    JobFinishedError,
    JobNotFoundError,
    OverloadError,
    PathForbiddenError,
    PathNotFoundError,
    QueryError,
    ScopeError,
)
from vstash.errors.missing import no_job
from vstash.jobs import Job, JobKind, JobState
from vstash.memory import Memory
from vstash.types import EmbedWhen

__all__ = ["QUEUED", "JobInput", "JobPage", "JobReply", "JobRoutes", "queued"]

JobId = Annotated[
    str,
    Path(alias="id", description="A job's id.", examples=["019b2d0c-1a2b-7c3d-8e4f-5a6b7c8d9e0f"]),
]
# How soon it is worth asking again, in seconds.
_RETRY_AFTER: Final = {"Retry-After": "1"}
_WAIT: Final[dict[str, Any]] = {
    "Retry-After": {
        "description": "Seconds until it is worth asking again; left out once the job has ended.",
        "schema": {"type": "integer"},
    }
}
_LOCATION: Final[dict[str, Any]] = {
    "Location": {"description": "Where the job is shown.", "schema": {"type": "string"}}
}


# What starting a job answers.
QUEUED: Final[dict[int | str, dict[str, Any]]] = {202: {"headers": {**_LOCATION, **_WAIT}}}


class JobInput(inputs.Body):
    """Files and folders to read."""

    kind: Literal["ingest"] = Field(description="What to do.", examples=["ingest"])
    paths: list[str] = Field(
        description="1 to 1,000 absolute paths of files and folders on the service's machine, below the "
        "folders of its setting `ingest_roots`; no link is followed.",
        examples=[["/srv/notes"]],
        fail_fast=True,
    )
    collection: inputs.Collection = None
    tags: inputs.Tags = Field(default_factory=list)
    ignore: list[str] = Field(
        default_factory=list,
        description="What to leave out, in the language of .gitignore, beside hidden files and what "
        ".gitignore files name.",
        examples=[["*.log"]],
        fail_fast=True,
    )
    prune: bool = Field(
        default=False, description="Remove documents of these folders whose files are gone."
    )
    embed: inputs.Embed = "now"


class JobsQuery(inputs.PageQuery):
    """Which jobs to list."""

    collection: str | None = Field(default=None, description="Only its jobs; all when left out.")
    state: JobState | None = Field(default=None, description="Only jobs in this state.")


class JobRequestReply(Reply):
    """What a job was asked to do."""

    paths: list[str]
    tags: list[str]
    ignore: list[str]
    prune: bool
    embed: EmbedWhen


class UpkeepRequestReply(Reply):
    """What a job on the whole file was asked to do."""

    quick: bool = Field(description="Of a check.")
    full: bool = Field(description="Of a compaction.")
    model: str | None = Field(description="Of a reindex.")
    collection: str | None = Field(description="Of learning; null for `default`.")


class JobProgressReply(Reply):
    """How far a job is: files by what became of them, and chunks written."""

    files_found: int
    files_done: int
    added: int
    replaced: int
    unchanged: int
    skipped: int
    failed: int
    chunks: int
    steps_done: int = Field(description="Of work on the whole file, whose steps differ in length.")
    steps: int = Field(description="How many there will be, 0 while that is not known.")


class FileOutcomeReply(Reply):
    """A file that was skipped or failed."""

    path: str
    status: Literal["added", "replaced", "unchanged", "skipped", "failed"]
    reason: str = Field(description="A stable code, a colon, and words.")
    chunks: int


class JobReportReply(Reply):
    """What a job did, also one that was cut short."""

    added: int
    replaced: int
    unchanged: int
    skipped: int
    failed: int
    chunks: int
    pruned: int = Field(description="Documents removed because their files are gone.")
    problems: list[FileOutcomeReply] = Field(description="The first 100.")
    more_problems: int = Field(description="How many others there were.")
    seconds: float


class JobErrorReply(Reply):
    """Why a job failed."""

    code: str = Field(description="Stable, as in problems.", examples=["store_full"])
    detail: str


class JobReply(Reply):
    """Work in the background."""

    id: str = Field(examples=["019b2d0c-1a2b-7c3d-8e4f-5a6b7c8d9e0f"])
    kind: JobKind
    collection: str | None = Field(description="None for work on the whole file.")
    state: JobState = Field(
        description="`queued` and `running` go on, the others have ended; what was finished before stays."
    )
    request: JobRequestReply | None = Field(description="Of an ingest.")
    upkeep: UpkeepRequestReply | None = Field(description="What was asked of any other kind.")
    progress: JobProgressReply
    report: JobReportReply | None = Field(description="Of an ingest that came to an end by itself.")
    outcome: dict[str, Any] | None = Field(
        description="Of any other kind, once it is done: what the operation of that name answers."
    )
    error: JobErrorReply | None = Field(description="Of one that failed.")
    created: Time
    started: Time | None
    finished: Time | None


class JobPage(Reply):
    """A part of the jobs, newest first."""

    items: list[JobReply]
    next_cursor: NextCursor


class _JobId(StringConvertor):
    # A colon ends it, so that the address of an action is none of a job.
    regex = "[^/:]+"


register_url_convertor("job", _JobId())


class JobRoutes:
    """Jobs over HTTP.

    Args:
        memory: What they work on.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "POST",
            "/v1/jobs",
            self.start,
            scope="write",
            name="startJob",
            summary="Read files and folders in the background",
            status=202,
            model=JobReply,
            said="The job, queued.",
            responses=QUEUED,
            errors=(
                *BODY,
                FieldError,
                CollectionForbiddenError,
                PathForbiddenError,
                PathNotFoundError,
                OverloadError,
                *WRITING,
                *REPEATABLE,
            ),
        )
        add_route(
            app,
            "POST",
            "/v1/jobs/{id:job}:cancel",
            self.cancel,
            scope="write",
            name="cancelJob",
            summary="Ask a job to stop",
            model=JobReply,
            said="The job as it is now: still running until it has stopped.",
            responses={200: {"headers": _WAIT}},
            errors=(JobNotFoundError, JobFinishedError, FieldError, *WRITING, *REPEATABLE),
        )
        self._attach_reading(app)

    def _attach_reading(self, app: FastAPI) -> None:
        add_route(
            app,
            "GET",
            "/v1/jobs",
            self.page,
            scope="read",
            name="listJobs",
            summary="List jobs",
            model=JobPage,
            said="Jobs, newest first.",
            errors=(InputError, FieldError, QueryError, CursorError, CollectionForbiddenError),
        )
        add_route(
            app,
            "GET",
            "/v1/jobs/{id:job}",
            self.get,
            scope="read",
            name="getJob",
            summary="Show a job",
            model=JobReply,
            said="How far it is, or how it ended.",
            responses={200: {"headers": _WAIT}},
            errors=(JobNotFoundError, FieldError),
        )

    def start(self, given: Annotated[JobInput, Body()], caller: Caller, repeat: Repeat) -> Response:
        """Jobs are worked off one after the other.

        One that a stop of the service cut is `interrupted`. To go on, start the same again: what it
        finished is unchanged then, and costs next to nothing.
        """

        def start() -> Job:
            return self._memory.start_ingest(
                given.paths,
                collection=caller.collection(given.collection),
                tags=given.tags,
                ignore=given.ignore,
                prune=given.prune,
                embed=given.embed,
                within=self._memory.settings.ingest_roots,
            )

        return repeat(self._memory, start, queued)

    def page(self, query: Annotated[JobsQuery, Query()], caller: Caller) -> Response:
        """The last 1,000 jobs that have ended are kept."""
        return reply(
            self._memory.jobs(
                collection=caller.collection(query.collection),
                state=query.state,
                limit=query.limit,
                cursor=query.cursor,
            )
        )

    def get(self, job_id: JobId, caller: Caller) -> Response:
        """One whose service died is `interrupted` some seconds later."""
        return _shown(self._own(job_id, caller))

    def cancel(self, job_id: JobId, caller: Caller, repeat: Repeat) -> Response:
        """It stops between two batches of files or steps; documents that it finished stay."""
        if self._own(job_id, caller).kind != "ingest" and not caller.allows("admin"):
            raise ScopeError("Work on the whole file is cancelled by a key with the scope admin.")
        return repeat(self._memory, lambda: self._memory.cancel_job(job_id), _shown)

    def _own(self, job_id: str, caller: Access) -> Job:
        job = self._memory.job(job_id)
        if not caller.sees(job.collection):
            raise no_job()
        return job


def queued(job: Job) -> Response:
    """The answer to who has started a job."""
    where = {"Location": f"/v1/jobs/{job.id}"}
    return reply(job, status=202, headers={**where, **_RETRY_AFTER})


def _shown(job: Job) -> Response:
    return reply(job, headers=None if job.ended else _RETRY_AFTER)
