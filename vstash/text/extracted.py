"""What reading a file gives, whatever its format."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vstash.types import JsonObject

__all__ = ["MAX_TITLE_CHARS", "Content", "Extracted", "one_line"]

MAX_TITLE_CHARS: Final = 300
"""A title found in a text stands in front of every chunk, so a whole paragraph must not be one."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """A file as text.

    Attributes:
        text: Lines end in a line feed; no NUL, no lone surrogate, never only whitespace.
        title: The file's own title, else its name.
        metadata: A JSON object.
        tags: As the file lists them, without repetition.
        media_type: Which format it was read as.
    """

    text: str
    title: str
    metadata: JsonObject
    tags: tuple[str, ...]
    media_type: str


@dataclass(frozen=True, slots=True)
class Content:
    """What one format finds in a decoded text; an empty title means that it has none."""

    text: str
    title: str = ""
    metadata: JsonObject = field(default_factory=dict)
    tags: tuple[str, ...] = ()


def one_line(text: str) -> str:
    r"""A title: whitespace collapsed, control characters left out, at most 300 characters.

    Args:
        text: Any text.

    Returns:
        One line, possibly empty.

    Example:
        >>> one_line("  A long\n title ")
        'A long title'
    """
    line = " ".join(text.split())[:MAX_TITLE_CHARS]
    return "".join(char for char in line if unicodedata.category(char) != "Cc").strip()
