"""Trust in keywords, compared with values worked out by hand."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
import pytest

from vstash.search.trust import UNKNOWN, Evidence, Experience, evidence, spread


def array(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Of float32."""
    return np.array(values, dtype=np.float32)


def test_the_spread_of_few_candidates_is_that_of_fifty() -> None:
    """4, 8 and 47 zeros: sqrt(80 / 50 - (12 / 50)^2)."""
    assert spread(array(4, 8)) == pytest.approx(math.sqrt(1.6 - 0.24**2))
    assert spread(array(4, 8)) == pytest.approx(np.std([4, 8, *[0] * 48]))
    assert spread(array(4, 8, 0, 0, 0)) == spread(array(4, 8))


def test_the_spread_of_many_is_their_own() -> None:
    """Beyond 50 nothing is filled up."""
    values = array(*range(80))
    assert spread(values) == pytest.approx(float(np.std(values, dtype=np.float64)))
    assert spread(array(*[3.0] * 80)) == 0


@pytest.mark.parametrize("values", [(), (0.0,), (0.0,) * 60])
def test_no_word_has_no_spread(values: tuple[float, ...]) -> None:
    """Nothing and nothing but zeros spread by 0."""
    assert spread(array(*values)) == 0


def test_evidence_by_hand() -> None:
    """Of 1 to 20 the best stands 9 above the tenth; 30 zeros fill up the spread."""
    bm25 = array(*range(1, 21))
    wide = math.sqrt(2870 / 50 - (210 / 50) ** 2)
    z = array(*[0.5] * 19, 3.0)
    found = evidence(z, bm25)
    assert found is not None
    assert found.gap == pytest.approx(9 / wide)
    assert (found.best, found.agreed) == (3.0, True)
    other = evidence(z[::-1].copy(), bm25)
    assert other == Evidence(found.gap, 3.0, agreed=False)


@pytest.mark.parametrize("count", [0, 1, 19])
def test_few_candidates_tell_nothing(count: int) -> None:
    """They say more about the filter."""
    assert evidence(array(*[1.0] * count), array(*range(count))) is None


def test_candidates_without_a_word_tell_nothing() -> None:
    """Where no word of the query occurs, there is no gap."""
    assert evidence(array(*range(30)), array(*[0.0] * 30)) is None


def test_the_unknown_is_trusted_as_usual() -> None:
    """Before the first search keywords count by their usual weight, and the legs agree in .38."""
    assert UNKNOWN.trust == 1.0
    assert UNKNOWN.agreement == pytest.approx(0.38)


def test_experience_fades() -> None:
    """Each search takes a 256th of what was known; the first ones weigh against 4 usual ones."""
    kept = 255 / 256
    once = UNKNOWN.after(Evidence(5.0, 3.0, agreed=True))
    assert once.count == pytest.approx(4 * kept + 1)
    assert once.gap == pytest.approx(4 * 2.7 * kept + 5)
    assert once.best == pytest.approx(4 * 4.7 * kept + 3)
    assert once.agreed == pytest.approx(4 * 0.38 * kept + 1)
    twice = once.after(Evidence(1.0, 6.0, agreed=False))
    assert twice.gap == pytest.approx((4 * 2.7 * kept + 5) * kept + 1)
    assert twice.agreement == pytest.approx(
        (4 * 0.38 * kept + 1) * kept / ((4 * kept + 1) * kept + 1)
    )


def test_experience_forgets() -> None:
    """After thousands of searches it is as long as its window and knows only the latest kind."""
    first = reduce(Experience.after, [Evidence(9.0, 2.0, agreed=True)] * 3000, UNKNOWN)
    assert first.count == pytest.approx(256, rel=1e-4)
    then = reduce(Experience.after, [Evidence(1.0, 7.0, agreed=False)] * 3000, first)
    assert (then.gap / then.count, then.best / then.count) == pytest.approx((1.0, 7.0), rel=1e-3)
    assert then.agreement == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(
    ("gap", "best", "expected"),
    [
        (2.7, 4.7, 1.0),
        # 2^1.5
        (5.4, 4.7, 2.828427),
        # 2^-1.5
        (2.7, 9.4, 0.353553),
        # To the power of 1.5: 1.5 by 1.25.
        (4.05, 5.875, 1.314534),
        # The ends of the scale.
        (27.0, 4.7, 3.0),
        (2.7, 47.0, 0.25),
        (0.0, 4.7, 0.25),
        (-1.0, 4.7, 0.25),
        # A best cosine below the background's deviation counts as 1: (.54 / 2.7)^1.5 * 4.7^1.5
        (0.54, -3.0, 0.911362),
    ],
)
def test_trust_by_hand(gap: float, best: float, expected: float) -> None:
    """(gap / 2.7)^1.5 * (best / 4.7)^-1.5, from .25 to 3, whatever the number of searches."""
    for count in (1.0, 7.0):
        found = Experience(count, count * gap, count * best, 0.0)
        assert found.trust == pytest.approx(expected, rel=1e-5)
