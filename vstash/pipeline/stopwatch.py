"""How long each stage of an answer took."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from vstash import deadlines

__all__ = ["Stopwatch"]

_TOTAL: Final = "total"


class Stopwatch:
    """Milliseconds per stage.

    Args:
        before: The times of another that it goes on from.
    """

    def __init__(self, before: Mapping[str, float] | None = None) -> None:
        self._start = self._last = time.perf_counter()
        self._stages = dict(before or {})
        self._before = self._stages.pop(_TOTAL, 0.0)

    def lap(self, stage: str) -> None:
        """Book the time since the last lap under a name, beside what stands there.

        Raises:
            DeadlineError: When the deadline of the work at hand has passed.
        """
        now = time.perf_counter()
        spent = self._stages.get(stage, 0.0) + (now - self._last) * 1000
        self._stages[stage] = round(spent, 3)
        self._last = now
        deadlines.check()

    def times(self) -> dict[str, float]:
        """All stages and their total."""
        total = self._before + (self._last - self._start) * 1000
        return {**self._stages, _TOTAL: round(total, 3)}
