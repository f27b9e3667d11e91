"""What looking after a file tells: checks, repairs, backups, migrations, salvage, forgetting, compaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from vstash.reports import DeletedDocument, Finding

__all__ = [
    "BACKUP_REASONS",
    "LEVELS",
    "BackupInfo",
    "BackupProgress",
    "BackupProgressCallback",
    "BackupReason",
    "CheckLevel",
    "CheckProgress",
    "CheckProgressCallback",
    "CompactProgress",
    "CompactReport",
    "CompactStage",
    "CompactWatcher",
    "DerivedIndex",
    "ForgetReport",
    "MigrateReport",
    "MigrationStep",
    "RepairReport",
    "RestoreReport",
    "SalvageProgress",
    "SalvageReport",
    "SalvagedDocument",
]

# Backups and restores.

BackupReason = Literal["scheduled", "repair", "migration", "restore"]
BACKUP_REASONS: Final[tuple[BackupReason, ...]] = get_args(BackupReason)


@dataclass(frozen=True, slots=True)
class BackupProgress:
    """Where a backup or a restore stands: pages copied so far, pages in all."""

    done: int
    pages: int


BackupProgressCallback = Callable[[BackupProgress], None]


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """A backup: a whole copy of a file at one moment.

    Attributes:
        name: Its file name.
        created: When it was made.
        bytes: Its size.
        reason: Why vstash made it by itself, None where it was asked for.
        schema_version: None where the file cannot be read, and so ``documents`` and ``chunks``.
        documents: How many it holds.
        chunks: How many it holds.
    """

    name: str
    created: datetime
    bytes: int
    reason: BackupReason | None
    schema_version: int | None
    documents: int | None
    chunks: int | None


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore brought back.

    Attributes:
        documents: In the file now.
        chunks: In the file now.
        schema_version: Of the backup; an older one was brought up to date.
        kept: Name of the backup, or of the file beside the restored one, that holds what was there
            before; None where there was nothing.
        seconds: Wall time.
    """

    documents: int
    chunks: int
    schema_version: int
    kept: str | None
    seconds: float


# Migrations and salvage.

DerivedIndex = Literal["words", "codes"]


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """One numbered step of the schema."""

    version: int
    name: str


@dataclass(frozen=True, slots=True)
class MigrateReport:
    """How a file was brought up to date, or would be.

    Attributes:
        from_version: The schema that it had, 0 for none.
        to_version: The schema that it has now, or would have.
        steps: What changes the schema, in order; none for a file that is up to date.
        derived: Indexes that are derived anew from text and vectors, since their rules changed.
        backup: Name of the copy that was made before, in the backup folder; None for none.
        bytes: Of the file and its log before, which a backup takes.
        seconds: Wall time.
        dry_run: Whether nothing was changed.
    """

    from_version: int
    to_version: int
    steps: tuple[MigrationStep, ...]
    derived: tuple[DerivedIndex, ...]
    backup: str | None
    bytes: int
    seconds: float
    dry_run: bool


@dataclass(frozen=True, slots=True)
class SalvageProgress:
    """Where a salvage stands: documents dealt with, documents of which anything was found."""

    done: int
    documents: int


@dataclass(frozen=True, slots=True)
class SalvagedDocument:
    """A document that is not as it was.

    Attributes:
        id: None where neither its row nor the index of ids tells it.
        key: None where its row is lost.
        collection: Its name, None where it is not known.
        status: ``damaged``: parts of it were read; ``lost``: nothing but that it was there.
        reason: To read.
        characters: Of its text that could be read.
        stored: Whether what could be read was stored.
    """

    id: str | None
    key: str | None
    collection: str | None
    status: Literal["damaged", "lost"]
    reason: str
    characters: int
    stored: bool


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """What was saved of a damaged file.

    Attributes:
        whole: Documents whose content is what their hash is of; all of them were stored.
        documents: Those that are not whole.
        rechunked: Whole documents whose chunks were made anew, under new ids, without vectors.
        chunks: In the new file.
        vectors: Of them, taken over.
        awaiting: Chunks that await a vector; `vstash embed` makes it.
        searches: Logged searches taken over.
        triples: Of them.
        feedback: Verdicts taken over.
        log: What became of the write-ahead log: there was ``none``, it was ``read``, or ``left out``
            because it is not this file's.
        wrong_pages: Pages that hold what SQLite does not write.
        seconds: Wall time.
    """

    whole: int
    documents: tuple[SalvagedDocument, ...]
    rechunked: int
    chunks: int
    vectors: int
    awaiting: int
    searches: int
    triples: int
    feedback: int
    log: Literal["none", "read", "left out"]
    wrong_pages: int
    seconds: float


# Checks and repairs.

CheckLevel = Literal["quick", "full"]
LEVELS: Final[tuple[CheckLevel, ...]] = get_args(CheckLevel)


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """How far a check or a repair is.

    Attributes:
        part: What is looked at or done, in a word or two.
        done: How much of it, of ``total``; what is counted depends on the part.
        total: 0 where it is not known.
    """

    part: str
    done: int
    total: int


CheckProgressCallback = Callable[[CheckProgress], None]


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What `Memory.repair` did.

    Attributes:
        found: What a full check found before.
        repaired: The codes of what it does not find any more.
        left: What it still finds: the message says what to do.
        accepted: Ids of documents whose hash was made anew from what is stored, the first 100.
        awaiting: Chunks that await a vector now, since the model could not be used.
        backup: Name of the backup that was made first, None where nothing was to be repaired.
        seconds: Wall time.
    """

    found: tuple[Finding, ...]
    repaired: tuple[str, ...]
    left: tuple[Finding, ...]
    accepted: tuple[str, ...]
    awaiting: int
    backup: str | None
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether nothing wrong is left."""
        return not self.left


# Compaction and forgetting.

CompactStage = Literal["expired", "words", "postings", "codes", "room", "rewrite", "log"]


@dataclass(frozen=True, slots=True)
class CompactProgress:
    """Where a compaction stands: what it works on, and steps done so far."""

    stage: CompactStage
    steps: int


@dataclass(frozen=True, slots=True)
class CompactReport:
    """What `Memory.compact` did.

    Attributes:
        expired: Expired documents that were removed.
        bytes_before: Size of the file and its write-ahead log.
        bytes_after: The same afterwards; room that was freed inside the file is used again.
        reclaimable: Bytes free inside the file that ``full=True`` would give back, at least.
        steps: Short transactions that it was done in; others read and write in between.
        longest_step_ms: For how long the longest of them kept others from writing; the rewriting of
            ``full=True`` is not among them.
        seconds: Wall time.
    """

    expired: int
    bytes_before: int
    bytes_after: int
    reclaimable: int
    steps: int
    longest_step_ms: float
    seconds: float


@dataclass(frozen=True, slots=True)
class ForgetReport:
    """What `Memory.forget` removed, or would remove.

    Attributes:
        documents: Removed from every search at once, in one transaction with all that follows.
        chunks: Of these documents.
        searches: Logged searches that listed them or asked for words that only they had, with the
            triples and the feedback of these.
        made_queries: The same of queries that were made from the corpus or given with judgements.
        replies: Stored replies to idempotent requests that told of them.
        jobs: Jobs that had ended and named them.
        jobs_open: Ids of jobs queued or running that may store them again: cancel these first.
        dry_run: Whether nothing was removed.
        sample: Of a dry run, the oldest of them, at most 20; afterwards nothing tells of them.
        purged: Whether what they left in indexes and in unused parts of pages is gone from the file.
        log_emptied: Whether the write-ahead log was emptied; a reader under way keeps it.
        remedy: What to do where one of the two is false, else empty.
        backups: Names of backups in the backup folder, which hold what they held.
        bytes_before: Size of the file and its write-ahead log.
        bytes_after: The same afterwards.
        seconds: Wall time.
    """

    documents: int
    chunks: int
    searches: int
    made_queries: int
    replies: int
    jobs: int
    jobs_open: tuple[str, ...]
    dry_run: bool
    sample: tuple[DeletedDocument, ...]
    purged: bool
    log_emptied: bool
    remedy: str
    backups: tuple[str, ...]
    bytes_before: int
    bytes_after: int
    seconds: float


CompactWatcher = Callable[[CompactProgress], None]
