"""What was learnt of how far each part of the strategy ``score`` counts."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Final

__all__ = ["BUILT_IN", "FusionWeights"]

# More is none; what is nested deeper than that cannot be read.
_MOST_BYTES: Final = 300


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """Factors on the built-in constants of the strategy ``score``; 1 is the built-in.

    Attributes:
        keyword: On the weight of keywords, positive.
        feedback: On the weight of feedback, 0 for none of it.
    """

    keyword: float = 1.0
    feedback: float = 1.0

    def packed(self) -> bytes:
        """The factors as they are stored."""
        return json.dumps({name: float(value) for name, value in asdict(self).items()}).encode()

    @classmethod
    def unpacked(cls, data: bytes) -> FusionWeights:
        """The factors as they were stored.

        Raises:
            ValueError: When the bytes are no factors.
        """
        read = json.loads(data[:_MOST_BYTES])
        names = {field.name for field in fields(cls)}
        if not isinstance(read, dict) or set(read) != names or not all(map(_factor, read.values())):
            raise ValueError("not the factors of a fusion")
        return cls(**read)


def _factor(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value) and value >= 0


BUILT_IN: Final = FusionWeights()
