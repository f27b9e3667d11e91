"""Fitting a calibration to probes, and telling how well one holds on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.search.relevance import Calibration, relevance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray, IdArray

    Labels = NDArray[np.bool_]
    Numbers = NDArray[np.float64]

__all__ = ["FOLDS", "PRIOR_STRENGTH", "Held", "auroc", "cross_validated", "fit", "held"]

PRIOR_STRENGTH: Final = 2.0
"""Precision of the prior of each standardised weight, for each row that is fitted to. It grows with
them since more probes are no more like people's questions: docs/calibrate.md has the figures."""
FOLDS: Final = 5
_STEPS: Final = 50
_STILL: Final = 1e-9
_LEAST_SPREAD: Final = 1e-6
_BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Held:
    """How well probabilities hold.

    Attributes:
        error: Expected calibration error, in [0, 1].
        loss: Mean negative log likelihood in nats.
        auroc: How probably an answered probe is judged more relevant than one left out.
    """

    error: float
    loss: float
    auroc: float


def fit(
    found: FloatArray, labels: Labels, prior: Calibration, *, strength: float = PRIOR_STRENGTH
) -> Calibration:
    """The logistic regression of greatest posterior probability, by Newton's method.

    The prior of each standardised weight is a normal distribution around the given one. The logit
    at the mean features stays what the prior says: probes are answerable half of the time and easier
    than people's questions, so they tell how relevance changes with evidence, not how common it is.

    Args:
        found: Features, shape (n, f), n at least 1.
        labels: Whether each answers, shape (n,).
        prior: What is known without them.
        strength: Precision of the prior for each row, above 0.

    Returns:
        In the features' own units; a feature that never varies keeps its weight.

    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, sections 4.3.3 and 4.4.
    """
    raw = found.astype(np.float64)
    before = np.array(prior.weights, dtype=np.float64)
    middle, spread = raw.mean(axis=0), raw.std(axis=0)
    varies = spread > _LEAST_SPREAD
    x = (raw[:, varies] - middle[varies]) / spread[varies]
    centre = before[varies] * spread[varies]
    offset = prior.intercept + float(middle @ before)
    weights = before.copy()
    precision = strength * len(labels)
    taught = _newton(x, labels.astype(np.float64), centre, offset, precision)
    weights[varies] = taught / spread[varies]
    return Calibration(tuple(map(float, weights)), offset - float(middle @ weights))


def _newton(
    x: Numbers, labels: Numbers, centre: Numbers, offset: float, precision: float
) -> Numbers:
    """Minimise loss + precision / 2 * |weights - centre|^2, halving steps that would raise it."""
    weights: Numbers = centre.copy()
    before = _objective(x, labels, weights, centre, offset, precision)
    for _ in range(_STEPS):
        probabilities = 1 / (1 + np.exp(-(x @ weights + offset)))
        gradient = x.T @ (probabilities - labels) + precision * (weights - centre)
        curvature = (x * (probabilities * (1 - probabilities))[:, None]).T @ x
        step = np.linalg.solve(curvature + precision * np.eye(len(centre)), gradient)
        after = _objective(x, labels, weights - step, centre, offset, precision)
        while after > before and np.abs(step).max(initial=0) > _STILL:
            step /= 2
            after = _objective(x, labels, weights - step, centre, offset, precision)
        weights -= step
        before = after
        if np.abs(step).max(initial=0) <= _STILL:
            break
    return weights


def _objective(
    x: Numbers, labels: Numbers, weights: Numbers, centre: Numbers, offset: float, precision: float
) -> float:
    logits = x @ weights + offset
    loss = np.logaddexp(0, logits) - labels * logits
    away = weights - centre
    return float(loss.sum() + precision / 2 * (away @ away))


def cross_validated(
    found: FloatArray, labels: Labels, groups: IdArray, prior: Calibration
) -> FloatArray:
    """Probabilities of each row by a calibration that was fitted without the rows of its fold.

    Args:
        found: Features, shape (n, f).
        labels: Shape (n,).
        groups: Number of each row's probe, shape (n,): its rows are in one fold.
        prior: As in `fit`.

    Returns:
        Shape (n,).
    """
    probabilities = np.empty(len(labels), dtype=np.float32)
    for fold in range(FOLDS):
        out = groups % FOLDS == fold
        if out.any():
            probabilities[out] = relevance(found[out], fit(found[~out], labels[~out], prior))
    return probabilities


def held(probabilities: FloatArray, labels: Labels, answerable: Labels) -> Held:
    """Tell how well probabilities hold on labels.

    Args:
        probabilities: Shape (n,), in (0, 1).
        labels: Whether each answers, shape (n,).
        answerable: Whether each could, shape (n,).

    Returns:
        The calibration error over ten equally large bins (Naeini et al. 2015), the loss, and the
        AUROC of answerable ones against the others.
    """
    p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    order = np.argsort(p, kind="stable")
    error = sum(
        len(part) * abs(float(p[part].mean()) - float(labels[part].mean()))
        for part in np.array_split(order, min(_BINS, len(order)))
    ) / len(p)
    loss = -float(np.where(labels, np.log(p), np.log1p(-p)).mean())
    return Held(error, loss, auroc(p[answerable], p[~answerable]))


def auroc(higher: Numbers, lower: Numbers) -> float:
    """Share of pairs in which the first is the greater, ties counting half.

    Args:
        higher: Shape (n,), n at least 1.
        lower: Shape (m,), m at least 1.

    Source: Mann and Whitney, "On a test of whether one of two random variables is stochastically
    larger than the other", 1947.
    """
    ascending = np.sort(lower)
    below = np.searchsorted(ascending, higher, side="left")
    upto = np.searchsorted(ascending, higher, side="right")
    return float((below + upto).mean() / (2 * len(lower)))
