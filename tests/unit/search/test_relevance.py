"""Relevance, compared with values worked out by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.search.candidate_rows import NAN, candidates
from vstash.search.fusion import Candidates, Fused
from vstash.search.relevance import ANY_MODEL, FEATURES, Calibration, features, relevance, tier
from vstash.types import Weights

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray


def fused(scores: list[float], z: list[float]) -> Fused:
    """Scores with standardised cosines, in parts that do not matter."""
    total, cosine = (np.array(values, dtype=np.float32) for values in (scores, z))
    nothing = np.zeros(len(scores), dtype=np.float32)
    return Fused(total, nothing, nothing, nothing, cosine, nothing, Weights(1.0, 0.4))


def found(
    among: Candidates,
    scores: list[float],
    z: list[float],
    documents: tuple[str, ...],
    *,
    most_bm25: float = 10.0,
    agreement: float = 0.4,
) -> FloatArray:
    """The features, with all candidates among the best."""
    best: IdArray = np.argsort(-np.array(scores), kind="stable").astype(np.int64)
    return features(
        among,
        fused(scores, z),
        best=best,
        documents=documents,
        most_bm25=most_bm25,
        agreement=agreement,
    )


def test_features_by_hand() -> None:
    """The best leads the best of another document, not its own second chunk; others fall behind it."""
    among = candidates((0.5, 4.0, 2, 2), (0.9, 8.0, 1, 1), (0.7, 0.0, 3, 0))
    # The second is the best, the third of the same document, the first of another.
    rows = found(among, [3.0, 5.0, 4.0], [1.0, 4.0, 2.0], ("a", "a", "b"))
    assert rows.shape == (3, len(FEATURES))
    assert rows.ravel().tolist() == pytest.approx(
        [
            *(0.5, 0.4, -2.0, 0.0, 0.4),
            *(0.9, 0.8, 2.0, 3.0, 0.4),
            *(0.7, 0.0, -1.0, 1.0, 0.4),
        ]
    )


@pytest.mark.parametrize(
    ("scores", "documents", "expected"),
    [
        ([9.0], ("a",), [3.0]),
        ([9.0, 8.0], ("a", "a"), [3.0, -1.0]),
        ([9.0, 1.0], ("a", "b"), [3.0, -3.0]),
        ([9.0, 9.0], ("a", "b"), [0.0, 0.0]),
        # What is as good as the best leads by as much.
        ([9.0, 9.0, 8.0], ("a", "a", "b"), [1.0, 1.0, -1.0]),
    ],
)
def test_the_lead_is_at_most_three(
    scores: list[float], documents: tuple[str, ...], expected: list[float]
) -> None:
    """A lone hit, or a lone document, leads by 3."""
    among = candidates(*[(0.5, 0.0, 1, 0)] * len(scores))
    assert found(among, scores, scores, documents)[:, 2].tolist() == expected


def test_the_standing_is_above_the_tenth_best() -> None:
    """Of twelve the tenth is the measure; no more than 8 counts on either side."""
    z = [30.0, *[float(10 - place) for place in range(10)], -20.0]
    rows = found(candidates(*[(0.5, 0.0, 1, 0)] * 12), z, z, tuple("abcdefghijkl"))
    # The tenth of 30, 10, 9, .. 1, -20 is 2.
    assert rows[:, 3].tolist() == [8.0, *[float(8 - place) for place in range(10)], -8.0]


def test_a_chunk_without_a_vector_has_no_cosine() -> None:
    """It counts as 0; a query without an informative word divides by nothing."""
    rows = found(candidates((NAN, 0.0, 0, 0)), [1.0], [0.0], ("a",), most_bm25=0.0)
    assert rows[0, :2].tolist() == [0.0, 0.0]
    assert np.isfinite(rows).all()


def test_no_candidates_have_no_features() -> None:
    """And no relevance."""
    rows = found(candidates(), [], [], ())
    assert rows.shape == (0, 5)
    assert relevance(rows, ANY_MODEL).shape == (0,)


def test_relevance_by_hand() -> None:
    """1 / (1 + e^-x) with x = 1 * .9 - 2 * .5 + .5 * 2 + 0 + 1 * .4 + .2 = 1.5."""
    rows = np.array([[0.9, 0.5, 2.0, 7.0, 0.4], [0.0] * 5], dtype=np.float32)
    made = relevance(rows, Calibration((1.0, -2.0, 0.5, 0.0, 1.0), 0.2))
    assert made.tolist() == pytest.approx([1 / (1 + math.exp(-1.5)), 1 / (1 + math.exp(-0.2))])


def test_relevance_is_a_probability_at_any_size() -> None:
    """Numbers beyond any that occur neither overflow nor leave [0, 1]."""
    rows = np.array([[1e6] * 5, [-1e6] * 5], dtype=np.float32)
    with np.errstate(all="raise"):
        made = relevance(rows, Calibration((1.0,) * 5, 0.0))
    assert made.tolist() == [1.0, 0.0]


def test_a_calibration_is_kept_as_six_numbers() -> None:
    """The intercept is the last."""
    assert Calibration.of([1, 2, 3, 4, 5, 6]) == Calibration((1, 2, 3, 4, 5), 6)


def test_a_model_that_nobody_calibrated_is_judged_without_its_cosines() -> None:
    """Their scale is its own."""
    assert ANY_MODEL.weights[FEATURES.index("cosine")] == 0
    assert len(ANY_MODEL.weights) == len(FEATURES)


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        *((1.0, "high"), (0.6, "high"), (0.5999, "medium"), (0.3, "medium")),
        *((0.2999, "low"), (0.0, "low"), (NAN, "low")),
    ],
)
def test_tiers(probability: float, expected: str) -> None:
    """High from .6, medium from .3."""
    assert tier(probability) == expected
