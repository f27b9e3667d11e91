"""What every method of `Memory` stands on: the open file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vstash.errors import FieldError
from vstash.types import EmbedWhen

if TYPE_CHECKING:
    from vstash.pipeline.engine import Engine, Engines

__all__ = ["Base", "later"]


class Base:
    """Holds the parts of an open file."""

    _engines: Engines

    @property
    def _engine(self) -> Engine:
        """The parts for the file's active model, which another process may have switched."""
        return self._engines.current()


def later(embed: EmbedWhen) -> bool:
    """Whether vectors are left for later.

    Raises:
        FieldError: When it is neither ``now`` nor ``later``.
    """
    if embed not in {"now", "later"}:
        raise FieldError("embed is one of: now, later.", pointer="/embed")
    return embed == "later"
