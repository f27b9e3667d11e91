"""The strategy ``score``: standardised cosines, spread keywords, trust, feedback, exact terms.

With z the standardised cosine, s the spread of BM25 among the candidates, d the damping by the query's
length, t the trust in keywords (see `trust`) and z_c the standardised cosine with the three best hits::

    score = (z + .4 * z_c) / 1.4 + .4 * d * t * bm25 / s + exact

Chosen on seven judged sets, and each constant by leaving one set out; docs/fusion.md has the figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.search.candidates import order
from vstash.search.fusion import Background, Candidates, Fused, background
from vstash.search.trust import LEGS_DEPTH, Evidence, Experience, evidence, spread
from vstash.search.weights import BUILT_IN, FusionWeights
from vstash.types import Weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray

__all__ = ["Scored", "Surroundings", "damping", "score", "standardised"]

KEYWORD_WEIGHT: Final = 0.4
# A query of 12 words has the full weight, a longer one less, a shorter one up to twice as much.
FULL_WORDS: Final = 12
MOST_DAMPING: Final = 2.0
FEEDBACK_WEIGHT: Final = 0.4
FEEDBACK_HITS: Final = 3


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a query is seen against.

    Attributes:
        background: Of its cosines.
        vectors: Of the candidates in their order, shape (n, dimension); rows of zeros where a chunk
            awaits its vector.
        sample: Vectors of chunks spread over what was searched, shape (m, dimension).
        experience: Of the collection's earlier searches.
    """

    background: Background
    vectors: FloatArray
    sample: FloatArray
    experience: Experience


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores, what they tell of the collection, and its experience with this search."""

    fused: Fused
    evidence: Evidence | None
    experience: Experience


def damping(word_count: int) -> float:
    """How far keyword evidence of a query counts: ``sqrt(12 / n)``, at most 2.

    Args:
        word_count: Number of tokens of the query.
    """
    return min(MOST_DAMPING, math.sqrt(FULL_WORDS / max(word_count, 1)))


def standardised(cosine: FloatArray, against: Background) -> FloatArray:
    """Cosines in deviations from the background; a chunk without a vector counts as an unrelated one.

    Args:
        cosine: Shape (n,), NaN where a chunk awaits its vector.
        against: What cosines with unrelated chunks look like.
    """
    values = ((cosine - against.mean) / against.deviation).astype(np.float32)
    values[np.isnan(values)] = 0.0
    return values


def score(
    candidates: Candidates,
    around: Surroundings,
    exact: FloatArray,
    *,
    word_count: int,
    weights: FusionWeights = BUILT_IN,
) -> Scored:
    """Score every candidate.

    Args:
        candidates: The completed union of both legs.
        around: What the query is seen against.
        exact: What each chunk gains by exact terms, shape (n,).
        word_count: Number of tokens of the query.
        weights: Factors on the weights of keywords and of feedback, as learnt of the collection.

    Returns:
        Scores whose parts add up, and what this search adds to the collection's experience.
    """
    z = standardised(candidates.cosine, around.background)
    first = _listed_first(candidates)
    # Where no candidate has a vector yet, the best cosine is none.
    known = not np.isnan(candidates.cosine[first]).all()
    seen = evidence(z[first], candidates.bm25[first]) if known else None
    experience = around.experience if seen is None else around.experience.after(seen)
    damped, trust = damping(word_count), experience.trust
    wide = spread(candidates.bm25[first])
    spreads = candidates.bm25 / np.float32(wide) if wide > 0 else np.zeros_like(candidates.bm25)
    weight = KEYWORD_WEIGHT * weights.keyword * damped * trust if wide > 0 else 0.0
    keyword_part = np.float32(weight) * spreads
    fed_back = _fed_back(candidates, z + keyword_part + exact, around)
    feedback_weight = FEEDBACK_WEIGHT * weights.feedback
    share = 1.0 / (1.0 + feedback_weight) if fed_back is not None else 1.0
    nothing = np.zeros(len(z), dtype=np.float32)
    fused = Fused(
        vector_part=np.float32(share) * z,
        keyword_part=keyword_part,
        feedback_part=nothing
        if fed_back is None
        else np.float32(feedback_weight * share) * fed_back,
        exact_part=exact.astype(np.float32),
        vector_normalised=z,
        keyword_normalised=spreads,
        weights=Weights(share, weight),
        damping=damped,
        trust=trust,
        learnt=weights.keyword,
    )
    return Scored(fused, seen, experience)


def _listed_first(candidates: Candidates) -> NDArray[np.bool_]:
    """Which candidates the legs listed among their first, however deep they were asked."""
    vector, keyword = candidates.vector_rank, candidates.keyword_rank
    return ((vector > 0) & (vector <= LEGS_DEPTH)) | ((keyword > 0) & (keyword <= LEGS_DEPTH))


def _fed_back(
    candidates: Candidates, scores: FloatArray, around: Surroundings
) -> FloatArray | None:
    """Standardised cosines with the mean of the best hits, weighed by the softmax of their scores.

    Source: Rocchio's feedback on vectors, as in Li et al., "Pseudo Relevance Feedback with Deep Language
    Models and Dense Retrievers" (arXiv 2108.11044); here the query's own cosine stays apart.
    """
    with_vector = np.flatnonzero(~np.isnan(candidates.cosine))
    if len(with_vector) == 0:
        return None
    best = with_vector[order(candidates.ids[with_vector], scores[with_vector], FEEDBACK_HITS)]
    weights = np.exp(scores[best] - scores[best].max())
    centre = weights @ around.vectors[best]
    length = float(np.linalg.norm(centre))
    if length == 0:
        return None
    centre = (centre / np.float32(length)).astype(np.float32)
    # Unlike a product of matrices, it rounds equal vectors alike, so that equal texts tie.
    cosine = np.einsum("ij,j->i", around.vectors, centre)
    sampled = around.sample @ centre
    mean = float(sampled.mean()) if len(sampled) else around.background.mean
    fed_back = standardised(
        cosine, background(sampled, mean=mean, deviation=around.background.deviation)
    )
    fed_back[np.isnan(candidates.cosine)] = 0.0
    return fed_back
