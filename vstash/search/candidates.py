"""Joining two candidate lists into one set with every score true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vstash.search.fusion import Candidates

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = ["complete", "order"]


def _placed(ids: IdArray, listed: IdArray) -> IdArray:
    """Positions of ``listed`` in the ascending ``ids``; every one occurs."""
    return np.searchsorted(ids, listed).astype(np.int64)


def complete(
    vector_ids: IdArray,
    keyword_ids: IdArray,
    exact_ids: IdArray,
    cosines: tuple[IdArray, FloatArray] | None,
    bm25: FloatArray,
) -> Candidates:
    """The union of two legs with the true scores of both for every member.

    Args:
        vector_ids: The vector leg, best first.
        keyword_ids: The keyword leg, best first.
        exact_ids: Others that are candidates whether or not a leg lists them.
        cosines: Ids and cosines covering those of the union that have a vector, None when vectors were not asked.
        bm25: Scores by chunk id, 0 where no word occurs; chunks beyond its end have none.

    Returns:
        Candidates by ascending id.
    """
    ids = np.unique(np.concatenate([vector_ids, keyword_ids, exact_ids])).astype(np.int64)
    vector_rank = np.zeros(len(ids), dtype=np.int64)
    keyword_rank = np.zeros(len(ids), dtype=np.int64)
    vector_rank[_placed(ids, vector_ids)] = np.arange(1, len(vector_ids) + 1)
    keyword_rank[_placed(ids, keyword_ids)] = np.arange(1, len(keyword_ids) + 1)
    cosine = np.full(len(ids), np.nan, dtype=np.float32)
    if cosines is not None:
        places = np.searchsorted(ids, cosines[0])
        known = places < len(ids)
        known[known] = ids[places[known]] == cosines[0][known]
        cosine[places[known]] = cosines[1][known]
    score = np.zeros(len(ids), dtype=np.float32)
    known = ids < len(bm25)
    score[known] = bm25[ids[known]]
    return Candidates(ids, cosine, score, vector_rank, keyword_rank)


def order(ids: IdArray, scores: FloatArray, k: int) -> IdArray:
    """Positions of the best k, ties by id so that the same search gives the same answer.

    Args:
        ids: Chunk ids, shape (n,).
        scores: Shape (n,), no NaN.
        k: At least 1.
    """
    return np.lexsort((ids, -scores))[:k].astype(np.int64)
