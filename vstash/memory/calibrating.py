"""Methods of `Memory` that calibrate relevance for the file."""

from __future__ import annotations

from collections.abc import Callable

from vstash.memory.base import Base
from vstash.reports import CalibrationProgress, CalibrationReport

__all__ = ["Calibrating"]


class Calibrating(Base):
    """Learning how relevance follows from evidence, and forgetting it."""

    def calibrate(
        self,
        *,
        collection: str | None = None,
        probes: int = 300,
        seed: int = 0,
        progress: Callable[[CalibrationProgress], None] | None = None,
    ) -> CalibrationReport:
        """Learn what relevance means in this file with its model, without any label.

        Short queries are made from passages all over the collection, and each is asked twice: as it
        is, and with its document left out. What is learnt holds for every later search of the file,
        of any process, and takes the place of what was learnt before. Nothing is logged.

        Args:
            collection: Whose passages are asked for; None for ``default``.
            probes: How many queries at most, 50 to 1,000.
            seed: Which ones: the same file and seed give the same result.
            progress: Called after each.

        Returns:
            How well relevance holds before and after, and whether it was stored, which it is only
            where it is better on probes that it was not fitted to. All of it is about probes: people
            ask otherwise, see docs/calibrate.md.

        Raises:
            CalibrationError: When fewer than 50 probes could be made and asked; nothing was stored.
            QueryError: When a number is out of range.
            CollectionNotFoundError: When nothing was ever written to the collection.
            StoreReadOnlyError: When the file cannot be written.

        Example:
            >>> with Memory("notes.db") as memory:  # doctest: +SKIP
            ...     memory.calibrate().stored
            True
        """
        return self._engine.calibrating.calibrate(
            collection=collection, probes=probes, seed=seed, progress=progress
        )

    def reset_calibration(self) -> bool:
        """Forget what `calibrate` learnt: relevance is the model's own again.

        Returns:
            Whether there was anything to forget.

        Raises:
            StoreReadOnlyError: When the file cannot be written.
        """
        return self._engine.calibrating.reset()
