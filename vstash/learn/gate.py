"""Whether what was learnt is used: decided on queries that nothing was learnt from or chosen by.

Intervals are those of the bootstrap over queries (Efron and Tibshirani 1993, An Introduction to the Bootstrap,
chapter 13).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.learning import LearningFigure
from vstash.resampling import resampled_means

if TYPE_CHECKING:
    from vstash.learn.tuning import Lean
    from vstash.types import FloatArray

__all__ = [
    "LEAST",
    "LEAST_ANSWERED",
    "LEAST_CLOSED",
    "MOST_FORGOTTEN",
    "MOST_LOST",
    "SURE",
    "Verdict",
    "compared",
    "judge_adapter",
    "judge_answers",
    "judge_lean",
]

LEAST: Final = 40
"""Held-out queries below which nothing is taken."""
LEAST_ANSWERED: Final = 20
"""Held-out queries with known answers below which these say nothing."""
SURE: Final = 1.645
"""Standard errors that two leans must have to the same side: 95 % each, one-sided."""
LEAST_CLOSED: Final = 0.05
"""Of what the vector leg lacks to the fused list, the share that an adapter must close on held-out queries,
where it is not shown that keywords are the better leg; where it is, any gain beyond chance is enough."""
MOST_LOST: Final = 0.003
"""Loss on queries with known answers above which nothing is taken."""
MOST_FORGOTTEN: Final = 0.03
"""Loss of nDCG@10 on the general questions above which an adapter is not taken."""
_BEYOND: Final = 2.0
_RESAMPLES: Final = 10_000
_TAILS: Final = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says, and by which figures."""

    reasons: tuple[str, ...]
    figures: tuple[LearningFigure, ...]
    accepted: bool


def compared(name: str, before: FloatArray, after: FloatArray, *, seed: int) -> LearningFigure:
    """A measure of the same queries before and after, with the interval of their mean difference.

    Args:
        name: What was measured and on which queries.
        before: Of each query, shape (n,), n at least 1.
        after: The same.
        seed: Of what is drawn.
    """
    differences = np.asarray(after, dtype=np.float64) - before
    means = resampled_means(differences[:, None], resamples=_RESAMPLES, seed=seed)
    low, high = np.percentile(means, _TAILS)
    return LearningFigure(
        name,
        len(differences),
        float(np.mean(before)),
        float(np.mean(after)),
        float(low),
        float(high),
    )


def judge_lean(fitted: Lean, held: Lean, factor: float) -> Verdict:
    """Judge a factor that follows from which leg the other one bears out.

    Two sets of queries that have nothing in common must lean to the same side, each beyond chance. What
    follows from both is one number, so that it can follow from all queries.

    Args:
        fitted: On the first of them.
        held: On the second.
        factor: On the weight of keywords, that follows from both.
    """
    deviation = abs(held.mean / held.z) if held.z else 0.0
    figure = LearningFigure(
        "held-out lean to keywords",
        held.queries,
        0.0,
        held.mean,
        held.mean - 1.96 * deviation,
        held.mean + 1.96 * deviation,
    )
    both = f"{fitted.z:+.1f} and {held.z:+.1f} standard errors"
    if min(fitted.queries, held.queries) < LEAST:
        told = (
            f"only {fitted.queries} and {held.queries} queries tell which leg is right more often; it "
            f"takes {LEAST} of each"
        )
    elif min(abs(fitted.z), abs(held.z)) < SURE or fitted.z * held.z < 0:
        told = (
            f"neither leg is right more often beyond chance, as seen from both halves: {both}, where it "
            f"takes {SURE} to the same side"
        )
    elif factor == 1.0:
        told = f"the trust that keywords have here says as much already: {both}"
    else:
        better = "keywords" if held.mean > 0 else "vectors"
        told = (
            f"{better} are right more often, as seen from both halves: {both}; {_counted(factor)}"
        )
        return Verdict((told,), (figure,), accepted=True)
    return Verdict((told,), (figure,), accepted=False)


def judge_answers(figure: LearningFigure, factor: float) -> Verdict:
    """Judge a factor by queries with known answers.

    Args:
        figure: On those that were held out.
        factor: On the weight of keywords.
    """
    told, accepted = _answers(figure)
    told = f"{told}; {_counted(factor)}" if accepted else told
    if factor == 1.0:
        told, accepted = "the built-in weight answers known queries best", False
    return Verdict((told,), (figure,), accepted=accepted)


def _counted(factor: float) -> str:
    return f"keywords count {factor:.2f} times as much"


def _answers(figure: LearningFigure) -> tuple[str, bool]:
    change = f"{figure.after - figure.before:+.4f} ({figure.low:+.4f} to {figure.high:+.4f})"
    if figure.queries < LEAST_ANSWERED:
        return (
            f"only {figure.queries} held-out queries have known answers; it takes {LEAST_ANSWERED}",
            False,
        )
    if figure.low <= 0:
        return f"{figure.name} changed by {change}, {_doubt(figure)}", False
    return f"{figure.name} rose by {change}", True


def _doubt(figure: LearningFigure) -> str:
    """What is wrong with a change of which it is not certain that it is a gain."""
    return "for the worse" if figure.high < 0 else "which may be chance"


def judge_adapter(
    agreed: LearningFigure, found: Lean, general: LearningFigure, known: LearningFigure | None
) -> Verdict:
    """Judge a map of query vectors.

    The vector leg must have come nearer to the fused list on held-out queries: what was learnt is no accident
    of the others. That list must be worth coming near to, which is not its own to say: keywords must not be
    the worse leg, and the less it is shown that they are the better one, the more must be gained; known
    answers must not be lost, and general questions must not be forgotten.

    Args:
        agreed: Agreement of the vector leg with the fused list, held out.
        found: Which leg is borne out more often.
        general: nDCG@10 on the general questions.
        known: A metric on held-out queries with known answers, None where they are few.
    """
    figures = tuple(each for each in (agreed, general, known) if each is not None)
    closed = (agreed.after - agreed.before) / max(1 - agreed.before, 1e-9)
    change = f"{agreed.after - agreed.before:+.4f} ({agreed.low:+.4f} to {agreed.high:+.4f})"
    forgotten = general.before - general.after
    lost = 0.0 if known is None else known.before - known.after
    against = {
        f"only {agreed.queries} held-out queries; it takes {LEAST}": agreed.queries < LEAST,
        f"{agreed.name} changed by {change}, {_doubt(agreed)}": agreed.low <= 0,
        f"of what vectors lack to the fused list it closes {closed:.0%}, where it takes "
        f"{LEAST_CLOSED:.0%} unless keywords are shown to be right more often": closed
        < LEAST_CLOSED
        and found.z < _BEYOND,
        "vectors are right more often than keywords here, which would teach them wrong: "
        f"{found.z:+.1f} standard errors": found.z <= -_BEYOND,
        f"{general.name} fell by {forgotten:.4f}, more than {MOST_FORGOTTEN}": forgotten
        > MOST_FORGOTTEN,
        f"known answers lost {lost:.4f} of their nDCG@10, more than {MOST_LOST}": lost > MOST_LOST,
    }
    refused = tuple(told for told, holds in against.items() if holds)
    if refused:
        return Verdict(refused, figures, accepted=False)
    told = f"{agreed.name} changed by {change}: {closed:.0%} of what vectors lack to the fused list"
    return Verdict((told,), figures, accepted=True)
