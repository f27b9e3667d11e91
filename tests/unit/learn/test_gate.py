"""The gate takes what held-out queries confirm, and says why it refuses the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vstash.learn.gate import compared, judge_adapter, judge_answers, judge_lean
from vstash.learn.tuning import Lean
from vstash.learning import LearningFigure

AGREED = LearningFigure("agreement", 100, 0.7, 0.75, 0.03, 0.07)
GENERAL = LearningFigure("general", 150, 0.7, 0.7, -0.01, 0.01)
KNOWN = LearningFigure("known", 40, 0.5, 0.52, -0.01, 0.05)
UP = Lean(0.05, 3.0, 200)


def test_an_interval_of_the_mean_difference() -> None:
    """It holds the difference, is the same for the same seed, and narrows with more queries."""
    rng = np.random.default_rng(0)
    before = rng.random(400).astype(np.float32)
    after = before + rng.normal(0.05, 0.2, 400).astype(np.float32)
    figure = compared("x", before, after, seed=1)
    assert figure == compared("x", before, after, seed=1)
    assert figure.low < figure.after - figure.before < figure.high
    few = compared("x", before[:25], after[:25], seed=1)
    assert few.high - few.low > 2 * (figure.high - figure.low)
    assert figure.queries == 400


@pytest.mark.parametrize(
    ("fitted", "held", "told"),
    [
        (UP, replace(UP, z=1.5), "beyond chance"),
        (replace(UP, z=1.5), UP, "beyond chance"),
        (UP, Lean(-0.05, -3.0, 200), "beyond chance"),
        (replace(UP, queries=39), UP, "only 39 and 200"),
        (Lean(0.0, 0.0, 50), Lean(0.0, 0.0, 50), "beyond chance"),
    ],
)
def test_leans_that_prove_nothing(fitted: Lean, held: Lean, told: str) -> None:
    """Both halves must lean to one side; the control does."""
    assert judge_lean(UP, UP, 1.4).accepted
    assert not judge_lean(UP, UP, 1.0).accepted
    refused = judge_lean(fitted, held, 1.4)
    assert not refused.accepted
    assert told in refused.reasons[0]


def test_answers() -> None:
    """An interval above 0, of enough queries, for a factor that changes something."""
    figure = replace(KNOWN, low=0.001)
    assert judge_answers(figure, 1.4).accepted
    assert not judge_answers(figure, 1.0).accepted
    assert not judge_answers(KNOWN, 1.4).accepted
    assert not judge_answers(replace(figure, queries=19), 1.4).accepted


@pytest.mark.parametrize(
    ("agreed", "found", "general", "known", "told"),
    [
        (replace(AGREED, low=-0.01), UP, GENERAL, None, "may be chance"),
        (replace(AGREED, low=-0.2, high=-0.01), UP, GENERAL, None, "for the worse"),
        (replace(AGREED, queries=39), UP, GENERAL, None, "only 39"),
        (replace(AGREED, after=0.71), Lean(0.01, 1.9, 200), GENERAL, None, "closes 3%"),
        (AGREED, Lean(-0.05, -2.5, 200), GENERAL, None, "vectors are right more often"),
        (AGREED, UP, replace(GENERAL, after=0.66), None, "general fell by 0.0400"),
        (AGREED, UP, GENERAL, replace(KNOWN, after=0.49), "known answers lost 0.0100"),
    ],
)
def test_adapters_that_are_refused(
    agreed: LearningFigure,
    found: Lean,
    general: LearningFigure,
    known: LearningFigure | None,
    told: str,
) -> None:
    """Each for one reason, which is said; the control is taken."""
    assert judge_adapter(AGREED, UP, GENERAL, KNOWN).accepted
    assert judge_adapter(replace(AGREED, after=0.71), UP, GENERAL, KNOWN).accepted
    refused = judge_adapter(agreed, found, general, known)
    assert not refused.accepted
    assert len(refused.reasons) == 1
    assert told in refused.reasons[0]
