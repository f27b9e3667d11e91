"""Methods of `Memory` for who watches over it."""

from __future__ import annotations

from vstash.memory.base import Base
from vstash.reports import Gauges, Health

__all__ = ["Observing"]


class Observing(Base):
    """Whether it works, and what to watch."""

    def health(self) -> Health:
        """Try whether the file can be read and written and the model can be used.

        Nothing is changed. It raises nothing: what is wrong stands in the reasons.

        Returns:
            ``ready``, or what is wrong and how far that goes.

        Example:
            >>> from vstash import Memory
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.health().status
            'ready'
        """
        return self._engine.observing.health()

    def gauges(self) -> Gauges:
        """What to watch of the file, from counters that are kept; `stats` counts anew and tells more.

        Raises:
            StoreError: When the file cannot be read.
        """
        return self._engine.observing.gauges()
