"""How long each stage of an answer took."""

from __future__ import annotations

import time

__all__ = ["Stopwatch"]


class Stopwatch:
    """Milliseconds per stage."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._stages: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Book the time since the last lap under a name, beside what stands there."""
        now = time.perf_counter()
        spent = self._stages.get(stage, 0.0) + (now - self._last) * 1000
        self._stages[stage] = round(spent, 3)
        self._last = now

    def times(self) -> dict[str, float]:
        """All stages and their total."""
        return {**self._stages, "total": round((self._last - self._start) * 1000, 3)}
