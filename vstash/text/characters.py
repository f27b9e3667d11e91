"""Characters: composed, cut into words, without their accents."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import chain
from typing import Final

__all__ = ["composed", "without_accents", "word_pattern"]

# Characters that never separate or distinguish words: soft hyphen, Arabic tatweel, joiners,
# variation selectors. ZERO WIDTH SPACE is absent: it separates words.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u0640\u180b-\u180f\u200c\u200d\u2060\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]+"
)
# Sorting a run of combining marks takes unicodedata.normalize quadratic time, so long runs are cut
# to 30, the bound of Unicode's stream-safe text format (UAX #15). U+FF9E and U+FF9F are letters
# that become marks.
_MARK_RUN = re.compile("(?:[^\\w\x00-\x7f]|[\uff9e\uff9f]){31,}")
_MARKS_KEPT: Final = 30

# Scripts whose marks are accents or optional vowels: Latin (and what it shares), Greek, Cyrillic,
# Hebrew, Arabic. In Indic scripts marks are vowels, and stay.
_ACCENTED: Final = (
    (0x0000, 0x052F),
    (0x0590, 0x06FF),
    (0x0750, 0x077F),
    (0x0870, 0x08FF),
    (0x1C80, 0x1C8F),
    (0x1D00, 0x1DBF),
    (0x1E00, 0x1FFF),
    (0x2C60, 0x2C7F),
    (0xA640, 0xA69F),
    (0xA720, 0xA7FF),
    (0xAB30, 0xAB6F),
)


# Where marks are; a test compares with every character. The variation selectors are left out.
_MARKED: Final = (
    (0x0300, 0x1E00),
    (0x20D0, 0x2100),
    (0x2CE0, 0x2E00),
    (0x3020, 0x30A0),
    (0xA660, 0xAC00),
    (0xFB10, 0xFB20),
    (0xFE20, 0xFE30),
    (0x101F0, 0x12000),
    (0x13430, 0x13460),
    (0x16100, 0x17000),
    (0x1BC90, 0x1BCB0),
    (0x1CF00, 0x1DB00),
    (0x1E000, 0x1EA00),
)


def composed(text: str) -> str:
    """NFKC without invisible characters, in linear time."""
    text = _INVISIBLE.sub("", text)
    text = _MARK_RUN.sub(lambda run: _bounded_marks(run[0]), text)
    # Once more: compatibility forms can hold an invisible character of their own.
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


def _bounded_marks(run: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in run:
        marks = marks + 1 if unicodedata.combining(char) or char in "\uff9e\uff9f" else 0
        if marks <= _MARKS_KEPT:
            kept.append(char)
    return "".join(kept)


@lru_cache(maxsize=1)
def word_pattern() -> re.Pattern[str]:
    r"""Runs of letters, digits, marks and underscore.

    ``\w`` leaves marks out, and would cut Hindi words at their vowels. Built on first use, since
    going through the categories takes some milliseconds.
    """
    marks = [
        code
        for code in chain.from_iterable(range(first, last) for first, last in _MARKED)
        if unicodedata.category(chr(code))[0] == "M"
    ]
    return re.compile(f"[\\w{''.join(map(chr, marks))}]+")


def without_accents(word: str) -> str:
    """Drop marks after letters of scripts where they are accents, and marks that follow nothing.

    The breve of й stays: without it endings of Russian would not be known for what they are.
    """
    kept: list[str] = []
    drop = True
    for char in unicodedata.normalize("NFD", word):
        if unicodedata.category(char)[0] != "M":
            code = ord(char)
            drop = any(first <= code <= last for first, last in _ACCENTED)
            kept.append(char)
        elif not drop or (char == "\u0306" and kept and kept[-1] in "иИ"):
            kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))
