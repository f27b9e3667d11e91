"""What operations tell about themselves: ingest, statistics, integrity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from vstash.types import ModelInfo

__all__ = [
    "CalibrationProgress",
    "CalibrationQuality",
    "CalibrationReport",
    "CalibrationSource",
    "CheckReport",
    "CollectionInfo",
    "DeleteReport",
    "DeletedDocument",
    "EmbedProgress",
    "EmbedReport",
    "FileOutcome",
    "Finding",
    "Gauges",
    "Health",
    "IngestProgress",
    "IngestReport",
    "ProgressCallback",
    "PruneDecision",
    "Stats",
]


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file.

    Attributes:
        path: As stored in the document's key.
        status: ``failed`` and ``skipped`` come with a reason; the others stored or kept a document.
        reason: To read, and for ``skipped`` and ``failed`` starting with a stable code and a colon.
        chunks: Number of chunks written.
    """

    path: str
    status: Literal["added", "replaced", "unchanged", "skipped", "failed"]
    reason: str = ""
    chunks: int = 0


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """Where an ingest stands: files found so far, files done, chunks written."""

    files_found: int
    files_done: int
    chunks_written: int
    path: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did: counts, and each file that was not simply unchanged.

    Attributes:
        pruned: Keys of documents removed because their files are gone.
        outcomes: One per file that was added, replaced, skipped or failed.
        seconds: Wall time.
    """

    added: int
    replaced: int
    unchanged: int
    skipped: int
    failed: int
    chunks: int
    pruned: tuple[str, ...]
    outcomes: tuple[FileOutcome, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class EmbedProgress:
    """Where an embedding stands: chunks that got a vector so far, chunks that still await one."""

    embedded: int
    awaiting: int


@dataclass(frozen=True, slots=True)
class EmbedReport:
    """What an embedding did.

    Attributes:
        embedded: Chunks that got their vector.
        awaiting: Chunks that still have none, because others were stored meanwhile.
        seconds: Wall time.
    """

    embedded: int
    awaiting: int
    seconds: float


@dataclass(frozen=True, slots=True)
class CalibrationProgress:
    """Where a calibration stands: probes asked so far, probes in all."""

    asked: int
    probes: int


@dataclass(frozen=True, slots=True)
class CalibrationQuality:
    """How well relevance holds on probes.

    Attributes:
        error: Expected calibration error, in [0, 1]; less is better.
        log_loss: Mean negative log likelihood in nats; less is better.
        auroc: How probably a probe that can be answered is judged more relevant than one whose
            document was left out, in [0, 1].
    """

    error: float
    log_loss: float
    auroc: float


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What a calibration found out, all of it about probes made from the file's own text.

    Attributes:
        probes: How many were to be asked.
        used: Probes that the file gave and that were answered.
        found_first: Share of those whose best hit is of the document that they were made from.
        before: By the model's own calibration.
        after: By what was learnt, each probe judged by what the others taught.
        weights: What was learnt, the intercept last.
        stored: Whether it is used from now on: only where its log loss is the lower.
        seconds: Wall time.
    """

    probes: int
    used: int
    found_first: float
    before: CalibrationQuality
    after: CalibrationQuality
    weights: tuple[float, ...]
    stored: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Stats:
    """What a file holds.

    Attributes:
        awaiting: Chunks that have no vector yet.
        calibrated: Where relevance comes from: ``shipped`` with the model, ``own`` where
            `Memory.calibrate` learnt it; None where it is the one for any model.
        collections: Documents per collection.
        searches_logged: Rows in the disagreement log.
        feedback: Verdicts on chunks that searches returned.
        log_dropped: Searches this process could not log because the file was busy.
        mean_disagreement: Over the logged searches, None while there is none.
        file_bytes: Size of the database file and its write-ahead log.
    """

    path: str
    documents: int
    chunks: int
    vectors: int
    awaiting: int
    collections: Mapping[str, int]
    model: ModelInfo
    calibrated: CalibrationSource | None
    searches_logged: int
    triples: int
    feedback: int
    log_dropped: int
    mean_disagreement: float | None
    file_bytes: int
    schema_version: int
    sqlite_version: str
    vstash_version: str
    durability: str


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a file and its model can be used.

    Attributes:
        status: ``degraded``: searches are answered, with less than they could be, or nothing can be
            stored; ``unavailable``: the file cannot be read.
        reasons: Each a stable code, a colon, and what it means; empty for ``ready``.
    """

    status: Literal["ready", "degraded", "unavailable"]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gauges:
    """What to watch of a file; cheap to ask for.

    Attributes:
        awaiting: Chunks that have no vector yet.
        disagreement: Mean over the newest thousand logged searches, None without any.
        log_dropped: Searches not logged because the file was busy, by this process.
        jobs_open: Queued or running.
        free_bytes: Left for this user where the file is, None where the system does not say.
        backup_age_s: Seconds since the newest backup in the folder was made, None without any.
    """

    documents: int
    chunks: int
    awaiting: int
    disagreement: float | None
    log_dropped: int
    jobs_open: int
    file_bytes: int
    wal_bytes: int
    free_bytes: int | None
    backup_age_s: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `Memory.check` found wrong.

    Attributes:
        code: Stable name of the kind of damage.
        message: What it means and what to do.
        count: How many rows are touched.
        examples: Ids of some of them; never stored text.
    """

    code: str
    message: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The result of `Memory.check`: no findings means that everything agrees.

    Attributes:
        level: How far it looked, ``quick`` or ``full``.
    """

    level: Literal["quick", "full"]
    findings: tuple[Finding, ...]
    documents: int
    chunks: int
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class DeletedDocument:
    """What a removed document was known by."""

    id: str
    key: str


@dataclass(frozen=True, slots=True)
class DeleteReport:
    """What a deletion of many documents removed, or would remove.

    Attributes:
        chunks: Of these documents.
        dry_run: Whether nothing was removed.
        sample: The oldest of them, at most 20.
    """

    documents: int
    chunks: int
    dry_run: bool
    sample: tuple[DeletedDocument, ...]


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """What a collection holds, expired documents that were not removed yet included.

    Attributes:
        awaiting: Chunks that have no vector yet.
    """

    name: str
    documents: int
    chunks: int
    awaiting: int


CalibrationSource = Literal["shipped", "own"]
ProgressCallback = Callable[[IngestProgress], None]
PruneDecision = bool | Callable[[Sequence[str]], bool]
