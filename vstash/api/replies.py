"""What the REST API answers, as models for /openapi.json; the answers are made by `wire.to_json`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vstash.feedback import VerdictName
from vstash.reports import CalibrationSource
from vstash.types import Mode, StrategyName, Tier, TripleKind, TripleOrigin

__all__ = [
    "BatchReply",
    "CalibrationReply",
    "CalibrationResetReply",
    "ChunkReply",
    "DisagreementPage",
    "DocumentPage",
    "DocumentReply",
    "FeedbackBatchReply",
    "JudgedSearchPage",
    "Problem",
    "SearchReply",
    "StatsReply",
    "VerdictReply",
]

Time = Annotated[
    str,
    Field(
        examples=["2026-01-02T03:04:05.000000Z"],
        description="RFC 3339, UTC.",
        json_schema_extra={"format": "date-time"},
    ),
]
NextCursor = Annotated[
    str | None, Field(description="Give it as `cursor` for the next page; null on the last one.")
]


class Reply(BaseModel):
    """An object that has exactly these members."""

    model_config = ConfigDict(extra="forbid")


class Flaw(Reply):
    """One thing that is wrong with a request."""

    pointer: str = Field(
        description="JSON pointer of the field: of the body, or of a parameter by its name.",
        examples=["/text"],
    )
    message: str = Field(examples=["The text is empty: give at least one visible character."])


class Problem(Reply):
    """Problem details (RFC 9457)."""

    type: str = Field(examples=["urn:vstash:error:text_invalid"])
    title: str = Field(description="What the code means; the same words every time.")
    status: int = Field(examples=[422])
    detail: str = Field(description="What happened and what to do.")
    code: str = Field(description="Stable, for programs.", examples=["text_invalid"])
    retryable: bool = Field(description="Whether the same request may succeed later.")
    errors: list[Flaw] = Field(description="What is wrong where; empty when no field is at fault.")


class ChunkReply(Reply):
    """A passage of one document."""

    id: int = Field(description="Never reused.")
    document_id: str
    seq: int = Field(description="Position among the document's chunks, from 0.")
    text: str
    heading: list[str] = Field(description="Headings above it, outermost first.")
    start: int = Field(description="First character's offset in the document's text.")
    end: int = Field(description="Offset after the last character.")
    tokens: int = Field(description="Length in the model's tokens.")


class DocumentReply(Reply):
    """One stored thing: a file, a page, or a remembered text."""

    id: str = Field(examples=["019b2d0c-1a2b-7c3d-8e4f-5a6b7c8d9e0f"])
    key: str = Field(description="Unique in its collection.", examples=["people/ada"])
    collection: str = Field(examples=["default"])
    title: str
    metadata: dict[str, Any]
    tags: list[str] = Field(description="Sorted, without repetition.")
    content_hash: str = Field(description="SHA-256 over text, title, tags and metadata.")
    created: Time
    updated: Time
    expires_at: Time | None
    chunk_count: int
    char_count: int = Field(description="Length of the text in characters.")
    etag: str = Field(description="Another one after every change, as in the header `ETag`.")
    text: str | None = Field(default=None, description="Only where one document is read.")
    chunks: list[ChunkReply] | None = Field(default=None, description="Only where asked for.")


class DocumentPage(Reply):
    """A part of a listing of documents."""

    items: list[DocumentReply]
    next_cursor: NextCursor


class BatchResult(Reply):
    """What became of one document of a batch: either member, never both."""

    document: DocumentReply | None = None
    error: Problem | None = None


class BatchReply(Reply):
    """What became of a batch."""

    results: list[BatchResult] = Field(description="One for each document, in the same order.")


class WeightsReply(Reply):
    """How much each leg counted, in the units of the strategy."""

    vector: float
    keyword: float


class WordReply(Reply):
    """A derived word of the query that occurs in a hit, how rare it is, and where it occurs."""

    word: str
    idf: float
    fields: list[Literal["title", "heading", "body"]]


class ExplanationReply(Reply):
    """Where the score of a hit comes from; the parts add up to the score."""

    vector_part: float
    keyword_part: float
    feedback_part: float = Field(description="From the cosine with the three best hits.")
    exact_part: float = Field(description="From what stands in the chunk to the letter.")
    vector_normalised: float | None
    keyword_normalised: float | None
    damping: float = Field(description="Part of the keyword weight, by the query's length.")
    trust: float = Field(
        description="Part of the keyword weight, by the collection's other searches."
    )
    exact: list[str] = Field(description="Phrases and identifiers that stand there to the letter.")
    matched: list[WordReply] = Field(description="Query words found in the chunk, rarest first.")
    why: str = Field(description="One sentence to read.")
    recency_part: float = Field(description="0 where recency was not asked for.")


class HitReply(Reply):
    """One chunk found, with its scores, ranks and provenance."""

    score: float = Field(description="Orders the hits of one search; comparable only within it.")
    chunk: ChunkReply
    document: DocumentReply
    vector_rank: int | None = Field(description="From 1; null where the leg did not list it.")
    keyword_rank: int | None = Field(description="From 1; null where the leg did not list it.")
    vector_score: float | None = Field(
        description="Cosine in [-1, 1]; null where vectors were not asked or a chunk has none yet."
    )
    keyword_score: float | None = Field(description="BM25; 0 where no informative word occurs.")
    relevance: float | None = Field(
        description="How probable it is that the hit answers, in [0, 1]; null but for the strategy "
        "score."
    )
    tier: Tier | None = Field(description="high from .6, medium from .3, low.")
    explanation: ExplanationReply | None = Field(
        default=None, description="Present when asked for."
    )
    more: int = Field(description="Other candidates that were collapsed or folded into this hit.")


class SearchReply(Reply):
    """The reply to one search."""

    id: str = Field(description="Names this search in the log.")
    query: str
    mode: Mode
    strategy: StrategyName
    weights: WeightsReply
    hits: list[HitReply] = Field(description="Best first, or in the order of MMR's choice.")
    timings_ms: dict[str, float] = Field(description="Milliseconds per stage, and `total`.")
    calibrated: bool = Field(description="Whether relevance was calibrated for the file's model.")
    abstained: str | None = Field(
        description="Why no hit is likely to answer; null where one is.",
        examples=["unlikely: the best hit has a relevance of 0.12, less than 0.17"],
    )
    degraded: list[str] = Field(description="Reasons why this is less than was asked for.")
    awaiting: int = Field(description="Chunks of the file that have no vector yet.")
    learned: list[str] = Field(
        description="Ids of what was learnt of the collection and used here, as they are listed."
    )


class ModelReply(Reply):
    """An embedding model as installed."""

    name: str
    dimension: int
    sha256: str
    max_tokens: int
    pooling: Literal["cls", "mean"]
    query_prefix: str
    passage_prefix: str
    background_mean: float
    background_deviation: float
    calibration: list[float] | None = Field(
        description="How relevance follows from its features; null where it was not fitted."
    )


class StatsReply(Reply):
    """What the file holds."""

    path: str = Field(description="The file's name; its folder stays on the machine.")
    documents: int
    chunks: int
    vectors: int
    awaiting: int = Field(description="Chunks that have no vector yet.")
    collections: dict[str, int] = Field(description="Documents per collection.")
    model: ModelReply
    calibrated: CalibrationSource | None = Field(
        description="Where relevance comes from: the model, or what was learnt of this file; null where "
        "it is the one for any model."
    )
    searches_logged: int
    triples: int
    feedback: int = Field(description="Verdicts on chunks that searches returned.")
    log_dropped: int = Field(description="Searches not logged because the file was busy.")
    mean_disagreement: float | None
    file_bytes: int
    schema_version: int
    sqlite_version: str
    vstash_version: str
    durability: str


class VerdictReply(Reply):
    """What was said of one chunk for one search."""

    chunk_id: int | None = Field(description="null once its document was replaced.")
    document_id: str
    document_key: str = Field(description="Unique in the collection that was searched.")
    verdict: VerdictName
    at: Time


class FeedbackBatchResult(Reply):
    """What became of one verdict of a batch: either member, never both."""

    verdict: VerdictReply | None = None
    error: Problem | None = None


class FeedbackBatchReply(Reply):
    """What became of a batch."""

    results: list[FeedbackBatchResult] = Field(description="One for each, in the same order.")


class JudgedSearchReply(Reply):
    """A logged search with what was said of its answers."""

    search_id: str
    query: str | None = Field(description="null where only its keyed hash was kept.")
    collection: str
    at: Time
    verdicts: list[VerdictReply] = Field(description="In the order of their first being given.")


class JudgedSearchPage(Reply):
    """A part of the searches that got feedback, newest first."""

    items: list[JudgedSearchReply]
    next_cursor: NextCursor


class CalibrationQualityReply(Reply):
    """How well relevance holds on probes."""

    error: float = Field(description="Expected calibration error, in [0, 1].")
    log_loss: float = Field(description="In nats.")
    auroc: float = Field(description="Of probes against the same with their document left out.")


class CalibrationReply(Reply):
    """What a calibration found out, all of it about probes made from the file's own text."""

    probes: int
    used: int = Field(description="Probes that the file gave and that were answered.")
    found_first: float = Field(description="Share whose best hit is of the probe's document.")
    before: CalibrationQualityReply = Field(description="By the model's own calibration.")
    after: CalibrationQualityReply = Field(
        description="By what was learnt, each probe judged by what the others taught."
    )
    weights: list[float] = Field(description="What was learnt, the intercept last.")
    stored: bool = Field(description="Whether it is used from now on.")
    seconds: float


class CalibrationResetReply(Reply):
    """What became of a calibration."""

    removed: bool = Field(description="Whether there was anything to forget.")


class LegEntryReply(Reply):
    """One row of a leg's top k."""

    chunk_id: int
    score: float


class TripleReply(Reply):
    """For this query the positive should rank above the negative."""

    query: str
    positive_chunk_id: int
    negative_chunk_id: int
    kind: TripleKind
    evidence: dict[str, Any]
    positive_text: str | None
    negative_text: str | None
    origin: TripleOrigin


class DisagreementReply(Reply):
    """One logged search: what each leg listed and how far they differ."""

    search_id: str
    query: str | None = Field(description="null where only its keyed hash was kept.")
    at: Time
    collection: str
    mode: Mode
    strategy: StrategyName
    weights: WeightsReply
    k: int
    disagreement: float = Field(description="1 - |common chunks| / k, in [0, 1].")
    vector_leg: list[LegEntryReply]
    keyword_leg: list[LegEntryReply]
    triples: list[TripleReply]
    asked: int = Field(
        description="How often; all but this count and `first_at` is of the last time."
    )
    first_at: Time
    session: str | None
    reformulates: str | None = Field(description="`search_id` of what it puts in other words.")


class DisagreementPage(Reply):
    """A part of the log, newest first."""

    items: list[DisagreementReply]
    next_cursor: NextCursor
