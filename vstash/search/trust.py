"""How far a collection's own searches say that its keywords can be trusted, without any label.

Measured on judged sets (see docs/fusion.md): where the keyword leg singles out its best hit, the best
weight of keywords is high; where the best cosine stands far above the background, it is low.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["LEGS_DEPTH", "UNKNOWN", "Evidence", "Experience", "evidence", "spread"]

# What legs are compared on, however many hits are asked for.
LEGS_DEPTH: Final = 50
# Means over judged sets, which count as much as 4 searches; older searches fade with a window of 256.
_USUAL_GAP: Final = 2.7
_USUAL_BEST: Final = 4.7
_USUAL_AGREED: Final = 0.38
_USUAL_COUNT: Final = 4.0
_FADING: Final = 1 - 1 / 256
# Plateau of a grid fitted leave-one-set-out: 1 to 2 and 1 to 2.5 differ by less than .001 nDCG@10.
_GAP_POWER: Final = 1.5
_BEST_POWER: Final = -1.5
_LEAST: Final = 0.25
_MOST: Final = 3.0
_GAP_RANK: Final = 10
# Fewer candidates say more about the filter than about the collection.
_LEAST_CANDIDATES: Final = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one search tells of its collection.

    Attributes:
        gap: How far the best BM25 stands above the tenth, in spreads.
        best: The best standardised cosine.
        agreed: Whether both legs had the same best chunk.
    """

    gap: float
    best: float
    agreed: bool


@dataclass(frozen=True, slots=True)
class Experience:
    """Fading sums over a collection's searches."""

    count: float
    gap: float
    best: float
    agreed: float

    def after(self, seen: Evidence) -> Experience:
        """The experience with one more search."""
        return Experience(
            self.count * _FADING + 1,
            self.gap * _FADING + seen.gap,
            self.best * _FADING + seen.best,
            self.agreed * _FADING + seen.agreed,
        )

    @property
    def agreement(self) -> float:
        """Share of searches whose legs had the same best chunk, in [0, 1]."""
        return self.agreed / self.count

    @property
    def trust(self) -> float:
        """By what the usual weight of keywords is multiplied, .25 to 3."""
        gap = max(self.gap / self.count, 0.0) / _USUAL_GAP
        best = max(self.best / self.count, 1.0) / _USUAL_BEST
        return float(min(max(gap**_GAP_POWER * best**_BEST_POWER, _LEAST), _MOST))


UNKNOWN: Final = Experience(
    _USUAL_COUNT,
    _USUAL_COUNT * _USUAL_GAP,
    _USUAL_COUNT * _USUAL_BEST,
    _USUAL_COUNT * _USUAL_AGREED,
)
"""What is taken for granted before the first search."""


def spread(bm25: FloatArray) -> float:
    """Standard deviation of BM25 over the candidates; of few, as if others without a word filled up.

    Args:
        bm25: Of the candidates, shape (n,).
    """
    count = max(len(bm25), LEGS_DEPTH)
    values = bm25.astype(np.float64)
    mean = float(values.sum()) / count
    return float(np.sqrt(max(float(values @ values) / count - mean * mean, 0.0)))


def evidence(standardised: FloatArray, bm25: FloatArray) -> Evidence | None:
    """What a search tells of its collection.

    Args:
        standardised: Cosines of the candidates, shape (n,).
        bm25: Their scores, shape (n,).

    Returns:
        None where there are few candidates, or none with a word of the query.
    """
    wide = spread(bm25)
    if len(bm25) < _LEAST_CANDIDATES or wide == 0:
        return None
    descending = np.sort(bm25)[::-1]
    return Evidence(
        float(descending[0] - descending[_GAP_RANK - 1]) / wide,
        float(standardised.max()),
        int(standardised.argmax()) == int(bm25.argmax()),
    )
