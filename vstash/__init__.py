"""vstash: local-first hybrid retrieval memory for LLM agents, in one SQLite file."""

from vstash.client import Client
from vstash.contexts import Context, ContextPassage, LeftOut, LeftOutPassage
from vstash.errors import VstashError
from vstash.feedback import Feedback, JudgedSearch, Verdict
from vstash.jobs import Job, JobError, JobProgress, JobReport, JobRequest
from vstash.keys import AccessKey, NewKey
from vstash.memory import Memory
from vstash.memory.restoring import restore
from vstash.misses import MissingWord, WhyNot
from vstash.reports import (
    CalibrationProgress,
    CalibrationQuality,
    CalibrationReport,
    CheckReport,
    CollectionInfo,
    CompactReport,
    DeletedDocument,
    DeleteReport,
    EmbedProgress,
    EmbedReport,
    FileOutcome,
    Finding,
    Gauges,
    Health,
    IngestProgress,
    IngestReport,
    Stats,
)
from vstash.transfers import ImportProgress, ImportReport
from vstash.types import (
    UNSET,
    Chunk,
    ChunkWindow,
    Disagreement,
    Document,
    Explanation,
    Hit,
    LegEntry,
    MatchedWord,
    ModelInfo,
    NewDocument,
    Page,
    SearchResult,
    Triple,
    Weights,
)
from vstash.upkeep import BackupInfo, BackupProgress, RestoreReport

__all__ = [
    "UNSET",
    "AccessKey",
    "BackupInfo",
    "BackupProgress",
    "CalibrationProgress",
    "CalibrationQuality",
    "CalibrationReport",
    "CheckReport",
    "Chunk",
    "ChunkWindow",
    "Client",
    "CollectionInfo",
    "CompactReport",
    "Context",
    "ContextPassage",
    "DeleteReport",
    "DeletedDocument",
    "Disagreement",
    "Document",
    "EmbedProgress",
    "EmbedReport",
    "Explanation",
    "Feedback",
    "FileOutcome",
    "Finding",
    "Gauges",
    "Health",
    "Hit",
    "ImportProgress",
    "ImportReport",
    "IngestProgress",
    "IngestReport",
    "Job",
    "JobError",
    "JobProgress",
    "JobReport",
    "JobRequest",
    "JudgedSearch",
    "LeftOut",
    "LeftOutPassage",
    "LegEntry",
    "MatchedWord",
    "Memory",
    "MissingWord",
    "ModelInfo",
    "NewDocument",
    "NewKey",
    "Page",
    "RestoreReport",
    "SearchResult",
    "Stats",
    "Triple",
    "Verdict",
    "VstashError",
    "Weights",
    "WhyNot",
    "restore",
]

__version__ = "1.0.0a1"
