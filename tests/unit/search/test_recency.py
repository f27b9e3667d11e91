"""The part of a score that comes from when its document changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vstash.search.recency import recency


def part(scores: list[float], ages: list[float], half_life: float) -> list[float]:
    """What recency adds."""
    found = recency(np.array(scores, dtype=np.float32), np.array(ages), half_life_days=half_life)
    return [float(value) for value in found]


def test_the_formula() -> None:
    """A quarter of the spread, halved once for each half-life; the future counts as now."""
    assert part([1, 5, 3], [0, 10, 20], 10) == [1.0, 0.5, 0.25]
    assert part([1, 5], [-3, 10], 10) == [1.0, 0.5]


def test_equal_scores_are_told_apart_by_age_alone() -> None:
    """There is no spread to take a quarter of, and the newer one still comes first."""
    assert part([2, 2], [0, 10], 10) == [0.25, 0.125]
    assert part([], [], 10) == []


@pytest.mark.parametrize("scale", [0.016, 1.0, 7.0])
def test_no_scale_weighs_more(scale: float) -> None:
    """Scores of every strategy are moved by the same share of their spread."""
    found = part([0.0, scale], [5.0, 0.0], 5.0)
    assert found == pytest.approx([scale / 8, scale / 4])


@given(
    st.lists(st.floats(0, 1e6), min_size=2, max_size=8),
    st.floats(1e-300, 1e5),
    st.lists(st.floats(-10, 10, width=32), min_size=8, max_size=8),
)
def test_the_newer_never_gets_less(
    ages: list[float], half_life: float, scores: list[float]
) -> None:
    """And nothing is lost, whatever the ages."""
    ages.sort()
    found = part(scores[: len(ages)], ages, half_life)
    assert found == sorted(found, reverse=True)
    assert min(found) >= 0
