"""What of an ordered list is returned: near-duplicates folded, one chunk a document, or MMR's choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray, Mmr

__all__ = ["NEAR_DUPLICATE", "chosen_by_mmr", "collapsed", "folded"]

# Two passages whose vectors are this near say the same.
NEAR_DUPLICATE: Final = 0.98


def folded(vectors: FloatArray, texts: Sequence[str]) -> IdArray:
    """For each chunk of a list the better one that says the same.

    Args:
        vectors: Best chunk first, shape (n, dimension), of length 1; a row of zeros for a chunk
            without a vector.
        texts: Of the same chunks.

    Returns:
        Shape (n,): the place of the first kept chunk whose text is equal or whose cosine is at
        least `NEAR_DUPLICATE`, or the chunk's own place where there is none: those are kept.

    Example:
        >>> folded(np.array([[1, 0], [0, 1], [1, 0]]), ["a", "b", "c"]).tolist()
        [0, 1, 0]
    """
    kept = np.empty(len(texts), dtype=np.int64)
    count = 0
    first_with: dict[str, int] = {}
    into = np.arange(len(texts), dtype=np.int64)
    for place, text in enumerate(texts):
        better = first_with.get(text, place)
        near = np.flatnonzero(vectors[kept[:count]] @ vectors[place] >= NEAR_DUPLICATE)
        if len(near):
            better = min(better, int(kept[near[0]]))
        into[place] = better
        if better == place:
            kept[count] = place
            count += 1
            first_with[text] = place
    return into


def collapsed(documents: Sequence[str]) -> IdArray:
    """For each chunk of a list the best one of its document.

    Args:
        documents: Document of each chunk, best chunk first.

    Returns:
        Shape (n,): the place of the document's first chunk.

    Example:
        >>> collapsed(["a", "b", "a"]).tolist()
        [0, 1, 0]
    """
    first: dict[str, int] = {}
    found = [first.setdefault(document, place) for place, document in enumerate(documents)]
    return np.array(found, dtype=np.int64)


def chosen_by_mmr(
    relevance: FloatArray,
    vectors: FloatArray,
    documents: Sequence[str],
    *,
    k: int,
    among: Mmr,
    trade: float,
) -> IdArray:
    """Maximal marginal relevance: each next chunk is relevant and unlike those before it.

    The next is the one with the greatest ``trade * relevance - (1 - trade) * similarity``, where
    similarity is the greatest cosine with a chunk that was chosen, 0 where none is above 0. Carbonell
    and Goldstein, "The Use of MMR, Diversity-Based Reranking", SIGIR 1998.

    Args:
        relevance: Best chunk first, shape (n,); brought to [0, 1] over the list.
        vectors: Shape (n, dimension), of length 1; a row of zeros is similar to nothing.
        documents: Document of each chunk.
        k: How many to choose, at least 1.
        among: ``within`` compares chunks of one document only, ``across`` all.
        trade: In [0, 1]; 1 is relevance alone.

    Returns:
        Places in the order of choice, at most k; ties by place.
    """
    count = len(relevance)
    low, high = (float(relevance.min()), float(relevance.max())) if count else (0.0, 0.0)
    share = (relevance - low) / (high - low) if high > low else np.zeros(count)
    _, numbers = np.unique(np.array(documents, dtype=object), return_inverse=True)
    nearest = np.zeros(count)
    left = np.ones(count, dtype=bool)
    chosen = np.empty(min(k, count), dtype=np.int64)
    for turn in range(len(chosen)):
        gain = np.where(left, trade * share - (1 - trade) * nearest, -np.inf)
        best = int(np.argmax(gain))
        chosen[turn], left[best] = best, False
        cosines = vectors @ vectors[best]
        if among == "within":
            cosines = np.where(numbers == numbers[best], cosines, 0.0)
        np.maximum(nearest, cosines, out=nearest)
    return chosen
