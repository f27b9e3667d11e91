"""How sure a mean and a difference of means are: the paired bootstrap over queries.

Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentile intervals);
Sakai 2006, Evaluating evaluation metrics based on the bootstrap (for retrieval).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.errors import EvaluationError
from vstash.resampling import resampled_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.evaluation.run import Evaluation

__all__ = ["Comparison", "Interval", "WayResult", "compare"]

_TAILS: Final = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over queries and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far a way is above the baseline, query by query.

    Attributes:
        difference: Of the means; above 0 the way is better.
        share_not_above: Of resamples in which it is not better, in [0, 1].
    """

    difference: Interval
    share_not_above: float


@dataclass(frozen=True, slots=True)
class WayResult:
    """The means of a way, and its differences to the baseline.

    Attributes:
        means: By metric.
        against: By metric; empty for the baseline itself.
    """

    means: Mapping[str, Interval]
    against: Mapping[str, Comparison]


def compare(
    evaluation: Evaluation, baseline: str = "rrf", *, resamples: int = 10_000, seed: int = 0
) -> dict[str, WayResult]:
    """Intervals of each way's means, and of its differences to a baseline on the same queries.

    Args:
        evaluation: As `evaluate` returned it.
        baseline: The name of a way in it.
        resamples: How many times the queries are drawn anew, 100 to 1,000,000.
        seed: 0 or more; the same seed draws the same.

    Returns:
        By the name of the way.

    Raises:
        EvaluationError: When the baseline was not asked, or a number is out of range.

    Example:
        >>> compare(evaluation)["score"].against["nDCG@10"].difference.mean
        0.012
    """
    if not 100 <= resamples <= 1_000_000 or seed < 0:  # noqa: PLR2004 - the range told
        raise EvaluationError("resamples is 100 to 1,000,000, and seed 0 or more.")
    base = evaluation.run(baseline)
    metrics = tuple(base.values)
    values = np.stack(
        [run.values[metric] for run in evaluation.runs.values() for metric in metrics], axis=1
    )
    differences = values - np.tile(
        np.stack([base.values[metric] for metric in metrics], axis=1), len(evaluation.runs)
    )
    both = np.concatenate([values, differences], axis=1)
    drawn = resampled_means(both, resamples=resamples, seed=seed)
    lows, highs = np.percentile(drawn, _TAILS, axis=0)
    means = both.mean(axis=0)
    shares = (drawn <= 0).mean(axis=0)
    found = {}
    for place, way in enumerate(evaluation.runs):
        at = {metric: place * len(metrics) + row for row, metric in enumerate(metrics)}
        further = values.shape[1]
        found[way] = WayResult(
            {metric: _interval(means, lows, highs, at[metric]) for metric in metrics},
            {
                metric: Comparison(
                    _interval(means, lows, highs, further + at[metric]),
                    float(shares[further + at[metric]]),
                )
                for metric in metrics
                if way != baseline
            },
        )
    return found


def _interval(
    means: NDArray[np.float64],
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
    column: int,
) -> Interval:
    return Interval(float(means[column]), float(lows[column]), float(highs[column]))
