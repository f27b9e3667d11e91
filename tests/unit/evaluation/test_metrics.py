"""Metrics against values computed by hand."""

from __future__ import annotations

import sys
from math import log2

import pytest

from vstash.errors import ExtraMissingError
from vstash.evaluation import METRICS, JudgedQuery, first_relevant
from vstash.evaluation.metrics import measured

GRADED = JudgedQuery("q", "?", {"a": 2, "b": 1, "c": 1, "z": 0})
# Relevant at ranks 2 (grade 1), 4 (grade 2) and 12 (grade 1).
RANKING = ("x1", "b", "z", "a", *(f"x{number}" for number in range(5, 12)), "c")


def test_the_values_are_those_of_a_hand_calculation() -> None:
    """The nDCG with linear gains, recall at two depths, reciprocal rank, average precision."""
    found = {name: float(row[0]) for name, row in measured([GRADED], [RANKING], depth=100).items()}
    gains = 1 / log2(3) + 2 / log2(5)
    ideal = 2 / log2(2) + 1 / log2(3) + 1 / log2(4)
    assert found == pytest.approx(
        {
            "nDCG@10": gains / ideal,
            "recall@10": 2 / 3,
            "recall@100": 1.0,
            "MRR@10": 1 / 2,
            "MAP@100": (1 / 2 + 2 / 4 + 3 / 12) / 3,
        }
    )
    assert set(found) == set(METRICS)


def test_each_query_has_its_own_value() -> None:
    """Values are in the order of the queries; an empty ranking is worth nothing."""
    single = JudgedQuery("p", "?", {"d": 1})
    found = measured([GRADED, single, single], [(), ("d",), ("e", "d")], depth=100)
    assert found["MRR@10"].tolist() == [0.0, 1.0, 0.5]
    assert found["nDCG@10"].tolist() == pytest.approx([0.0, 1.0, 1 / log2(3)])


def test_what_stands_below_a_cut_does_not_count() -> None:
    """Rank 11 is outside of every metric at 10."""
    query = JudgedQuery("p", "?", {"d": 1})
    ranking = (*(f"x{number}" for number in range(10)), "d")
    found = measured([query], [ranking], depth=100)
    assert [found[name][0] for name in ("nDCG@10", "recall@10", "MRR@10")] == [0, 0, 0]
    assert found["recall@100"][0] == 1


def test_metrics_deeper_than_the_rankings_are_left_out() -> None:
    """At depth 50 nothing is said of recall at 100."""
    assert set(measured([GRADED], [RANKING], depth=50)) == {"nDCG@10", "recall@10", "MRR@10"}


def test_the_first_relevant_rank() -> None:
    """Grade 0 is not relevant."""
    assert first_relevant(GRADED, RANKING) == 2
    assert first_relevant(GRADED, ("z", "x")) is None


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(ExtraMissingError, match=r"pip install 'vstash\[eval\]'"):
        measured([GRADED], [RANKING], depth=100)
