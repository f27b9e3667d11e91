"""Means of rows drawn anew: how sure a mean is.

Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["resampled_means"]

_BLOCK: Final = 4_000_000


def resampled_means(
    values: NDArray[np.float64], *, resamples: int, seed: int
) -> NDArray[np.float64]:
    """Means of rows drawn with replacement, as many as there are.

    Args:
        values: Shape (n, columns); a draw takes whole rows, so columns stay paired.
        resamples: How many draws.
        seed: 0 or more.

    Returns:
        Shape (resamples, columns).
    """
    count = len(values)
    generator = np.random.default_rng(seed)
    means = np.empty((resamples, values.shape[1]))
    block = max(_BLOCK // count, 1)
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        places = generator.integers(0, count, size=(size, count))
        # How often each row was drawn; sums over rows are then one product of matrices.
        places += np.arange(size)[:, None] * count
        counts = np.bincount(places.ravel(), minlength=size * count).reshape(size, count)
        means[start : start + size] = counts @ values / count
    return means
