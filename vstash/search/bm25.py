"""BM25 over packed postings: the exact score of every chunk that holds a word of the query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.search.words import idf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray, IdArray

__all__ = ["BM25_B", "BM25_K1", "Term", "best", "bm25", "either", "term"]

# Measured on seven judged sets; FTS5's own are 1.2 and .75.
BM25_K1: Final = 0.9
BM25_B: Final = 0.4
# The best of each block say what the best of all are at least.
_BLOCK: Final = 64


@dataclass(frozen=True, slots=True)
class Term:
    """What a word adds to the score of each chunk that holds it, but for its IDF.

    Attributes:
        ids: Chunk ids, shape (n,), each once.
        gains: Shape (n,).
    """

    ids: IdArray
    gains: FloatArray


def term(ids: IdArray, counts: NDArray[np.uint8], lengths: NDArray[np.uint16], mean: float) -> Term:
    """Weigh where a word occurs: ``f * (k1 + 1) / (f + k1 * (1 - b + b * l / mean))``.

    Args:
        ids: Chunk ids, shape (n,).
        counts: How often the word occurs there (f), shape (n,).
        lengths: Words in each of these chunks (l), at least 1, shape (n,).
        mean: Mean length of the file's chunks.
    """
    gains = counts.astype(np.float32)
    norm = lengths.astype(np.float32)
    norm *= np.float32(BM25_K1 * BM25_B / mean)
    norm += np.float32(BM25_K1 * (1 - BM25_B))
    norm += gains
    gains *= np.float32(BM25_K1 + 1)
    gains /= norm
    return Term(ids, gains)


def either(terms: Sequence[Term]) -> Term:
    """Several forms of one word as one term: a chunk gains by the form that gains it most.

    Args:
        terms: At least one.
    """
    if len(terms) == 1:
        return terms[0]
    ids, places = np.unique(np.concatenate([found.ids for found in terms]), return_inverse=True)
    gains = np.zeros(len(ids), dtype=np.float32)
    np.maximum.at(gains, places, np.concatenate([found.gains for found in terms]))
    return Term(ids, gains)


def bm25(terms: Sequence[Term], weights: Sequence[int], *, size: int, count: int) -> FloatArray:
    """Score every chunk of a file for some words: the sum of ``q * idf * gain`` over them.

    Args:
        terms: One for each word.
        weights: How often each word occurs in the query (q).
        size: More than the highest chunk id.
        count: Number of chunks.

    Returns:
        Scores by chunk id, shape (size,), 0 where no word occurs.

    Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009,
    section 3.1.
    """
    scores = np.zeros(size, dtype=np.float32)
    for found, weight in zip(terms, weights, strict=True):
        scores[found.ids] += found.gains * np.float32(weight * idf(count, len(found.ids)))
    return scores


def best(scores: FloatArray, depth: int, allowed: IdArray | None) -> IdArray:
    """The chunks with the highest scores.

    Args:
        scores: By chunk id, shape (n,), 0 where no word occurs.
        depth: At most this many.
        allowed: Chunk ids below n that may be returned, None for all.

    Returns:
        Chunk ids of positive score, best first; ties by id.
    """
    if allowed is None:
        ids = np.flatnonzero(scores >= _floor(scores, depth)).astype(np.int64)
    else:
        ids = allowed[scores[allowed] > 0]
    found = scores[ids]
    if len(ids) > depth:
        # All that tie with the last one stay in, for the ids to decide.
        last = np.partition(found, len(ids) - depth)[len(ids) - depth]
        ids, found = ids[found >= last], found[found >= last]
    return ids[np.lexsort((ids, -found))[:depth]]


def _floor(scores: FloatArray, depth: int) -> float:
    """A positive score that the best ``depth`` reach, if so many are positive."""
    least = float(np.finfo(np.float32).tiny)
    blocks = len(scores) // _BLOCK
    if blocks <= depth:
        return least
    tops = scores[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1)
    return max(float(np.partition(tops, blocks - depth)[blocks - depth]), least)
