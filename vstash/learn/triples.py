"""Triples from one search in which the legs disagree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from vstash.types import JsonObject, LegEntry, TripleKind

__all__ = ["DISAGREEMENT_K", "LegScores", "RawTriple", "disagreement_at", "mine"]

# Legs are compared at one depth whatever a search returned, so that searches can be compared.
DISAGREEMENT_K: Final = 10
_SURE: Final = 3


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
    k: int = DISAGREEMENT_K,
) -> list[RawTriple]:
    """The triples that follow from one search, at most one of each kind.

    A dense blind spot: keywords put the positive in their first 3, vectors leave it out of their
    first k, and the negative is the best of vectors that lacks every informative word. A lexical
    blind spot is the mirror image, where the negative is the best of keywords whose cosine is no
    better than that of unrelated text.

    Args:
        vector_leg: Best first.
        keyword_leg: Best first.
        scores: Of every chunk in both lists.
        typical_cosine: Mean plus one deviation of the query's cosines with unrelated chunks.
        k: Depth at which a leg counts as blind.

    Returns:
        Triples whose two chunks belong to different documents.
    """
    found = []
    lacking = [entry for entry in vector_leg[:k] if scores[entry.chunk_id].bm25 <= 0]
    unrelated = [
        entry for entry in keyword_leg[:k] if scores[entry.chunk_id].cosine <= typical_cosine
    ]
    kinds: tuple[tuple[TripleKind, Sequence[LegEntry], Sequence[LegEntry], list[LegEntry]], ...] = (
        ("dense_blind_spot", keyword_leg, vector_leg, lacking),
        ("lexical_blind_spot", vector_leg, keyword_leg, unrelated),
    )
    for kind, sure, blind, negatives in kinds:
        triple = _first(kind, sure, blind, negatives, scores, k)
        if triple is not None:
            found.append(triple)
    return found


def _first(
    kind: TripleKind,
    sure: Sequence[LegEntry],
    blind: Sequence[LegEntry],
    negatives: Sequence[LegEntry],
    scores: Mapping[int, LegScores],
    k: int,
) -> RawTriple | None:
    listed = {entry.chunk_id: rank for rank, entry in enumerate(blind, 1)}
    for rank, positive in enumerate(sure[:_SURE], 1):
        blind_rank = listed.get(positive.chunk_id)
        if blind_rank is not None and blind_rank <= k:
            continue
        for negative in negatives:
            ours, theirs = scores[positive.chunk_id], scores[negative.chunk_id]
            if ours.document_id != theirs.document_id:
                evidence = _evidence(rank, blind_rank, listed[negative.chunk_id], ours, theirs)
                return RawTriple(positive.chunk_id, negative.chunk_id, kind, evidence)
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
