"""Vectors to store and to look for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray

__all__ = ["embeddings", "unit"]


def unit(rows: NDArray[Any]) -> FloatArray:
    """Rows of length 1."""
    made: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return made


def embeddings(count: int, dimension: int, *, seed: int, directions: int = 40) -> FloatArray:
    """Unit vectors that share some strong directions, as those of texts do, and have noise."""
    shared = np.random.default_rng(0).standard_normal((directions, dimension))
    rng = np.random.default_rng(seed)
    strength = np.linspace(1.0, 0.3, directions)
    low_rank = (rng.standard_normal((count, directions)) * strength) @ shared
    noise = 0.3 * np.sqrt(directions) * rng.standard_normal((count, dimension))
    return unit(low_rank + noise)
