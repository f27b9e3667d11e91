"""Fusion, compared with values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vstash.search.fusion import (
    Background,
    Candidates,
    Fused,
    adaptive_weights,
    background,
    damping,
    fuse,
)
from vstash.search.words import QueryWords
from vstash.types import Mode, StrategyName, Weights

NAN = float("nan")


def candidates(
    *rows: tuple[float, float, int, int],
) -> Candidates:
    """Rows of cosine, BM25, vector rank, keyword rank, under ids 1, 2, 3."""
    return Candidates(
        ids=np.arange(1, len(rows) + 1, dtype=np.int64),
        cosine=np.array([row[0] for row in rows], dtype=np.float32),
        bm25=np.array([row[1] for row in rows], dtype=np.float32),
        vector_rank=np.array([row[2] for row in rows], dtype=np.int64),
        keyword_rank=np.array([row[3] for row in rows], dtype=np.int64),
    )


# Chunk 1 leads the vectors, chunk 2 the keywords, chunk 3 was found by vectors alone.
THREE = candidates((0.9, 4.0, 1, 2), (0.5, 8.0, 3, 1), (0.7, 0.0, 2, 0))


def fused(
    mode: Mode = "hybrid",
    strategy: StrategyName = "score",
    *,
    among: Candidates = THREE,
    words: int = 2,
    frequencies: tuple[int, ...] = (10, 100),
    chunk_count: int = 1000,
) -> Fused:
    """Fuse with a background of mean .5 and deviation .1."""
    informative = tuple(f"w{number}" for number in range(len(frequencies)))
    return fuse(
        mode,
        strategy,
        among,
        words=QueryWords(("x",) * words, informative),
        frequencies=frequencies,
        chunk_count=chunk_count,
        background=Background(0.5, 0.1),
    )


def test_score_by_hand() -> None:
    """Standardised cosine plus 2 * bm25 / best: 4 + 2*4/8, 0 + 2*8/8, 2 + 0."""
    found = fused()
    assert found.score.tolist() == pytest.approx([4 + 1, 0 + 2, 2 + 0], abs=1e-5)
    assert found.vector_normalised.tolist() == pytest.approx([4, 0, 2], abs=1e-5)
    assert found.keyword_normalised.tolist() == pytest.approx([0.5, 1, 0])
    assert (found.weights, found.damping) == (Weights(1.0, 2.0), 1.0)


def test_score_is_damped_in_long_queries() -> None:
    """Of 48 words keywords count sqrt(12 / 48) = .5: 4 + .5, 0 + 1, 2 + 0."""
    found = fused(words=48)
    assert found.damping == 0.5
    assert found.score.tolist() == pytest.approx([4.5, 1, 2], abs=1e-5)
    assert found.weights == Weights(1.0, 1.0)


def test_score_without_a_keyword_match_is_the_vectors_alone() -> None:
    """Where no word occurs the keyword weight is 0, and nothing is divided by zero."""
    found = fused(among=candidates((0.9, 0.0, 1, 0), (0.7, 0.0, 2, 0)))
    assert found.score.tolist() == pytest.approx([4, 2], abs=1e-5)
    assert found.weights == Weights(1.0, 0.0)


@pytest.mark.parametrize(
    ("words", "expected"),
    [(0, 1.0), (1, 1.0), (12, 1.0), (13, math.sqrt(12 / 13)), (48, 0.5), (1200, 0.1)],
)
def test_damping_by_hand(words: int, expected: float) -> None:
    """min(1, sqrt(12 / words))."""
    assert damping(words) == pytest.approx(expected)


def test_rrf_by_hand() -> None:
    """.5 / (60 + rank) from each leg that lists the chunk."""
    found = fused(strategy="rrf")
    assert found.score.tolist() == pytest.approx(
        [0.5 / 61 + 0.5 / 62, 0.5 / 63 + 0.5 / 61, 0.5 / 62], rel=1e-6
    )
    assert found.weights == Weights(0.5, 0.5)
    assert found.damping == 1.0


def test_adaptive_rrf_by_hand() -> None:
    """N = 1000, df 10 and 100: the mean of ln 100 and ln 10 is 1.5 ln 10, the middle of 0..ln N."""
    # mean - ln(1000)/2 = 1.5 ln 10 - 1.5 ln 10 = 0; sigmoid(0) = .5; keyword = .1 + .5 * .5 = .35
    found = fused(strategy="adaptive-rrf")
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


@pytest.mark.parametrize("strategy", ["score", "rrf", "adaptive-rrf"])
def test_one_leg_scores_by_itself(strategy: StrategyName) -> None:
    """In vector and keyword mode the score is the raw one, whatever the strategy."""
    vector = fused("vector", strategy)
    assert vector.score.tolist() == pytest.approx([0.9, 0.5, 0.7])
    assert vector.weights == Weights(1.0, 0.0)
    alone = candidates((NAN, 4.0, 0, 2), (NAN, 8.0, 0, 1))
    keyword = fused("keyword", strategy, among=alone)
    assert keyword.score.tolist() == [4, 8]
    assert keyword.weights == Weights(0.0, 1.0)


@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
@pytest.mark.parametrize("strategy", ["score", "rrf", "adaptive-rrf"])
def test_no_candidates_give_no_scores(mode: Mode, strategy: StrategyName) -> None:
    """An empty union is scored without an error."""
    assert fused(mode, strategy, among=candidates()).score.shape == (0,)


@pytest.mark.parametrize("strategy", ["score", "rrf", "adaptive-rrf"])
def test_the_parts_add_up(strategy: StrategyName) -> None:
    """The vector part and the keyword part are the score."""
    found = fused(strategy=strategy)
    assert (found.vector_part + found.keyword_part).tolist() == found.score.tolist()
    assert found.vector_part.tolist() == pytest.approx(
        [found.weights.vector * value for value in found.vector_normalised], rel=1e-6
    )


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
