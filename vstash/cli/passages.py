"""Showing a passage: a few lines around the words that matched, and those words emphasised."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["match_spans", "snippet"]

_WORD = re.compile(r"\w+")
_LINES: Final = 4
_ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
# A stem may differ from its word in the last letter (happy, happi), but a short one is too little
# to go by.
_SHORTEST_STEM: Final = 4


@dataclass(frozen=True, slots=True)
class Match:
    """Where a word of the query stands in a text."""

    start: int
    end: int
    word: str


def match_spans(text: str, words: Sequence[str]) -> tuple[Match, ...]:
    """Find the words of a text that a search matched.

    Args:
        text: The passage.
        words: Derived words: lower case, without diacritics, stemmed, Chinese in pairs.

    Returns:
        Matches in the order of the text, not overlapping.
    """
    wanted = tuple(dict.fromkeys(_folded(word) for word in words if word))
    found: list[Match] = []
    for token in _WORD.finditer(text):
        folded = _folded(token.group())
        whole = next((word for word in wanted if _same_stem(folded, word)), None)
        if whole is not None:
            found.append(Match(token.start(), token.end(), whole))
        elif len(folded) == token.end() - token.start():
            found.extend(_inner(folded, token.start(), wanted))
    return tuple(found)


def snippet(
    text: str, words: Sequence[str], *, width: int, emphasise: Callable[[str], str]
) -> tuple[str, ...]:
    """Shorten a passage to the lines that hold most of the matched words.

    Args:
        text: The passage, safe to show.
        words: As in `match_spans`.
        width: Characters per line.
        emphasise: Applied to each matched word.

    Returns:
        At most four lines, with an ellipsis where something was left out.
    """
    lines = _wrapped(text, width)
    matches = [match_spans(line, words) for line in lines]
    start = _best_window(matches)
    end = min(start + _LINES, len(lines))
    shown = [
        _emphasised(line, found, emphasise)
        for line, found in zip(lines[start:end], matches[start:end], strict=True)
    ]
    if start > 0:
        shown[0] = f"{_ELLIPSIS} {shown[0].lstrip()}"
    if end < len(lines):
        shown[-1] = f"{shown[-1]} {_ELLIPSIS}"
    return tuple(shown)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _same_stem(token: str, word: str) -> bool:
    if token == word or (len(word) >= _SHORTEST_STEM and token.startswith(word)):
        return True
    if not word.isascii():
        return False
    # Short words change by their endings alone: tea, teas.
    if token.startswith(word) and len(token) - len(word) <= 1:
        return True
    return len(word) > _SHORTEST_STEM and token.startswith(word[:-1])


def _inner(token: str, offset: int, wanted: Sequence[str]) -> list[Match]:
    """Pairs of Chinese, Japanese and Korean characters inside a run without blanks."""
    found: list[Match] = []
    position = 0
    pairs = [word for word in wanted if not word.isascii()]
    while position < len(token):
        hit = next((word for word in pairs if token.startswith(word, position)), None)
        if hit is None:
            position += 1
            continue
        found.append(Match(offset + position, offset + position + len(hit), hit))
        position += len(hit)
    return found


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for raw in text.expandtabs(4).splitlines():
        if raw.strip():
            lines.extend(textwrap.wrap(raw, width, break_on_hyphens=False) or [""])
    return lines


def _best_window(matches: Sequence[Sequence[Match]]) -> int:
    """The first window of lines with the most different words, then with the most matches."""
    best, best_value = 0, (0, 0)
    for start in range(max(len(matches) - _LINES + 1, 1)):
        inside = [match.word for line in matches[start : start + _LINES] for match in line]
        value = (len(set(inside)), len(inside))
        if value > best_value:
            best, best_value = start, value
    return best


def _emphasised(line: str, matches: Sequence[Match], emphasise: Callable[[str], str]) -> str:
    parts: list[str] = []
    position = 0
    for match in matches:
        parts += [line[position : match.start], emphasise(line[match.start : match.end])]
        position = match.end
    return "".join([*parts, line[position:]])
