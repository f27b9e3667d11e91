"""The parts of the benchmarks of learning that compute."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from bench.learning.false_negatives import NO_MASK, told
from bench.learning.judged_legs import wilson
from vstash.learn.triples import LegScores, Masks, mine
from vstash.types import LegEntry


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # By hand from Wilson's formula with z = 1.96.
    [(0, 10, 0.0, 0.2775), (1, 10, 0.0179, 0.4042), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)],
)
def test_wilson(count: int, of: int, low: float, high: float) -> None:
    """Known intervals; nothing known says nothing."""
    assert wilson(count, of) == pytest.approx((low, high), abs=2e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_rates() -> None:
    """Counts of one way and one state of the masks, by kind and half."""
    counts = Counter(
        {
            ("search dense_blind_spot", True, "triples", 0): 3,
            ("search dense_blind_spot", True, "false", 0): 1,
            ("search lexical_blind_spot", True, "triples", 1): 1,
            ("search lexical_blind_spot", True, "right", 1): 1,
            ("search dense_blind_spot", False, "triples", 0): 7,
            ("known dense_blind_spot", True, "triples", 0): 9,
        }
    )
    found = told(counts, "search", masked=True)
    assert (found["triples"], found["false"], found["rate"]) == (4, 1, 0.25)
    assert found["positives_right"] == 0.25
    assert found["by_kind"] == {"dense_blind_spot": [1, 3], "lexical_blind_spot": [0, 1]}
    assert found["halves"] == [[1, 3], [0, 1]]


def test_no_mask_holds_nothing() -> None:
    """What every mask would pass over is taken: same document, same vector, higher score."""
    scores = {1: LegScores("a", 0.1, 9.0, 1.0), 2: LegScores("a", 0.9, 0.0, 9.0)}
    given = ([LegEntry(2, 0.9)], [LegEntry(1, 9.0)], scores)
    for masks, count in ((NO_MASK, 2), (Masks(), 0)):
        found = mine(*given, typical_cosine=0.5, likeness=lambda *_: 1.0, masks=masks)
        assert len(found.triples) == count
    assert math.isnan(NO_MASK.fused)
