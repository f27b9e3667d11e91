"""Intervals and paired differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vstash.errors import EvaluationError
from vstash.evaluation import (
    Evaluation,
    JudgedQuery,
    JudgedSet,
    Run,
    Way,
    compare,
    largest,
)
from vstash.resampling import resampled_means

COUNT = 200


def evaluation(**values: np.ndarray) -> Evaluation:
    """An evaluation with these values of nDCG@10 by way."""
    count = len(next(iter(values.values())))
    queries = tuple(JudgedQuery(f"q{n}", f"query {n}", {"d": 1}) for n in range(count))
    runs = {
        name: Run(Way(name), tuple(("x",) * 3 for _ in queries), {"nDCG@10": row}, {})
        for name, row in values.items()
    }
    return Evaluation(JudgedSet("made", "", queries), 100, runs)


@pytest.fixture(name="noise")
def _noise() -> np.ndarray:
    return np.random.default_rng(7).random(COUNT)


def test_means_have_the_interval_of_theory(noise: np.ndarray) -> None:
    """The 95 % interval of a mean is about 1.96 standard errors to both sides."""
    found = compare(evaluation(rrf=noise))["rrf"]
    interval = found.means["nDCG@10"]
    half = 1.96 * noise.std() / np.sqrt(COUNT)
    assert interval.mean == pytest.approx(noise.mean())
    assert interval.low == pytest.approx(noise.mean() - half, abs=half / 10)
    assert interval.high == pytest.approx(noise.mean() + half, abs=half / 10)
    assert found.against == {}


def test_differences_are_paired(noise: np.ndarray) -> None:
    """A gain that every query shares is sure, however much queries differ among themselves."""
    found = compare(evaluation(rrf=noise, score=noise + 0.01))["score"].against["nDCG@10"]
    assert found.difference.mean == pytest.approx(0.01)
    assert found.difference.low == pytest.approx(0.01)
    assert found.difference.high == pytest.approx(0.01)
    assert found.share_not_above == 0


def test_equal_ways_are_never_above(noise: np.ndarray) -> None:
    """Of two that are the same, the difference is exactly nothing in every resample."""
    found = compare(evaluation(rrf=noise, score=noise.copy()))["score"].against["nDCG@10"]
    assert (found.difference.low, found.difference.high, found.share_not_above) == (0, 0, 1)


def test_a_coin_toss_is_told_as_one(noise: np.ndarray) -> None:
    """Where neither is better, the interval holds 0."""
    other = np.random.default_rng(8).permutation(noise)
    found = compare(evaluation(rrf=noise, score=other))["score"].against["nDCG@10"]
    assert found.difference.low < 0 < found.difference.high
    assert 0.1 < found.share_not_above < 0.9


def test_the_same_seed_draws_the_same(noise: np.ndarray) -> None:
    """Two runs agree to the last digit; another seed differs."""
    made = evaluation(rrf=noise, score=noise**2)
    assert compare(made, seed=3) == compare(made, seed=3)
    assert compare(made, seed=3) != compare(made, seed=4)


def test_blocks_do_not_change_what_a_resample_is() -> None:
    """Every resample draws as many rows as there are, whole rows, over block borders too."""
    rows = np.stack([np.arange(30_000.0), np.arange(30_000.0) * 2, np.ones(30_000)], axis=1)
    found = resampled_means(rows, resamples=300, seed=0)
    assert found.shape == (300, 3)
    np.testing.assert_allclose(found[:, 1], found[:, 0] * 2)
    np.testing.assert_allclose(found[:, 2], 1)
    assert len(set(found[:, 0].tolist())) == 300


def test_what_cannot_be_compared(noise: np.ndarray) -> None:
    """An unknown baseline is told with those that were asked; numbers have their ranges."""
    made = evaluation(rrf=noise)
    with pytest.raises(EvaluationError, match=r"none of the ways that were asked: rrf"):
        compare(made, "score")
    with pytest.raises(EvaluationError, match="resamples"):
        compare(made, resamples=1)
    with pytest.raises(EvaluationError, match="seed"):
        compare(made, seed=-1)


def test_the_largest_gains_and_losses() -> None:
    """Gains from the largest, then losses from the largest, with both ranks; equals are no news."""
    made = evaluation(
        rrf=np.array([0.5, 0.5, 0.5, 0.5, 0.5]), score=np.array([0.6, 0.9, 0.5, 0.1, 0.4])
    )
    ranked = (("d",), ("x", "d"), ("d",), ("x",), ("d",))
    runs = {**made.runs, "score": replace(made.runs["score"], rankings=ranked)}
    made = replace(made, runs=runs)
    found = largest(made, "score", "rrf", 10)
    assert [win.query_id for win in found] == ["q1", "q0", "q3", "q4"]
    assert [(win.rank, win.baseline_rank) for win in found] == [
        (2, None),
        (1, None),
        (None, None),
        (1, None),
    ]
    assert [win.query_id for win in largest(made, "score", "rrf", 1)] == ["q1", "q3"]
