"""How far keywords count follows from which leg the other one bears out, or from known answers."""

from __future__ import annotations

import numpy as np
import pytest

from vstash.learn.tuning import FACTORS, Lean, best_factor, crossed, factor, lean


def shares(better: float, *, count: int = 400, seed: int = 0) -> list[tuple[float, float]]:
    """Of queries whose first keywords are found by vectors more often than the other way round."""
    rng = np.random.default_rng(seed)
    return [(float(rng.random() < 0.6 + better), float(rng.random() < 0.6)) for _ in range(count)]


def test_crossed() -> None:
    """First chunks of a leg count by rank where the other lists them, however far down."""
    #         chunk:   a  b  c  d  e  f
    vector = np.array([1, 2, 3, 4, 0, 0])
    keyword = np.array([0, 4, 0, 3, 1, 2])
    found = crossed(vector, keyword, 4)
    assert found == pytest.approx(((1 / 3) / (11 / 6), (1 / 2) / (11 / 6)))
    # In a leg that lists fewer it is harder to be listed: the query tells nothing.
    assert crossed(vector, np.array([0, 3, 0, 0, 1, 2]), 4) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_leg_that_is_borne_out_more_often(seed: int) -> None:
    """It counts more; where there is no difference, nothing changes."""
    up, down = lean(shares(0.2, seed=seed)), lean([(b, a) for a, b in shares(0.2, seed=seed)])
    assert up.mean == pytest.approx(-down.mean)
    assert up.z > 3
    assert up.queries == 400
    assert 1.2 < factor(up, 1.0) <= 2
    assert factor(down, 1.0) == pytest.approx(1 / factor(up, 1.0))


def test_chance_moves_nothing() -> None:
    """Within two standard errors the factor is 1, just beyond it is near 1, and it is bounded."""
    assert factor(Lean(0.5, 1.99, 30), 1.0) == 1.0
    assert factor(Lean(0.05, 2.05, 30), 1.0) == pytest.approx(1.0, abs=0.05)
    assert (factor(Lean(5.0, 40.0, 30), 1.0), factor(Lean(-5.0, -40.0, 30), 1.0)) == (2.0, 0.5)
    assert lean([]) == Lean(0.0, 0.0, 0)
    assert lean([(0.0, 0.0)] * 9) == Lean(0.0, 0.0, 9)


def test_what_trust_says_already() -> None:
    """Only what is said beyond it counts, and never against the lean."""
    said = Lean(0.05, 20.0, 900)
    plain = factor(said, 1.0)
    assert factor(said, 1.3) == pytest.approx(plain / 1.3, rel=0.05)
    assert factor(said, 2.5) == 1.0
    assert factor(Lean(-0.05, -20.0, 900), 0.3) == 1.0


def test_known_answers() -> None:
    """The factor that answers best, nearer to 1 the fewer queries say so; of equals the nearest to 1."""
    values = np.zeros((50, len(FACTORS)), dtype=np.float32)
    assert best_factor(values) == 1.0
    values[:, -1] = 1.0
    few, many = best_factor(values[:10]), best_factor(np.tile(values, (40, 1)))
    assert 1.0 < few < best_factor(values) < many < FACTORS[-1]
