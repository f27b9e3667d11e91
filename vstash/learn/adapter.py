"""A small map on the vector of a query, learnt of a collection, so that no passage is embedded anew."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["Adapter"]

_MAGIC: Final = b"VSA1"
_HEADER: Final = struct.Struct("<4sII")


@dataclass(frozen=True, slots=True)
class Adapter:
    """The map ``q' = unit(q + left @ (right @ q) + shift)``.

    Attributes:
        left: Shape (dimension, rank), float32.
        right: Shape (rank, dimension), float32.
        shift: Shape (dimension,), float32.
    """

    left: FloatArray
    right: FloatArray
    shift: FloatArray

    @property
    def dimension(self) -> int:
        """Of the vectors that it maps."""
        return len(self.shift)

    def apply(self, vector: FloatArray) -> FloatArray:
        """Map the vector of a query.

        Args:
            vector: Shape (dimension,), float32, length 1.

        Returns:
            The same shape, of length 1; the vector as it was where nothing would be left of it.
        """
        moved = vector + self.left @ (self.right @ vector) + self.shift
        length = float(np.linalg.norm(moved))
        if not 0 < length < np.inf:
            return vector
        mapped: FloatArray = (moved / np.float32(length)).astype(np.float32)
        return mapped

    def packed(self) -> bytes:
        """The map as it is stored."""
        parts = (self.left, self.right, self.shift)
        header = _HEADER.pack(_MAGIC, self.dimension, len(self.right))
        return header + b"".join(
            np.ascontiguousarray(part, dtype="<f4").tobytes() for part in parts
        )

    @classmethod
    def unpacked(cls, data: bytes) -> Adapter:
        """The map as it was stored.

        Raises:
            ValueError: When the bytes are no map, or one of numbers that are not finite.
        """
        if len(data) < _HEADER.size:
            raise ValueError("not a map of query vectors")
        magic, dimension, rank = _HEADER.unpack_from(data)
        values = np.frombuffer(data, dtype=np.uint8)[_HEADER.size :]
        if magic != _MAGIC or len(values) != 4 * dimension * (2 * rank + 1):
            raise ValueError("not a map of query vectors")
        numbers = values.view("<f4").astype(np.float32)
        if not np.isfinite(numbers).all():
            raise ValueError("a map of query vectors has finite numbers only")
        left, right, shift = np.split(numbers, [dimension * rank, 2 * dimension * rank])
        return cls(left.reshape(dimension, rank), right.reshape(rank, dimension), shift)
