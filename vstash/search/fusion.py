"""Fusion: one score for each candidate from the two legs; the default strategy is in `score`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.search.words import QueryWords, published_idf
from vstash.types import Mode, Weights

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = [
    "Background",
    "Candidates",
    "Fused",
    "adaptive_weights",
    "background",
    "by_ranks",
    "one_leg",
]

# Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet", SIGIR 2009.
RRF_K: Final = 60
# The published adaptive method: keyword weight .1 to .6 by a sigmoid of the mean IDF, vectors .9 on
# long queries.
ADAPTIVE_LOW: Final = 0.1
ADAPTIVE_SPAN: Final = 0.5
ADAPTIVE_SLOPE: Final = 2.0
ADAPTIVE_LONG_QUERY: Final = 50
# How many sampled cosines a model's shipped background counts for: a file of 64 chunks believes
# itself and the model equally.
BACKGROUND_PRIOR: Final = 64
_LEAST_DEVIATION: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Candidates:
    """The union of both legs, completed.

    Attributes:
        ids: Chunk ids, shape (n,).
        cosine: In [-1, 1], shape (n,); NaN where vectors were not asked or a chunk has none yet.
        bm25: Positive, 0 where no informative word occurs, shape (n,).
        vector_rank: From 1, 0 where the vector leg did not list the chunk, shape (n,).
        keyword_rank: The same for the keyword leg.
    """

    ids: IdArray
    cosine: FloatArray
    bm25: FloatArray
    vector_rank: IdArray
    keyword_rank: IdArray

    def at(self, places: IdArray) -> Candidates:
        """Some of them, by their positions."""
        return Candidates(*(getattr(self, field.name)[places] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Background:
    """What cosines of a query with unrelated chunks look like."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Fused:
    """Scores of the candidates, in their order: the sum of their parts.

    Attributes:
        vector_part: From the cosine with the query, shape (n,).
        keyword_part: From the words of the query, shape (n,).
        feedback_part: From the cosine with the best hits, shape (n,); 0 but for ``score``.
        exact_part: For what stands in the chunk to the letter, shape (n,); 0 but for ``score``.
        vector_normalised: The cosine as the strategy used it, shape (n,).
        keyword_normalised: The BM25 as the strategy used it, shape (n,).
        weights: By which the normalised scores were multiplied.
        damping: Part of the keyword weight that depends on the length of the query.
        trust: Part of the keyword weight that depends on the collection's other searches.
        learnt: Part of the keyword weight that was learnt of the collection.
    """

    vector_part: FloatArray
    keyword_part: FloatArray
    feedback_part: FloatArray
    exact_part: FloatArray
    vector_normalised: FloatArray
    keyword_normalised: FloatArray
    weights: Weights
    damping: float = 1.0
    trust: float = 1.0
    learnt: float = 1.0

    def at(self, places: IdArray) -> Fused:
        """The scores of some candidates, by their positions."""
        return replace(
            self,
            vector_part=self.vector_part[places],
            keyword_part=self.keyword_part[places],
            feedback_part=self.feedback_part[places],
            exact_part=self.exact_part[places],
            vector_normalised=self.vector_normalised[places],
            keyword_normalised=self.keyword_normalised[places],
        )

    @property
    def score(self) -> FloatArray:
        """Shape (n,); higher is better."""
        return self.vector_part + self.keyword_part + self.feedback_part + self.exact_part


def background(sampled: FloatArray, *, mean: float, deviation: float) -> Background:
    """Blend the cosines of sampled chunks with what the model ships.

    Args:
        sampled: Cosines of the query with chunks of the file, shape (n,).
        mean: The model's shipped background mean.
        deviation: The model's shipped background deviation.

    Returns:
        Mean and deviation, the shipped ones counting for `BACKGROUND_PRIOR` samples.
    """
    count = len(sampled)
    if count == 0:
        return Background(mean, max(deviation, _LEAST_DEVIATION))
    share = count / (count + BACKGROUND_PRIOR)
    own_mean = float(np.mean(sampled, dtype=np.float64))
    own_variance = float(np.var(sampled, dtype=np.float64))
    variance = share * own_variance + (1 - share) * deviation**2
    return Background(
        share * own_mean + (1 - share) * mean, max(math.sqrt(variance), _LEAST_DEVIATION)
    )


def adaptive_weights(words: QueryWords, frequencies: Sequence[int], chunk_count: int) -> Weights:
    """The weights of the published adaptive method.

    Args:
        words: The query's words.
        frequencies: In how many chunks each informative word occurs.
        chunk_count: Number of chunks in the file.

    Returns:
        Keyword weight ``.1 + .5 * sigmoid(2 * (mean IDF - ln(N) / 2))``, or .1 beyond 50 words.
    """
    if words.length > ADAPTIVE_LONG_QUERY or not words.informative:
        return Weights(1 - ADAPTIVE_LOW, ADAPTIVE_LOW)
    mean = sum(published_idf(chunk_count, df) for df in frequencies) / len(frequencies)
    excess = ADAPTIVE_SLOPE * (mean - math.log(max(chunk_count, 1)) / 2)
    keyword = ADAPTIVE_LOW + ADAPTIVE_SPAN / (1 + math.exp(-excess))
    return Weights(1 - keyword, keyword)


def one_leg(mode: Mode, candidates: Candidates) -> Fused:
    """Score every candidate by the leg that was asked.

    Args:
        mode: ``vector`` or ``keyword``.
        candidates: What it listed.
    """
    nothing = np.zeros(len(candidates.ids), dtype=np.float32)
    if mode == "vector":
        cosine = candidates.cosine
        return Fused(cosine, nothing, nothing, nothing, cosine, nothing, Weights(1.0, 0.0))
    bm25 = candidates.bm25
    return Fused(nothing, bm25, nothing, nothing, nothing, bm25, Weights(0.0, 1.0))


def by_ranks(candidates: Candidates, weights: Weights) -> Fused:
    """Score every candidate by reciprocal rank fusion, ``w_v / (60 + r_v) + w_k / (60 + r_k)``.

    Args:
        candidates: The union of both legs.
        weights: Of the legs: one half each for ``rrf``, those of `adaptive_weights` for
            ``adaptive-rrf``.

    Source: Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual
    Rank Learning Methods", SIGIR 2009, section 2.
    """
    nothing = np.zeros(len(candidates.ids), dtype=np.float32)
    vector = _reciprocal(candidates.vector_rank)
    keyword = _reciprocal(candidates.keyword_rank)
    return Fused(
        np.float32(weights.vector) * vector,
        np.float32(weights.keyword) * keyword,
        nothing,
        nothing,
        vector,
        keyword,
        weights,
    )


def _reciprocal(ranks: IdArray) -> FloatArray:
    reciprocal = np.zeros(len(ranks), dtype=np.float32)
    listed = ranks > 0
    reciprocal[listed] = 1.0 / (RRF_K + ranks[listed])
    return reciprocal
