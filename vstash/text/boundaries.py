"""Good places to cut within a block."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, Literal

__all__ = ["Kind", "first_start", "last_cut", "sentences"]

Kind = Literal["prose", "lines"]

_BEFORE: Final = 3  # full stop, quote, space
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
# Not after an initial or a list number (" J. ", " 1. "), not before a lower-case letter ("e.g. a").
_SENTENCE = re.compile(
    r"(?:(?<!\s[A-Z0-9])[.!?…؟۔।॥][\"'”’»)\]]*\s|[。！？｡][」』）”’]*)(?!\s*[a-z])"  # noqa: RUF001 - full-width signs end sentences
)
_LINE = re.compile(r"\n")
_WORD = re.compile(r"\s+")
_ORDER: Final[dict[Kind, tuple[re.Pattern[str], ...]]] = {
    "prose": (_PARAGRAPH, _SENTENCE, _LINE, _WORD),
    "lines": (_PARAGRAPH, _LINE, _WORD),
}


def last_cut(text: str, low: int, high: int, kind: Kind) -> int | None:
    """Where to end a chunk: after a paragraph, else a sentence, else a line, else a word.

    Lines are not looked through for sentences.

    Args:
        text: The whole text.
        low: The cut lies behind this offset.
        high: And not behind this one.
        kind: Of the block.

    Returns:
        The last place of the best sort, or None when there is none of any.

    Example:
        >>> last_cut("One two. Three four", 0, 18, "prose")
        9
    """
    for pattern in _ORDER[kind]:
        cut = None
        for match in pattern.finditer(text, low, high):
            cut = match.end()
        if cut is not None:
            return cut
    return None


def first_start(text: str, low: int, high: int, kind: Kind) -> int | None:
    """Where to start a chunk that repeats an end: at a sentence (for lines: a line), else a word.

    Args:
        text: The whole text.
        low: The first offset allowed.
        high: Offset at which the repeated part ends.
        kind: Of the block.

    Returns:
        The first place of the best sort in [low, high), or None.

    Example:
        >>> first_start("One two. Three four", 5, 19, "prose")
        9
    """
    for pattern in (_SENTENCE if kind == "prose" else _LINE, _WORD):
        # Some characters earlier, so that the end of what precedes a start at `low` is seen.
        for match in pattern.finditer(text, max(0, low - _BEFORE), high):
            if low <= match.end() < high:
                return match.end()
    return None


def sentences(text: str) -> list[str]:
    """Cut a text into its sentences; paragraphs end them too.

    Args:
        text: The whole text.

    Example:
        >>> sentences("One two. Three four")
        ['One two. ', 'Three four']
    """
    ends = {match.end() for pattern in (_PARAGRAPH, _SENTENCE) for match in pattern.finditer(text)}
    cuts = [0, *sorted(ends - {len(text)}), len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if start < end]
