"""What `Memory.why_not` returns: where a search lost a document or a chunk, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vstash.types import Explanation

__all__ = ["MissStage", "MissingWord", "ScorePart", "WhyNot"]

MissStage = Literal[
    "other_collection",
    "expired",
    "filtered",
    "not_a_candidate",
    "below_min_relevance",
    "folded",
    "collapsed",
    "mmr",
    "outscored",
    "returned",
]
ScorePart = Literal["vector", "keyword", "feedback", "exact", "recency"]


@dataclass(frozen=True, slots=True)
class MissingWord:
    """A derived word of the query that a chunk lacks.

    Attributes:
        idf: How rare it is.
        chunks: How many chunks of the file hold it; 0 says that nothing could be found by it.
    """

    word: str
    idf: float
    chunks: int


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Where a search lost a document or a chunk; a number that does not apply is None.

    Attributes:
        query: As given.
        stage: The first stage of the search that lost it; ``returned`` where none did.
        why: One sentence to read.
        advice: What would have to change, most to the point first.
        document_id: Of the document.
        key: Of the document.
        collection: That the document is in.
        chunk_id: The chunk that was asked for, or the best of the document's; None where the search
            did not get as far as chunks.
        k: How many hits were asked for.
        k_needed: A k with which the search returns it, at most 1,000.
        rank: Its place among what could be returned, from 1; up to k is returned.
        depth: How many candidates each leg was asked for.
        vector_rank: Its place by cosine among all that the search may return, from 1.
        vector_deeper_than: In a large file, how many are known to be nearer where its place is not.
        vector_score: Its cosine; None while it awaits its vector.
        vector_needed: The cosine of the last that the leg listed; None where it listed all there are.
        keyword_rank: Its place by BM25 among all that the search may return; None without a word.
        keyword_score: Its BM25; 0 where it holds no informative word of the query.
        keyword_needed: The BM25 of the last that the leg listed; None where it listed every chunk
            with a word of the query.
        score: Its fused score where it was a candidate.
        score_needed: The score of the last hit, where k were found; with MMR the k-th best score.
        lacks: Which part of the score falls furthest behind the last hit's.
        relevance: Of it, where it was a candidate and the strategy is ``score``.
        behind: The chunk that stands for it: folded, collapsed, or chosen by MMR and most like it.
        failed: Conditions of the filter that the document fails.
        missing_words: Informative words of the query that the chunk lacks, rarest first.
        awaiting: Whether the chunk has no vector yet, so that only its words count.
        explanation: Where its score comes from.
        explanation_of_last: The same of the hit whose score is needed.
        degraded: Reasons why the search did less than it was asked for.
    """

    query: str
    stage: MissStage
    document_id: str
    key: str
    collection: str
    k: int
    why: str = ""
    advice: tuple[str, ...] = ()
    chunk_id: int | None = None
    k_needed: int | None = None
    rank: int | None = None
    depth: int | None = None
    vector_rank: int | None = None
    vector_deeper_than: int | None = None
    vector_score: float | None = None
    vector_needed: float | None = None
    keyword_rank: int | None = None
    keyword_score: float | None = None
    keyword_needed: float | None = None
    score: float | None = None
    score_needed: float | None = None
    lacks: ScorePart | None = None
    relevance: float | None = None
    behind: int | None = None
    failed: tuple[str, ...] = ()
    missing_words: tuple[MissingWord, ...] = ()
    awaiting: bool = False
    explanation: Explanation | None = None
    explanation_of_last: Explanation | None = None
    degraded: tuple[str, ...] = ()
