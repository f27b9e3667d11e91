"""The values that cross layers: frozen, typed, and the same on every interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar, Union

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    IdArray = NDArray[np.int64]
    # What a caller may bring, of any precision.
    AnyVector = Sequence[float] | NDArray[np.floating[Any]]
    AnyVectors = Sequence[Sequence[float]] | NDArray[np.floating[Any]]

__all__ = [
    "UNSET",
    "Chunk",
    "ChunkWindow",
    "Collapse",
    "Disagreement",
    "Document",
    "EmbedWhen",
    "Explanation",
    "Hit",
    "IncludeName",
    "Json",
    "JsonObject",
    "LegEntry",
    "MatchedWord",
    "Mmr",
    "Mode",
    "ModelInfo",
    "NewDocument",
    "Page",
    "SearchResult",
    "StrategyName",
    "Tier",
    "Triple",
    "TripleKind",
    "Unset",
    "Weights",
]

if TYPE_CHECKING:
    Json = Union[  # noqa: UP007 - a recursive alias needs the string form on Python 3.10
        None, bool, int, float, str, Sequence["Json"], Mapping[str, "Json"]
    ]
else:
    # What reads annotations while running, as the client does, knows no alias within itself.
    Json = Any
JsonObject = Mapping[str, Json]
Item = TypeVar("Item")
Mode = Literal["hybrid", "vector", "keyword"]
StrategyName = Literal["score", "rrf", "adaptive-rrf"]
Tier = Literal["high", "medium", "low"]
Collapse = Literal["document"]
Mmr = Literal["within", "across"]
EmbedWhen = Literal["now", "later"]
IncludeName = Literal["text", "chunks"]
TripleKind = Literal["dense_blind_spot", "lexical_blind_spot"]
MaskReason = Literal["same_document", "near_duplicate", "near_score", "judged"]
TripleOrigin = Literal["search", "made", "labelled"]


class Unset(Enum):
    """The type of `UNSET`: leave this field as it is, where None means remove it."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True)
class Document:
    """One stored thing: a file, a page, or a remembered text.

    Attributes:
        id: UUIDv7 as text; never changes.
        key: Path, URL or the caller's own id; unique in its collection.
        collection: Hard partition of the file.
        title: May be empty.
        metadata: A JSON object.
        tags: Sorted, without repetition.
        content_hash: SHA-256 (hex) over text, title, tags and metadata.
        created: UTC; kept when the document is replaced.
        updated: UTC; the last change of any field.
        expires_at: UTC; from then on the document is hidden.
        chunk_count: Number of chunks.
        char_count: Length of the text in characters.
        etag: 32 hex digits that are others after every change of the document.
        text: The whole text, or None where it was left out.
        chunks: All chunks in order, or None where they were left out.
    """

    id: str
    key: str
    collection: str
    title: str
    metadata: JsonObject
    tags: tuple[str, ...]
    content_hash: str
    created: datetime
    updated: datetime
    expires_at: datetime | None
    chunk_count: int
    char_count: int
    etag: str
    text: str | None = None
    chunks: tuple[Chunk, ...] | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of one document: ``document.text[start:end] == text``.

    Attributes:
        id: Integer, never reused.
        document_id: Id of its document.
        seq: Position among the document's chunks, from 0.
        text: The passage.
        heading: Headings above it, outermost first.
        start: First character's offset in the document's text.
        end: Offset after the last character.
        tokens: Length in the model's tokens, title and headings not counted.
    """

    id: int
    document_id: str
    seq: int
    text: str
    heading: tuple[str, ...]
    start: int
    end: int
    tokens: int


@dataclass(frozen=True, slots=True)
class ChunkWindow:
    """A chunk with the chunks before and after it in its document, in order."""

    chunk: Chunk
    before: tuple[Chunk, ...]
    after: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each leg counted in a search, in the units of its strategy."""

    vector: float
    keyword: float


@dataclass(frozen=True, slots=True)
class MatchedWord:
    """A derived word of the query that occurs in a hit, how rare it is, and where it occurs.

    Attributes:
        fields: Of ``title``, ``heading`` and ``body``, in this order.
    """

    word: str
    idf: float
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where the score of one hit comes from; the parts add up to the score.

    Attributes:
        vector_part: What the cosine with the query added to the score.
        keyword_part: What the words of the query added.
        feedback_part: What the cosine with the three best hits added; 0 but for ``score``.
        exact_part: What quoted phrases and identifiers added that stand in the chunk to the letter, or
            for half of it in another spelling; 0 but for ``score``.
        vector_normalised: The cosine as the strategy used it.
        keyword_normalised: The BM25 score as the strategy used it.
        damping: Part of the keyword weight: below 1 in long queries, above 1 in short ones.
        trust: Part of the keyword weight: what the collection's other searches say of its keywords.
        exact: Quoted phrases and identifiers of the query that stand in the chunk to the letter.
        matched: Query words found in the chunk, its title or headings, rarest first.
        why: One sentence to read.
        recency_part: What recency added, 0 where it was not asked for.
    """

    vector_part: float
    keyword_part: float
    feedback_part: float
    exact_part: float
    vector_normalised: float | None
    keyword_normalised: float | None
    damping: float
    trust: float
    exact: tuple[str, ...]
    matched: tuple[MatchedWord, ...]
    why: str
    recency_part: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """One returned chunk with its scores, ranks and provenance.

    Attributes:
        score: Orders the hits of one search, save those that MMR chose; comparable only within it.
        chunk: The passage.
        document: Where it comes from, without its text.
        vector_rank: Rank in the vector leg from 1, None where the leg did not list it.
        keyword_rank: Rank in the keyword leg from 1, None where the leg did not list it.
        vector_score: Cosine in [-1, 1] when vectors were asked; None for a chunk without one yet.
        keyword_score: Positive BM25; 0 where no informative word of the query occurs.
        relevance: How probable it is that the hit answers the query, in [0, 1]; None but for the
            strategy ``score``, which alone is calibrated.
        tier: The relevance in a word: high from .6, medium from .3, low.
        explanation: Present when asked for with ``explain=True``.
        more: Other candidates that this hit stands for: chunks of the same document with ``collapse``,
            chunks that say the same with ``fold_duplicates``.
    """

    score: float
    chunk: Chunk
    document: Document
    vector_rank: int | None
    keyword_rank: int | None
    vector_score: float | None
    keyword_score: float | None
    relevance: float | None
    tier: Tier | None
    explanation: Explanation | None = None
    more: int = 0

    @property
    def text(self) -> str:
        """The chunk's text."""
        return self.chunk.text


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The reply to one search.

    Attributes:
        id: Names this search in the log, for feedback.
        query: As given.
        mode: Which legs were asked.
        strategy: How they were fused.
        weights: What each leg counted.
        hits: Best first; with MMR in the order of its choice.
        timings_ms: Milliseconds per stage, and ``total``.
        calibrated: Whether relevance was for the file's model, as shipped or by `Memory.calibrate`.
        abstained: Why no hit is likely to answer, None where one is.
        degraded: Reasons why this answer is less than asked for, such as no word to look up.
        awaiting: Chunks of the file that have no vector yet, and are found by their words alone.
        learned: Ids of what was learnt of the collection and used here; `Memory.learned` tells of it.
    """

    id: str
    query: str
    mode: Mode
    strategy: StrategyName
    weights: Weights
    hits: tuple[Hit, ...]
    timings_ms: Mapping[str, float]
    calibrated: bool = False
    abstained: str | None = None
    degraded: tuple[str, ...] = ()
    awaiting: int = 0
    learned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LegEntry:
    """One row of a leg's top k: chunk id and raw score."""

    chunk_id: int
    score: float


@dataclass(frozen=True, slots=True)
class Triple:
    """A training example: for this query, the positive should rank above the negative.

    Attributes:
        kind: ``dense_blind_spot``: keywords found what vectors missed; ``lexical_blind_spot``: the
            mirror image.
        evidence: Ranks and scores of both chunks in both legs.
        origin: The log, a query made from the corpus, or one given with judgements.
    """

    query: str
    positive_chunk_id: int
    negative_chunk_id: int
    kind: TripleKind
    evidence: JsonObject
    positive_text: str | None = None
    negative_text: str | None = None
    origin: TripleOrigin = "search"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One logged search: what each leg listed and how far they differ.

    A search that was asked again is one entry: legs, triples, ``search_id`` and ``at`` are of the last time.

    Attributes:
        search_id: The ``id`` of the `SearchResult`.
        query: None where only its keyed hash was kept; then there are no triples.
        at: UTC time of the search.
        k: Depth at which the legs were compared.
        disagreement: ``1 - |common chunks| / k``, in [0, 1].
        asked: How often it was asked.
        first_at: When first.
        session: As the caller named it; its keyed hash where the query's was kept.
        reformulates: ``search_id`` of the search that it puts in other words, None for none.
    """

    search_id: str
    query: str | None
    at: datetime
    collection: str
    mode: Mode
    strategy: StrategyName
    weights: Weights
    k: int
    disagreement: float
    vector_leg: tuple[LegEntry, ...]
    keyword_leg: tuple[LegEntry, ...]
    triples: tuple[Triple, ...]
    asked: int
    first_at: datetime
    session: str | None
    reformulates: str | None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """An embedding model as installed.

    Attributes:
        name: Short name, such as ``bge-small-en-v1.5``.
        dimension: Length of its vectors.
        sha256: Hex digest over the digests of its files.
        max_tokens: Longest input in tokens, special tokens included.
        pooling: ``cls`` or ``mean``.
        query_prefix: Put in front of every query.
        passage_prefix: Put in front of every passage.
        background_mean: Mean cosine of a query and an unrelated passage.
        background_deviation: Standard deviation of the same.
        calibration: How relevance follows from its features (see docs/relevance.md), the intercept
            last; None where nobody fitted it for this model.
    """

    name: str
    dimension: int
    sha256: str
    max_tokens: int
    pooling: Literal["cls", "mean"] = "cls"
    query_prefix: str = ""
    passage_prefix: str = ""
    background_mean: float = 0.0
    background_deviation: float = 0.1
    calibration: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to be added; the fields mean what they mean in `Memory.add`."""

    text: str
    key: str | None = None
    title: str | None = None
    collection: str | None = None
    tags: Sequence[str] = ()
    metadata: JsonObject = field(default_factory=dict)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a listing.

    Attributes:
        items: In the order of the listing.
        next_cursor: Give it as ``cursor`` to get the following page; None on the last one.
    """

    items: tuple[Item, ...]
    next_cursor: str | None
