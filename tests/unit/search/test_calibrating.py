"""Fitting a calibration, and telling how well one holds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vstash.search.calibrating import FOLDS, auroc, cross_validated, fit, held
from vstash.search.relevance import ANY_MODEL, Calibration, relevance

TRUTH = Calibration((2.0, -1.0, 0.5, 3.0, 0.0), -1.0)


def drawn(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features in unlike units, the last the same everywhere, and labels by the true weights."""
    rng = np.random.default_rng(seed)
    found = rng.normal([0.7, 2, -1, 0, 0.4], [0.5, 1, 2, 0.3, 0], (count, 5)).astype(np.float32)
    return found, rng.random(count) < relevance(found, TRUTH)


def test_a_small_case_by_hand() -> None:
    """One feature at -1 and 1, a third and two thirds right: its weight is ln 2 without a prior."""
    found = np.array([[-1], [-1], [-1], [1], [1], [1]], dtype=np.float32)
    labels = np.array([True, False, False, True, True, False])
    flat = Calibration((0.0,), 0.0)
    exact = fit(found, labels, flat, strength=1e-9)
    assert exact.weights == pytest.approx([math.log(2)], abs=1e-6)
    assert exact.intercept == pytest.approx(0, abs=1e-6)
    # With a prior of precision 3 the slope of the loss, 6 (p - 2/3), and its own, 3 w, cancel.
    (weight,) = fit(found, labels, flat, strength=0.5).weights
    assert 6 * (1 / (1 + math.exp(-weight)) - 2 / 3) + 3 * weight == pytest.approx(0, abs=1e-6)


def test_known_weights_are_found_again() -> None:
    """From many rows and a weak prior that knows only the logit in the middle."""
    found, labels = drawn(40_000)
    middle = found.mean(axis=0).astype(np.float64)
    logit = TRUTH.intercept + float(middle @ np.array(TRUTH.weights))
    learnt = fit(found, labels, Calibration((0.0,) * 5, logit), strength=1e-6)
    assert learnt.weights == pytest.approx(TRUTH.weights, abs=0.15)
    assert learnt.intercept == pytest.approx(TRUTH.intercept, abs=0.3)


def test_a_strong_prior_stays() -> None:
    """However many rows speak against it."""
    found, labels = drawn(2_000)
    learnt = fit(found, labels, ANY_MODEL, strength=1e6)
    assert learnt.weights == pytest.approx(ANY_MODEL.weights, abs=1e-3)
    assert learnt.intercept == pytest.approx(ANY_MODEL.intercept, abs=1e-3)


@pytest.mark.parametrize("strength", [1e-3, 0.5, 10])
def test_what_the_prior_keeps(strength: float) -> None:
    """The weight of what never varies, and the logit at the mean features."""
    found, labels = drawn(500)
    learnt = fit(found, labels, ANY_MODEL, strength=strength)
    assert learnt.weights[4] == ANY_MODEL.weights[4]
    middle = found.mean(axis=0).astype(np.float64)

    def logit(calibration: Calibration) -> float:
        return calibration.intercept + float(middle @ np.array(calibration.weights))

    assert logit(learnt) == pytest.approx(logit(ANY_MODEL), abs=1e-4)
    assert learnt.weights[:4] != pytest.approx(ANY_MODEL.weights[:4], abs=1e-3)


@pytest.mark.parametrize("answer", [True, False])
def test_labels_of_one_kind_end_too(*, answer: bool) -> None:
    """Also where they could be told apart without error."""
    found, _ = drawn(60)
    learnt = fit(found, np.full(60, answer), ANY_MODEL)
    assert np.isfinite([*learnt.weights, learnt.intercept]).all()
    apart = fit(found, found[:, 0] > 0.7, ANY_MODEL, strength=1e-6)
    assert np.isfinite([*apart.weights, apart.intercept]).all()


def test_a_probe_is_judged_by_the_others() -> None:
    """Its own labels change nothing of its probabilities, those of another fold do."""
    found, labels = drawn(100)
    groups = np.arange(100) % 50
    before = cross_validated(found, labels, groups, ANY_MODEL)
    changed = labels.copy()
    changed[groups == 3] ^= True
    after = cross_validated(found, changed, groups, ANY_MODEL)
    same = groups % FOLDS == 3
    assert np.array_equal(before[same], after[same])
    assert not np.isclose(before[~same], after[~same]).all()


def test_how_well_by_hand() -> None:
    """Ten bins of one: the mean distance to the labels; the loss is the mean of -ln."""
    probabilities = np.array([0.1] * 5 + [0.8] * 5, dtype=np.float32)
    labels = np.array([False] * 5 + [True] * 4 + [False])
    found = held(probabilities, labels, np.arange(10) >= 5)
    assert found.error == pytest.approx((5 * 0.1 + 4 * 0.2 + 0.8) / 10, abs=1e-6)
    loss = -(5 * math.log(0.9) + 4 * math.log(0.8) + math.log(0.2)) / 10
    assert found.loss == pytest.approx(loss, abs=1e-6)
    assert found.auroc == 1


def test_bins_are_of_many() -> None:
    """Twenty at .5 of which half are right are calibrated, though no single one is."""
    labels = np.arange(20) % 2 == 0
    assert held(np.full(20, 0.5, dtype=np.float32), labels, labels).error == 0


@pytest.mark.parametrize(
    ("higher", "lower", "share"),
    [([1], [0], 1), ([0], [1], 0), ([1], [1], 0.5), ([1, 3], [2, 2], 0.5), ([2, 3], [2, 1], 0.875)],
)
def test_auroc(higher: list[float], lower: list[float], share: float) -> None:
    """The share of pairs in order, ties counting half."""
    assert auroc(np.array(higher, dtype=float), np.array(lower, dtype=float)) == share
