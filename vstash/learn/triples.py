"""Triples from one search in which the legs disagree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from vstash.types import JsonObject, LegEntry, MaskReason, TripleKind

__all__ = [
    "DISAGREEMENT_K",
    "NEAR_DUPLICATE_COSINE",
    "POSITIVE_SHARE",
    "LegScores",
    "Mined",
    "RawTriple",
    "disagreement_at",
    "mine",
]

# Legs are compared at one depth whatever a search returned, so that searches can be compared.
DISAGREEMENT_K: Final = 10
_SURE: Final = 3
# Passages this near say the same in other words: who answers with one answers with the other.
NEAR_DUPLICATE_COSINE: Final = 0.95
# A negative that scores 95 % of the positive is as likely an answer nobody marked (arXiv 2407.15831 found
# this share best for hard negatives).
POSITIVE_SHARE: Final = 0.95


@dataclass(frozen=True, slots=True)
class LegScores:
    """A chunk's document and its true scores in both legs; bm25 is 0 without informative words."""

    document_id: str
    cosine: float
    bm25: float


@dataclass(frozen=True, slots=True)
class RawTriple:
    """A triple before it is stored."""

    positive: int
    negative: int
    kind: TripleKind
    evidence: JsonObject


@dataclass(frozen=True, slots=True)
class Mined:
    """What one search yields.

    Attributes:
        triples: At most one of each kind.
        masked: By reason, how many negatives were passed over since they may answer as well.
    """

    triples: tuple[RawTriple, ...]
    masked: Mapping[MaskReason, int]


@dataclass(frozen=True, slots=True)
class _Side:
    """One kind of triple: the leg that is sure of its positive, and the leg that is blind to it."""

    kind: TripleKind
    sure: Sequence[LegEntry]
    blind: Sequence[LegEntry]
    negatives: Sequence[LegEntry]
    score: Callable[[LegScores], float]


def disagreement_at(vector_leg: Sequence[int], keyword_leg: Sequence[int], k: int) -> float:
    """``1 - |common chunks among the first k| / k``.

    Args:
        vector_leg: Chunk ids, best first.
        keyword_leg: Chunk ids, best first.
        k: Depth; where both lists are shorter, the longer one's length counts.

    Returns:
        In [0, 1]; 0 where both lists are empty.
    """
    first, second = set(vector_leg[:k]), set(keyword_leg[:k])
    depth = max(len(first), len(second))
    return 1 - len(first & second) / depth if depth else 0.0


def mine(
    vector_leg: Sequence[LegEntry],
    keyword_leg: Sequence[LegEntry],
    scores: Mapping[int, LegScores],
    *,
    typical_cosine: float,
    likeness: Callable[[int, int], float],
    k: int = DISAGREEMENT_K,
) -> Mined:
    """The triples that follow from one search, at most one of each kind.

    A dense blind spot: keywords put the positive in their first 3, vectors leave it out of their
    first k, and the negative is the best of vectors that lacks every informative word. A lexical
    blind spot is the mirror image, where the negative is the best of keywords whose cosine is no
    better than that of unrelated text. Negatives that may answer as well are passed over: those of the
    positive's document, its near-duplicates, and those that the sure leg scores nearly as high.

    Args:
        vector_leg: Best first.
        keyword_leg: Best first.
        scores: Of every chunk in both lists.
        typical_cosine: Mean plus one deviation of the query's cosines with unrelated chunks.
        likeness: Cosine of two chunks' vectors, 1 for equal passages, NaN where it is not known.
        k: Depth at which a leg counts as blind.

    Returns:
        Triples whose two chunks belong to different documents, and what was passed over.
    """
    lacking = [entry for entry in vector_leg[:k] if scores[entry.chunk_id].bm25 <= 0]
    unrelated = [
        entry for entry in keyword_leg[:k] if scores[entry.chunk_id].cosine <= typical_cosine
    ]
    sides = (
        _Side("dense_blind_spot", keyword_leg, vector_leg, lacking, lambda each: each.bm25),
        _Side("lexical_blind_spot", vector_leg, keyword_leg, unrelated, lambda each: each.cosine),
    )
    masked: Counter[MaskReason] = Counter()
    found = [_first(side, scores, likeness, masked, k) for side in sides]
    return Mined(tuple(triple for triple in found if triple is not None), dict(masked))


def _first(
    side: _Side,
    scores: Mapping[int, LegScores],
    likeness: Callable[[int, int], float],
    masked: Counter[MaskReason],
    k: int,
) -> RawTriple | None:
    listed = {entry.chunk_id: rank for rank, entry in enumerate(side.blind, 1)}
    for rank, entry in enumerate(side.sure[:_SURE], 1):
        positive = entry.chunk_id
        blind_rank = listed.get(positive)
        if blind_rank is not None and blind_rank <= k:
            continue
        for negative in (each.chunk_id for each in side.negatives):
            ours, theirs = scores[positive], scores[negative]
            reason = _mask(side, ours, theirs, likeness(positive, negative))
            if reason is None:
                evidence = _evidence(rank, blind_rank, listed[negative], ours, theirs)
                return RawTriple(positive, negative, side.kind, evidence)
            masked[reason] += 1
    return None


def _mask(side: _Side, ours: LegScores, theirs: LegScores, alike: float) -> MaskReason | None:
    """Why a negative may be an answer as well, None where nothing says so."""
    if ours.document_id == theirs.document_id:
        return "same_document"
    if alike >= NEAR_DUPLICATE_COSINE:
        return "near_duplicate"
    if side.score(theirs) >= POSITIVE_SHARE * side.score(ours) > 0:
        return "near_score"
    return None


def _evidence(
    sure_rank: int, blind_rank: int | None, negative_rank: int, ours: LegScores, theirs: LegScores
) -> JsonObject:
    def rounded(value: float) -> float | None:
        return None if math.isnan(value) else round(value, 6)

    return {
        "positive": {
            "sure_rank": sure_rank,
            "blind_rank": blind_rank,
            "cosine": rounded(ours.cosine),
            "bm25": rounded(ours.bm25),
        },
        "negative": {
            "blind_rank": negative_rank,
            "cosine": rounded(theirs.cosine),
            "bm25": rounded(theirs.bm25),
        },
    }
