"""Triples from one query in which the legs disagree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from vstash.types import JsonObject, LegEntry, MaskReason, TripleKind

__all__ = [
    "DISAGREEMENT_K",
    "EVERY_MASK",
    "FUSED_SHARE",
    "NEAR_DUPLICATE_COSINE",
    "OF_KNOWN",
    "POSITIVE_SHARE",
    "LegScores",
    "Masks",
    "Mined",
    "RawTriple",
    "disagreement_at",
    "mine",
    "mine_known",
]

# Legs are compared at one depth whatever a search returned, so that searches can be compared.
DISAGREEMENT_K: Final = 10
_SURE: Final = 3
# Passages this near say the same in other words: who answers with one answers with the other.
NEAR_DUPLICATE_COSINE: Final = 0.95
# A negative that scores 95 % of the positive is as likely an answer nobody marked (arXiv 2407.15831 found
# this share best for hard negatives).
POSITIVE_SHARE: Final = 0.95
# One leg alone says little about a chunk that is in dispute between both; docs/mining.md has how many
# false negatives each share lets through on judged sets.
FUSED_SHARE: Final = 0.6


@dataclass(frozen=True, slots=True)
class LegScores:
    """What is known of a chunk.

    Attributes:
        document_id: Its document.
        cosine: True in the vector leg.
        bm25: True in the keyword leg, 0 without informative words.
        fused: By the strategy ``score``, NaN where another one fused.
    """

    document_id: str
    cosine: float
    bm25: float
    fused: float = math.nan


@dataclass(frozen=True, slots=True)
class Masks:
    """Which negatives are passed over since they may answer as well.

    Attributes:
        same_document: Those of the positive's document.
        cosine: Those whose vector is at least this near to the positive's.
        share: Those that the leg which is sure of the positive gives this share of its score.
        fused: Those to which both legs together give this share of its score.
    """

    same_document: bool = True
    cosine: float = NEAR_DUPLICATE_COSINE
    share: float = POSITIVE_SHARE
    fused: float = FUSED_SHARE


EVERY_MASK: Final = Masks()
# Where one of the two is known to answer, the other has to come nearer before it is doubted.
OF_KNOWN: Final = Masks(fused=0.75)


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
        triples: At most one of each kind for a positive.
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
    masks: Masks = EVERY_MASK,
) -> Mined:
    """The triples that follow from one search, at most one of each kind.

    A dense blind spot: keywords put the positive in their first 3, vectors leave it out of their
    first k, and the negative is the best of vectors that lacks every informative word. A lexical
    blind spot is the mirror image, where the negative is the best of keywords whose cosine is no
    better than that of unrelated text. Negatives that may answer as well are passed over: those of the
    positive's document, its near-duplicates, and those that the sure leg or both together score nearly
    as high.

    Args:
        vector_leg: Best first.
        keyword_leg: Best first.
        scores: Of every chunk in both lists.
        typical_cosine: Mean plus one deviation of the query's cosines with unrelated chunks.
        likeness: Cosine of two chunks' vectors, 1 for equal passages, NaN where it is not known.
        k: Depth at which a leg counts as blind.
        masks: Which negatives are passed over.

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
    found: list[RawTriple] = []
    for side in sides:
        places = [(rank, entry.chunk_id) for rank, entry in enumerate(side.sure[:_SURE], 1)]
        against = _Against(side, scores, likeness, masks, k)
        triples = (against.triple(rank, positive, masked) for rank, positive in places)
        found += islice((triple for triple in triples if triple is not None), 1)
    return Mined(tuple(found), dict(masked))


def mine_known(
    positives: Collection[int],
    vector_leg: Sequence[LegEntry],
    keyword_leg: Sequence[LegEntry],
    scores: Mapping[int, LegScores],
    *,
    likeness: Callable[[int, int], float],
    also: Container[str] = frozenset(),
    k: int = DISAGREEMENT_K,
    masks: Masks = OF_KNOWN,
) -> Mined:
    """The triples of a query whose answers are known, where one leg lists them and the other does not.

    Since the positive needs no second opinion, every chunk that the blind leg lists above it may be the
    negative, whatever its words; the masks are those of `mine`.

    Args:
        positives: Chunks that answer the query, one of each document.
        vector_leg: Best first.
        keyword_leg: Best first.
        scores: Of every chunk among the first k of both lists.
        likeness: As in `mine`.
        also: Ids of documents that are known to answer as well: never negatives, counted as ``judged``.
        k: Depth at which a leg counts as blind, and the other as sure.
        masks: Which negatives are passed over.

    Returns:
        At most one of each kind for a positive, and what was passed over.
    """
    sides = (
        _Side("dense_blind_spot", keyword_leg, vector_leg, vector_leg[:k], lambda each: each.bm25),
        _Side(
            "lexical_blind_spot", vector_leg, keyword_leg, keyword_leg[:k], lambda each: each.cosine
        ),
    )
    masked: Counter[MaskReason] = Counter()
    found = []
    for side in sides:
        against = _Against(side, scores, likeness, masks, k, also)
        for rank, entry in enumerate(side.sure[:k], 1):
            if entry.chunk_id in positives:
                found.append(against.triple(rank, entry.chunk_id, masked))
    return Mined(tuple(triple for triple in found if triple is not None), dict(masked))


@dataclass(frozen=True, slots=True)
class _Against:
    """Looks for the negative of a positive."""

    side: _Side
    scores: Mapping[int, LegScores]
    likeness: Callable[[int, int], float]
    masks: Masks
    k: int
    also: Container[str] = frozenset()

    def triple(self, rank: int, positive: int, masked: Counter[MaskReason]) -> RawTriple | None:
        """The first negative that no mask holds, None where the blind leg lists the positive itself.

        Args:
            rank: Of the positive in the leg that is sure of it.
            positive: Its chunk.
            masked: Gets what is passed over.
        """
        listed = {entry.chunk_id: place for place, entry in enumerate(self.side.blind, 1)}
        blind_rank = listed.get(positive)
        if blind_rank is not None and blind_rank <= self.k:
            return None
        for negative in (each.chunk_id for each in self.side.negatives):
            ours, theirs = self.scores[positive], self.scores[negative]
            alike = self.likeness(positive, negative)
            reason = self._mask(ours, theirs, alike)
            if reason is None:
                evidence = _evidence(rank, blind_rank, listed[negative], ours, theirs, alike)
                return RawTriple(positive, negative, self.side.kind, evidence)
            masked[reason] += 1
        return None

    def _mask(self, ours: LegScores, theirs: LegScores, alike: float) -> MaskReason | None:
        """Why a negative may be an answer as well, None where nothing says so."""
        masks, score = self.masks, self.side.score
        if masks.same_document and ours.document_id == theirs.document_id:
            return "same_document"
        if alike >= masks.cosine:
            return "near_duplicate"
        if score(theirs) >= masks.share * score(ours) > 0:
            return "near_score"
        if theirs.fused >= masks.fused * ours.fused:
            return "near_score"
        return "judged" if theirs.document_id in self.also else None


def _evidence(
    sure_rank: int,
    blind_rank: int | None,
    negative_rank: int,
    ours: LegScores,
    theirs: LegScores,
    alike: float,
) -> JsonObject:
    return {
        "positive": {"sure_rank": sure_rank, "blind_rank": blind_rank, **_scores(ours)},
        "negative": {"blind_rank": negative_rank, **_scores(theirs)},
        **({} if math.isnan(alike) else {"likeness": round(alike, 6)}),
    }


def _scores(of: LegScores) -> JsonObject:
    """What both legs say of a chunk; None where it awaits its vector."""
    fused = {} if math.isnan(of.fused) else {"fused": round(of.fused, 6)}
    cosine = None if math.isnan(of.cosine) else round(of.cosine, 6)
    return {"cosine": cosine, "bm25": round(of.bm25, 6), **fused}
