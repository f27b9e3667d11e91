"""How long something took, summed up."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

__all__ = ["middle_and_most"]


def middle_and_most(milliseconds: Iterable[float]) -> dict[str, float]:
    """The median and the most, 0 of nothing."""
    times = list(milliseconds) or [0.0]
    return {"p50": round(statistics.median(times), 1), "max": round(max(times), 1)}
