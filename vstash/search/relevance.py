"""Relevance: how probable it is that a hit answers the query, from what both legs say of it.

A logistic regression over five features (`features`), fitted on the first hits of judged queries and on
queries that nothing in the corpus answers; docs/relevance.md shows how well it holds on sets
that it was not fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.types import Tier

if TYPE_CHECKING:
    from vstash.search.fusion import Candidates, Fused
    from vstash.types import FloatArray, IdArray, ModelInfo

__all__ = [
    "ABSTAIN_BELOW",
    "ANY_MODEL",
    "FEATURES",
    "Calibration",
    "features",
    "relevance",
    "shipped",
    "tier",
]

FEATURES: Final = ("cosine", "share", "lead", "standing", "agreement")
ABSTAIN_BELOW: Final = 0.17
"""A search whose best hit is less relevant says that it found no answer."""
_HIGH: Final = 0.6
_MEDIUM: Final = 0.3
_STANDING_RANK: Final = 10
# A lone hit leads by no more than this, and no feature is believed beyond what was seen in fitting.
_MOST_LEAD: Final = 3.0
_MOST_STANDING: Final = 8.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression.

    Attributes:
        weights: One for each of `FEATURES`.
        intercept: Added to their sum.
    """

    weights: tuple[float, ...]
    intercept: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Calibration:
        """From the weights with the intercept last, as a model's description and a file keep them."""
        return cls(tuple(values[:-1]), values[-1])


# Fitted as that of the package's model, without the cosine, whose scale is a model's own.
ANY_MODEL: Final = Calibration((0.0, 1.8415, 0.5597, 0.3795, 2.1257), -3.5206)


def shipped(info: ModelInfo) -> Calibration:
    """The calibration that comes with a model, or the one for any."""
    return ANY_MODEL if info.calibration is None else Calibration.of(info.calibration)


def features(
    candidates: Candidates,
    fused: Fused,
    *,
    best: IdArray,
    documents: tuple[str, ...],
    most_bm25: float,
    agreement: float,
) -> FloatArray:
    """What relevance is judged by.

    Args:
        candidates: The completed union of both legs.
        fused: Their scores by the strategy ``score``.
        best: Positions of the best candidates, best first.
        documents: The document of each of them.
        most_bm25: The query's IDFs in all, those of words that occur nowhere included.
        agreement: Share of the collection's searches whose legs had the same best chunk.

    Returns:
        Of every candidate, shape (n, 5): the cosine; the BM25 as a share of ``most_bm25``; by how much
        the best hit leads the best of another document, or by how much another hit falls behind the
        best; how far the standardised cosine stands above the tenth best; the agreement.
    """
    scores, z = fused.score, fused.vector_normalised
    if not len(scores):
        return np.empty((0, len(FEATURES)), dtype=np.float32)
    others = [at for at, owner in enumerate(documents) if owner != documents[0]]
    lead = scores[best[0]] - scores[best[others[0]]] if others else _MOST_LEAD
    behind = scores - scores[best[0]]
    tenth = np.sort(z)[::-1][min(_STANDING_RANK, len(z)) - 1]
    return np.column_stack(
        [
            np.nan_to_num(candidates.cosine),
            candidates.bm25 / max(most_bm25, 1e-6),
            np.where(behind == 0, min(lead, _MOST_LEAD), np.maximum(behind, -_MOST_LEAD)),
            np.clip(z - tenth, -_MOST_STANDING, _MOST_STANDING),
            np.full(len(scores), agreement),
        ]
    ).astype(np.float32)


def relevance(found: FloatArray, calibration: Calibration) -> FloatArray:
    """Probabilities that hits answer the query.

    Args:
        found: Their `features`, shape (n, 5).
        calibration: Of the model.

    Returns:
        Shape (n,), in [0, 1].
    """
    logits = (found * np.array(calibration.weights)).sum(axis=1) + calibration.intercept
    # The logistic function in a form that no logit overflows.
    probabilities: FloatArray = ((1 + np.tanh(logits / 2)) / 2).astype(np.float32)
    return probabilities


def tier(probability: float) -> Tier:
    """The relevance in a word: high from .6, medium from .3.

    Args:
        probability: In [0, 1].
    """
    if math.isnan(probability) or probability < _MEDIUM:
        return "low"
    return "high" if probability >= _HIGH else "medium"
