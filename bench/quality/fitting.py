"""A calibration of relevance, fitted on judged sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vstash.search.relevance import FEATURES, Calibration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.quality.firsts import Gathered

__all__ = ["FOREIGN_WEIGHT", "fitted", "logistic"]

FOREIGN_WEIGHT = 0.2
"""What all foreign queries of a set weigh, where its own weigh 1."""
_PENALTY = 1e-2
_ROUNDS = 100
_CLOSE = 1e-10


def logistic(
    features: NDArray[np.float64],
    outcomes: NDArray[np.float64],
    weights: NDArray[np.float64],
    penalty: float = _PENALTY,
) -> NDArray[np.float64]:
    """A logistic regression with an L2 penalty, by iteratively reweighted least squares.

    Hastie, Tibshirani, Friedman 2009, The Elements of Statistical Learning, 4.4.1. Features are
    standardised before the penalty, which spares the intercept.

    Args:
        features: Shape (n, d).
        outcomes: Shape (n,), 0 or 1.
        weights: Of the rows, shape (n,); only their proportions count.
        penalty: Half of it times the squared coefficients is added to the mean loss.

    Returns:
        Weights of the features as they were given, then the intercept; shape (d + 1,).
    """
    shares = weights / weights.sum()
    mean = shares @ features
    spread = np.sqrt(shares @ (features - mean) ** 2)
    spread[spread < 1e-9] = 1.0  # a feature that never varies gets no weight
    rows = np.column_stack([(features - mean) / spread, np.ones(len(features))])
    ridge = np.append(np.full(features.shape[1], penalty), 0.0)
    found = np.zeros(rows.shape[1])
    for _ in range(_ROUNDS):
        likely = 1 / (1 + np.exp(-(rows @ found)))
        slope = rows.T @ (shares * (outcomes - likely)) - ridge * found
        curve = (rows * (shares * likely * (1 - likely))[:, None]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        found += step
        if np.abs(step).max() < _CLOSE:
            break
    plain = found[:-1] / spread
    return np.append(plain, found[-1] - plain @ mean)


def fitted(sets: Sequence[Gathered], *, hits: int, cosine: bool = True) -> Calibration:
    """Fit on the best documents of every query, and on the best one of foreign queries.

    Args:
        sets: Each counts the same.
        hits: How many documents of a query, 1 to 3.
        cosine: Whether the cosine has a part; else its weight is 0.
    """
    features, outcomes, weights = [], [], []
    for gathered in sets:
        own = np.concatenate([best.features[:hits] for best in gathered.own])
        foreign = np.concatenate([best.features[:1] for best in gathered.foreign])
        labels = np.array([one for label in gathered.labels for one in label[:hits]], dtype=float)
        features += [own, foreign]
        outcomes += [labels, np.zeros(len(foreign))]
        weights += [
            np.full(len(own), 1 / len(own)),
            np.full(len(foreign), FOREIGN_WEIGHT / len(foreign)),
        ]
    used = [place for place, name in enumerate(FEATURES) if cosine or name != "cosine"]
    found = logistic(
        np.concatenate(features).astype(np.float64)[:, used],
        np.concatenate(outcomes),
        np.concatenate(weights),
    )
    values = np.zeros(len(FEATURES) + 1)
    values[[*used, len(FEATURES)]] = found
    return Calibration.of(values.tolist())
