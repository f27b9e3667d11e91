"""Fusion, compared with values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.unit.search.candidate_rows import NAN, candidates
from vstash.search.fusion import (
    Background,
    Fused,
    adaptive_weights,
    background,
    by_ranks,
    one_leg,
)
from vstash.search.words import QueryWords
from vstash.types import Weights

# Chunk 1 leads the vectors, chunk 2 the keywords, chunk 3 was found by vectors alone.
THREE = candidates((0.9, 4.0, 1, 2), (0.5, 8.0, 3, 1), (0.7, 0.0, 2, 0))


def test_rrf_by_hand() -> None:
    """.5 / (60 + rank) from each leg that lists the chunk."""
    found = by_ranks(THREE, Weights(0.5, 0.5))
    assert found.score.tolist() == pytest.approx(
        [0.5 / 61 + 0.5 / 62, 0.5 / 63 + 0.5 / 61, 0.5 / 62], rel=1e-6
    )
    assert found.weights == Weights(0.5, 0.5)
    assert (found.damping, found.trust) == (1.0, 1.0)
    assert found.feedback_part.tolist() == found.exact_part.tolist() == [0, 0, 0]


def test_adaptive_rrf_by_hand() -> None:
    """N = 1000, df 10 and 100: the mean of ln 100 and ln 10 is 1.5 ln 10, the middle of 0..ln N."""
    # mean - ln(1000)/2 = 1.5 ln 10 - 1.5 ln 10 = 0; sigmoid(0) = .5; keyword = .1 + .5 * .5 = .35
    weights = adaptive_weights(QueryWords(("x", "y"), ("x", "y")), (10, 100), 1000)
    found = by_ranks(THREE, weights)
    assert found.weights == weights
    assert found.weights.keyword == pytest.approx(0.35)
    assert found.weights.vector == pytest.approx(0.65)
    assert found.score.tolist() == pytest.approx(
        [0.65 / 61 + 0.35 / 62, 0.65 / 63 + 0.35 / 61, 0.65 / 62], rel=1e-6
    )


@pytest.mark.parametrize(
    ("frequencies", "words", "keyword"),
    [
        # ln(1000/1) - ln(1000)/2 = 3.4539; 1 / (1 + e^-6.9078) = .999001; .1 + .5 * .999001
        ((1,), 1, 0.5995005),
        # The same for a word that occurs nowhere.
        ((0,), 1, 0.5995005),
        # ln(1) - 3.4539; 1 / (1 + e^6.9078) = .000999; .1 + .5 * .000999
        ((1000,), 1, 0.1004995),
        # (ln 1000 + ln 1) / 2 is the middle: .1 + .25
        ((1, 1000), 2, 0.35),
        # More than 50 tokens: .9 and .1.
        ((1,), 51, 0.1),
        ((1,), 50, 0.5995005),
        # No word to look up.
        ((), 3, 0.1),
    ],
)
def test_adaptive_weights_by_hand(frequencies: tuple[int, ...], words: int, keyword: float) -> None:
    """The published weights at the ends, in the middle, and for long or empty queries."""
    query = QueryWords(("x",) * words, tuple("abc"[: len(frequencies)]))
    weights = adaptive_weights(query, frequencies, 1000)
    assert weights.keyword == pytest.approx(keyword, abs=1e-6)
    assert weights.vector == pytest.approx(1 - keyword, abs=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_adaptive_weights_of_a_tiny_file_are_in_range(count: int) -> None:
    """With no chunk or one, the weights are still between .1 and .6."""
    weights = adaptive_weights(QueryWords(("a",), ("a",)), [count], count)
    assert 0.1 <= weights.keyword <= 0.6


def test_one_leg_scores_by_itself() -> None:
    """In vector and keyword mode the score is the raw one."""
    vector = one_leg("vector", THREE)
    assert vector.score.tolist() == pytest.approx([0.9, 0.5, 0.7])
    assert vector.weights == Weights(1.0, 0.0)
    alone = candidates((NAN, 4.0, 0, 2), (NAN, 8.0, 0, 1))
    keyword = one_leg("keyword", alone)
    assert keyword.score.tolist() == [4, 8]
    assert keyword.weights == Weights(0.0, 1.0)


@pytest.mark.parametrize(
    "fused",
    [
        *(one_leg("vector", candidates()), one_leg("keyword", candidates())),
        by_ranks(candidates(), Weights(0.5, 0.5)),
    ],
)
def test_no_candidates_give_no_scores(fused: Fused) -> None:
    """An empty union is scored without an error."""
    assert fused.score.shape == (0,)


@pytest.mark.parametrize("keyword", [0.0, 0.1, 0.35, 0.5, 1.0])
def test_the_parts_add_up(keyword: float) -> None:
    """Each part is a weight times a normalised rank, and both are the score."""
    found = by_ranks(THREE, Weights(1 - keyword, keyword))
    assert (found.vector_part + found.keyword_part).tolist() == found.score.tolist()
    assert found.vector_part.tolist() == pytest.approx(
        [(1 - keyword) * value for value in found.vector_normalised], rel=1e-6
    )
    assert found.keyword_part.tolist() == pytest.approx(
        [keyword * value for value in found.keyword_normalised], rel=1e-6
    )


def test_some_scores_keep_every_part() -> None:
    """Chosen by position; what holds for all of them stays."""
    found = by_ranks(THREE, Weights(0.25, 0.75))
    some = found.at(np.array([2, 0]))
    assert some.score.tolist() == found.score[[2, 0]].tolist()
    assert some.vector_normalised.tolist() == found.vector_normalised[[2, 0]].tolist()
    assert some.weights == found.weights


def test_the_background_blends_sample_and_model() -> None:
    """64 samples count as much as the model: means are halved, and so are variances."""
    sampled = np.array([0.3, 0.5] * 32, dtype=np.float32)
    found = background(sampled, mean=0.6, deviation=0.2)
    assert found.mean == pytest.approx((0.4 + 0.6) / 2, abs=1e-6)
    assert found.deviation == pytest.approx(math.sqrt((0.1**2 + 0.2**2) / 2), abs=1e-6)


def test_the_background_of_an_empty_file_is_the_models() -> None:
    """Without samples the shipped numbers hold."""
    nothing = np.empty(0, dtype=np.float32)
    assert background(nothing, mean=0.6, deviation=0.2) == Background(0.6, 0.2)


def test_the_background_of_a_large_sample_is_its_own() -> None:
    """Of 576 values the shipped numbers count a tenth."""
    sampled = np.array([0.3, 0.5] * 288, dtype=np.float32)
    found = background(sampled, mean=0.6, deviation=0.2)
    assert found.mean == pytest.approx(0.9 * 0.4 + 0.1 * 0.6, abs=1e-6)
    assert found.deviation == pytest.approx(math.sqrt(0.9 * 0.01 + 0.1 * 0.04), abs=1e-6)


@pytest.mark.parametrize("sampled", [[], [0.5], [0.5] * 100_000])
def test_a_deviation_is_never_zero(sampled: list[float]) -> None:
    """Equal vectors and a model without spread do not divide by zero."""
    found = background(np.array(sampled, dtype=np.float32), mean=0.5, deviation=0.0)
    assert found.deviation >= 1e-3
