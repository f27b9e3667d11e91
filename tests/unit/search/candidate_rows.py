"""Candidates written as rows."""

from __future__ import annotations

import numpy as np

from vstash.search.fusion import Candidates

__all__ = ["NAN", "candidates"]

NAN = float("nan")


def candidates(*rows: tuple[float, float, int, int]) -> Candidates:
    """Rows of cosine, BM25, vector rank, keyword rank, under ids 1, 2, 3."""
    return Candidates(
        ids=np.arange(1, len(rows) + 1, dtype=np.int64),
        cosine=np.array([row[0] for row in rows], dtype=np.float32),
        bm25=np.array([row[1] for row in rows], dtype=np.float32),
        vector_rank=np.array([row[2] for row in rows], dtype=np.int64),
        keyword_rank=np.array([row[3] for row in rows], dtype=np.int64),
    )
