"""Sizes of what commits add: eight of a level become one of the next."""

from __future__ import annotations

from typing import Final

__all__ = ["FAN_IN", "level_of"]

FAN_IN: Final = 8


def level_of(size: int) -> int:
    """The level of something with so many chunks: as high as merged ones of its size stand.

    Example:
        >>> [level_of(size) for size in (1, 7, 8, 63, 64)]
        [0, 0, 1, 1, 2]
    """
    level = 0
    while FAN_IN ** (level + 1) <= size:
        level += 1
    return level
