"""A map of query vectors learns what lists have in common, stays small, and begins as the identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from vstash.learn.adapter import Adapter
from vstash.learn.adapting import LIST, Lessons, agreement, fit, scaled, targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray

DIMENSION = 48


def unit(rows: NDArray[np.float64]) -> FloatArray:
    """Rows of length 1."""
    found: FloatArray = (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)
    return found


def world(seed: int, *, shuffled: bool = False) -> tuple[Lessons, FloatArray]:
    """Queries that lie beside what answers them by one and the same turn, and unseen ones."""
    rng = np.random.default_rng(seed)
    passages = unit(rng.normal(size=(600, DIMENSION)))
    turn = np.eye(DIMENSION) + np.outer(*rng.normal(size=(2, DIMENSION))) / 4
    queries = unit(passages @ turn.T + 0.05 * rng.normal(size=passages.shape))
    ideal = np.argsort(-(passages[:400] @ passages.T), axis=1)[:, :LIST]
    scores = np.take_along_axis(passages[:400] @ passages.T, ideal, axis=1) * 10
    shares = np.stack([targets(row) for row in scores])
    if shuffled:
        ideal = ideal[rng.permutation(400)]
    return Lessons(queries[:400], passages, ideal, shares), queries[400:]


def found(adapter: Adapter | None, queries: FloatArray, passages: FloatArray) -> float:
    """Share of the last queries whose own passage is the nearest of all."""
    mapped = queries if adapter is None else np.stack([adapter.apply(each) for each in queries])
    own = np.arange(len(passages) - len(queries), len(passages))
    return float((np.argmax(mapped @ passages.T, axis=1) == own).mean())


def test_learns_what_lists_have_in_common() -> None:
    """Unseen queries come nearer to their answers; with lists of other queries, the control, they do not."""
    lessons, queries = world(1)
    before = found(None, queries, lessons.passages)
    assert found(fit(lessons, seed=0), queries, lessons.passages) > before + 0.1
    shuffled, queries = world(1, shuffled=True)
    assert found(fit(shuffled, seed=0), queries, lessons.passages) <= before


def test_the_same_data_and_seed_learn_the_same() -> None:
    """To the bit; another seed learns another map."""
    lessons, _ = world(2)
    first = fit(lessons, seed=3).packed()
    assert fit(lessons, seed=3).packed() == first
    assert fit(lessons, seed=4).packed() != first


def test_what_a_shorter_list_lacks_counts_nothing() -> None:
    """Two lists of 8 teach the same, whatever passage lies where they are filled up."""
    lessons, _ = world(5)
    places = lessons.places.copy()
    places[:, 8:] = -1
    shares = lessons.shares.copy()
    shares[:, 8:] = 0
    shares /= shares.sum(axis=1, keepdims=True)
    maps = []
    for last in (lessons.passages[0], -lessons.passages[0]):
        passages = np.concatenate([lessons.passages, last[None]])
        maps.append(fit(Lessons(lessons.queries, passages, places, shares), seed=0).packed())
    assert maps[0] == maps[1]
    full = np.where(places < 0, 600, places)
    filled = fit(Lessons(lessons.queries, passages, full, shares), seed=0).packed()
    assert filled != maps[0], "the control: a passage in its place is learnt from"


def test_a_share_of_it() -> None:
    """None of it is the identity; half of it moves half as far."""
    lessons, queries = world(3)
    adapter = fit(lessons, seed=0)
    for query in queries[:5]:
        np.testing.assert_allclose(scaled(adapter, 0).apply(query), query, atol=1e-6)
    moved = adapter.left @ (adapter.right @ queries[0]) + adapter.shift
    half = scaled(adapter, 0.5)
    np.testing.assert_allclose(
        half.left @ (half.right @ queries[0]) + half.shift, moved / 2, atol=1e-6
    )


def test_bounded() -> None:
    """However far lists pull, no direction is moved further than twice its length."""
    lessons, _ = world(4)
    far = Lessons(
        lessons.queries,
        lessons.passages,
        np.zeros((400, LIST), np.int64),
        np.eye(LIST, dtype=np.float32)[np.zeros(400, np.int64)],
    )
    adapter = fit(far, seed=0)
    assert np.linalg.norm(adapter.left @ adapter.right, 2) <= 2 + 1e-4
    assert np.linalg.norm(adapter.shift) <= 0.5 + 1e-4


def test_agreement() -> None:
    """1 for the same first ten, 0 for none of them, and less for a worse order."""
    fused = np.arange(12)
    assert agreement(fused, fused) == pytest.approx(1.0)
    assert agreement(fused[::-1].copy() + 50, fused) == 0.0
    assert 0 < agreement(fused[:10][::-1].copy(), fused) < 1
    assert agreement(np.array([7]), np.array([7])) == pytest.approx(1.0)
