"""Documents made by rule, of words that many share."""

from __future__ import annotations

from itertools import product
from random import Random

from vstash import NewDocument

__all__ = ["generated_documents"]

_ENDS = ("ra", "mo", "tel", "vin", "so", "ku", "bel", "dan", "fi", "gor")
_WORDS = ["".join(parts) for parts in product(_ENDS, _ENDS, ("k", "p", "x"))]


def generated_documents(count: int, *, seed: int = 1) -> list[NewDocument]:
    """Documents of three sentences, each of nine words out of three hundred.

    Args:
        count: How many.
        seed: Which ones.
    """
    rng = Random(seed)
    return [
        NewDocument(
            " ".join(f"The {' '.join(rng.sample(_WORDS, 9))}." for _ in range(3)), key=f"d{number}"
        )
        for number in range(count)
    ]
