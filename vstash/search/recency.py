"""What a search adds to the scores of documents that changed lately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray

__all__ = ["RECENCY_WEIGHT", "recency"]

# A document of this moment gains a quarter of what lies between the best and the worst candidate.
RECENCY_WEIGHT: Final = 0.25


def recency(
    scores: FloatArray, ages_days: NDArray[np.float64], *, half_life_days: float
) -> FloatArray:
    """The part of each score that comes from how lately its document changed.

    ``RECENCY_WEIGHT * spread * 0.5 ** (age / half_life)``, where the spread is the best minus the worst
    score, so that it weighs the same whatever the scale of a strategy; 1 where all scores are equal.

    Args:
        scores: Of all candidates, shape (n,), no NaN.
        ages_days: Shape (n,); what lies in the future counts as 0.
        half_life_days: Above 0; after so many days the part is half as large.

    Returns:
        Shape (n,), 0 or more, and never more for the older of two.

    Example:
        >>> recency(np.array([0, 8]), np.array([0.0, 30.0]), half_life_days=30).tolist()
        [2.0, 1.0]
    """
    spread = float(scores.max() - scores.min()) if len(scores) else 0.0
    with np.errstate(over="ignore"):
        halvings = np.maximum(ages_days, 0.0) / half_life_days
    part = RECENCY_WEIGHT * (spread or 1.0) * np.exp2(-halvings)
    return part.astype(np.float32)
