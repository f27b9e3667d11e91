"""A fixed set of general questions, by which it is seen whether something learnt forgets the rest."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["GeneralQuestion", "general_questions", "scored"]

_FIRST = 10


class GeneralQuestion(NamedTuple):
    """A question and its answer; the other answers of its topic are easily mistaken for it."""

    topic: str
    query: str
    passage: str


def general_questions() -> tuple[GeneralQuestion, ...]:
    """150 questions of 30 topics."""
    text = files("vstash.learn").joinpath("general.jsonl").read_text(encoding="utf-8")
    return tuple(GeneralQuestion(**json.loads(line)) for line in text.splitlines())


def scored(queries: FloatArray, passages: FloatArray) -> FloatArray:
    """nDCG@10 of each question among all passages, of which its own is the only answer.

    Args:
        queries: Vectors in the order of the questions, shape (n, dimension).
        passages: The same of their answers.

    Returns:
        Shape (n,), in [0, 1].
    """
    cosines = queries @ passages.T
    ranks = (cosines > np.diagonal(cosines)[:, None]).sum(axis=1)
    values: FloatArray = np.where(ranks < _FIRST, 1 / np.log2(ranks + 2.0), 0.0).astype(np.float32)
    return values
