"""Learning a map on query vectors from the fused lists of queries: what both legs know together.

The vector leg is taught to list what the fused list puts first (Hinton, Vinyals and Dean 2015, "Distilling the
Knowledge in a Neural Network", section 2), with the passages as they are: only the query moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.learn.adapter import Adapter

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = ["LIST", "STEPS", "STRENGTHS", "Lessons", "agreement", "fit", "scaled", "targets"]

LIST: Final = 40
"""First candidates of a fused list that are learnt from."""
STRENGTHS: Final = (0.25, 0.5, 0.75, 1.0)
"""Shares of what was learnt that are tried."""
RANK: Final = 32
STEPS: Final = 300
_BATCH: Final = 64
_RATE: Final = 3e-3
_DECAY: Final = 1e-3
# Cosines lie close together: differences of this size are one unit of the softmax.
_TEMPERATURE: Final = 0.05
_FIRST: Final = 10
# Whatever was learnt from: no direction of a query is moved by more than so many times its length, and
# nothing by more than half a length in the same way for all queries.
_MOST_GAIN: Final = 2.0
_MOST_SHIFT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Lessons:
    """What is learnt from.

    Attributes:
        queries: Vectors, shape (n, dimension).
        passages: Vectors of all candidates, shape (m, dimension).
        places: Rows of ``passages`` that each query lists, best first, shape (n, LIST); -1 after the last one
            of a shorter list.
        shares: How likely each of them is the answer, rows that add up to 1, shape (n, LIST).
    """

    queries: FloatArray
    passages: FloatArray
    places: IdArray
    shares: FloatArray


def targets(scores: FloatArray) -> FloatArray:
    """How likely each listed chunk is the answer: the softmax of their fused scores.

    Args:
        scores: Best first, shape (n,); what the list lacks is minus infinity.
    """
    grown = np.exp(scores - scores[0])
    shares: FloatArray = (grown / grown.sum()).astype(np.float32)
    return shares


def fit(
    lessons: Lessons, *, seed: int, step: Callable[[int, int], None] = lambda _done, _of: None
) -> Adapter:
    """Learn a map; before the first step it is the identity.

    Gradients of the cross-entropy between ``shares`` and the softmax of cosines, by Adam with a rate that
    falls to 0 (Kingma and Ba 2015, algorithm 1).

    Args:
        lessons: What is learnt from.
        seed: Of the start and of what each step draws: the same data and seed learn the same.
        step: Told of each step, and of how many.
    """
    rng = np.random.default_rng(seed)
    count, dimension = lessons.queries.shape
    right = rng.normal(0, dimension**-0.5, (RANK, dimension)).astype(np.float32)
    parts = [np.zeros((dimension, RANK), np.float32), right, np.zeros(dimension, np.float32)]
    first = [np.zeros_like(part) for part in parts]
    second = [np.zeros_like(part) for part in parts]
    for number in range(1, STEPS + 1):
        step(number - 1, STEPS)
        chosen = rng.integers(0, count, min(_BATCH, count))
        gradients = _gradients(lessons, chosen, parts)
        rate = _RATE * (1 - number / STEPS)
        for each in zip(parts, gradients, first, second, strict=True):
            _descend(*each, rate=rate, number=number)
    return _bounded(Adapter(*parts))


def _descend(
    part: FloatArray,
    gradient: FloatArray,
    mean: FloatArray,
    square: FloatArray,
    *,
    rate: float,
    number: int,
) -> None:
    """One step of Adam, in place."""
    mean += 0.1 * (gradient - mean)
    square += 0.01 * (gradient * gradient - square)
    root = np.sqrt(square / (1 - 0.99**number)) + 1e-8
    part -= np.float32(rate) * (mean / (1 - 0.9**number)) / root


def _gradients(
    lessons: Lessons, chosen: IdArray, parts: list[FloatArray]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    left, right, shift = parts
    queries = lessons.queries[chosen]
    inner = queries @ right.T
    moved = queries + inner @ left.T + shift
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    unit = moved / length
    places = lessons.places[chosen]
    listed = lessons.passages[places]
    logits = np.matmul(listed, unit[:, :, None])[:, :, 0] / _TEMPERATURE
    logits[places < 0] = -np.inf
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    off = grown / grown.sum(axis=1, keepdims=True) - lessons.shares[chosen]
    off /= _TEMPERATURE * len(chosen)
    by_unit = np.matmul(off[:, None, :], listed)[:, 0]
    by_moved = (by_unit - (by_unit * unit).sum(axis=1, keepdims=True) * unit) / length
    return (
        by_moved.T @ inner + _DECAY * left,
        (by_moved @ left).T @ queries + _DECAY * right,
        by_moved.sum(axis=0),
    )


def _bounded(adapter: Adapter) -> Adapter:
    """The map with both of its parts no larger than they may be."""
    # Of left @ right, whose largest singular value is that of the small product.
    _, upper = np.linalg.qr(adapter.left)
    gain = float(np.linalg.norm(upper @ adapter.right, 2))
    shift = float(np.linalg.norm(adapter.shift))
    return Adapter(
        adapter.left * np.float32(min(1.0, _MOST_GAIN / max(gain, 1e-9))),
        adapter.right,
        adapter.shift * np.float32(min(1.0, _MOST_SHIFT / max(shift, 1e-9))),
    )


def scaled(adapter: Adapter, strength: float) -> Adapter:
    """A share of a map: 0 is the identity, 1 all of it."""
    share = np.float32(strength)
    return Adapter(adapter.left * share, adapter.right, adapter.shift * share)


def agreement(listed: IdArray, fused: IdArray) -> float:
    """How far a leg's first ten are those of the fused list: nDCG@10 with gains 1 / log2(rank + 1).

    Args:
        listed: Chunk ids of the leg, best first.
        fused: Chunk ids of the fused list, best first, at least one.

    Returns:
        In [0, 1].
    """
    discounts = 1 / np.log2(np.arange(2, _FIRST + 2))
    gains = dict(zip(fused[:_FIRST].tolist(), discounts.tolist(), strict=False))
    found = [gains.get(chunk, 0.0) for chunk in listed[:_FIRST].tolist()]
    ideal = float((discounts[: len(gains)] ** 2).sum())
    return float(np.dot(found, discounts[: len(found)]) / ideal)
