"""Work in the background: what was asked for, how far it is, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from vstash.reports import FileOutcome
from vstash.types import EmbedWhen, JsonObject

__all__ = [
    "JOB_STATES",
    "UPKEEP_TASKS",
    "Job",
    "JobError",
    "JobKind",
    "JobProgress",
    "JobReport",
    "JobRequest",
    "JobState",
    "UpkeepRequest",
    "UpkeepTask",
]

UpkeepTask = Literal["check", "repair", "backup", "compact", "reindex", "learn"]
UPKEEP_TASKS: Final[tuple[UpkeepTask, ...]] = get_args(UpkeepTask)
JobKind = Literal["ingest", "check", "repair", "backup", "compact", "reindex", "learn"]
JobState = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
JOB_STATES: Final[tuple[JobState, ...]] = get_args(JobState)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a job was asked to do; the fields mean what they mean in `Memory.ingest`."""

    paths: tuple[str, ...]
    tags: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    prune: bool = False
    embed: EmbedWhen = "now"


@dataclass(frozen=True, slots=True)
class UpkeepRequest:
    """What a job on the whole file was asked to do.

    Attributes:
        quick: Of a check: leave out what reads every text and vector.
        full: Of a compaction: give all free room back, which makes writers wait.
        model: Of a reindex: the name of the model.
        collection: Of learning: what to learn of, None for ``default``.
    """

    quick: bool = False
    full: bool = False
    model: str | None = None
    collection: str | None = None


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: files by what became of them, and chunks written.

    Attributes:
        steps_done: Of work on the whole file, whose steps differ in length.
        steps: How many there will be, 0 while that is not known.
    """

    files_found: int = 0
    files_done: int = 0
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    chunks: int = 0
    steps_done: int = 0
    steps: int = 0


@dataclass(frozen=True, slots=True)
class JobReport:
    """What a job did, also one that was cut short.

    Attributes:
        pruned: Documents removed because their files are gone.
        problems: The first 100 files that were skipped or failed, with the reason.
        more_problems: How many others there were.
        seconds: Wall time.
    """

    added: int
    replaced: int
    unchanged: int
    skipped: int
    failed: int
    chunks: int
    pruned: int
    problems: tuple[FileOutcome, ...]
    more_problems: int
    seconds: float


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed: a stable code, and what happened in words without paths."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Job:
    """Work in the background.

    Attributes:
        collection: None for work on the whole file.
        state: ``queued`` and ``running`` go on; ``done``, ``failed``, ``cancelled`` and
            ``interrupted`` have ended. Whatever was finished before an end stays in the file.
        request: Of an ingest.
        upkeep: What was asked of any other kind.
        progress: At most a second old while it runs.
        report: Of an ingest, once it is done, cancelled, or interrupted by `Memory.close`.
        outcome: What any other kind returned, in the form of `vstash.wire.to_json`, once it is done.
        error: Of one that failed.
        created: UTC, and so are the others.
        started: None while it is queued.
        finished: None until it has ended; of one whose process died, when that last gave a sign.
    """

    id: str
    kind: JobKind
    collection: str | None
    state: JobState
    request: JobRequest | None
    upkeep: UpkeepRequest | None
    progress: JobProgress
    report: JobReport | None
    outcome: JsonObject | None
    error: JobError | None
    created: datetime
    started: datetime | None
    finished: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state not in {"queued", "running"}
