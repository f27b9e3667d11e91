"""The door between an embedding model and the file: only finite unit vectors pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vstash.errors import EmbeddingError

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["validated"]

_UNIT_TOLERANCE = 1e-5
_SMALLEST_LENGTH = 1e-12


def validated(vectors: object, *, count: int, dimension: int) -> FloatArray:
    """Check what a model returned and give it back as rows that can be stored.

    Args:
        vectors: What the model returned for ``count`` texts: an array or nested lists of floats.
        count: Number of texts that were embedded.
        dimension: Length of the model's vectors.

    Returns:
        C-contiguous float32 array of shape (count, dimension); rows whose length was not 1 are
        divided by it.

    Raises:
        EmbeddingError: When the shape or the type is wrong, or a row holds a value that is not
            finite, or is zero.

    Example:
        >>> validated([[3.0, 4.0]], count=1, dimension=2).tolist()
        [[0.6000000238418579, 0.800000011920929]]
    """
    rows = _as_floats(vectors)
    if rows.shape != (count, dimension):
        raise EmbeddingError(
            f"The embedding model returned an array of shape {rows.shape} where "
            f"({count}, {dimension}) was asked for: use a model whose description matches it."
        )
    if not np.isfinite(rows).all():
        raise EmbeddingError(
            "The embedding model returned a value that is not a finite number: nothing was stored. "
            "Use another model, or an undamaged copy of this one."
        )
    with np.errstate(over="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    if not (np.isfinite(lengths) & (lengths > _SMALLEST_LENGTH)).all():
        raise EmbeddingError(
            "The embedding model returned a vector without a usable length (zero or overflowing): "
            "nothing was stored. Use another model, or an undamaged copy of this one."
        )
    off = np.abs(lengths - 1.0) > _UNIT_TOLERANCE
    if off.any():
        rows = rows.astype(np.float64)
        rows[off] /= lengths[off, None]
    return np.ascontiguousarray(rows, dtype=np.float32)


def _as_floats(vectors: object) -> FloatArray:
    try:
        rows: FloatArray = np.asarray(vectors)
    except (ValueError, TypeError) as error:
        raise EmbeddingError(
            "The embedding model returned rows of different lengths: return one array of floats."
        ) from error
    if rows.dtype.kind != "f":
        raise EmbeddingError(
            f"The embedding model returned values of type {rows.dtype.name}: return floats."
        )
    return rows
