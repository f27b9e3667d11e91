"""vstash: local-first hybrid retrieval memory for LLM agents, in one SQLite file."""

from vstash.client import Client
from vstash.contexts import Context, ContextPassage, LeftOut, LeftOutPassage
from vstash.errors import VstashError
from vstash.feedback import Feedback, JudgedSearch, Verdict
from vstash.jobs import Job, JobError, JobProgress, JobReport, JobRequest, UpkeepRequest
from vstash.keys import AccessKey, NewKey
from vstash.memory import Memory
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
from vstash.upkeep import CheckProgress, RepairReport

__all__ = [
    "UNSET",
    "AccessKey",
    "CalibrationProgress",
    "CalibrationQuality",
    "CalibrationReport",
    "CheckProgress",
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
    "RepairReport",
    "SearchResult",
    "Stats",
    "Triple",
    "UpkeepRequest",
    "Verdict",
    "VstashError",
    "Weights",
    "WhyNot",
]

__version__ = "1.0.0a1"
