"""Derived tokens: what the keyword index holds, and what a query is looked up by."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import chain
from typing import Final

import Stemmer

__all__ = ["MAX_TOKEN_CHARS", "NORMALISER_VERSION", "indexed", "tokens"]

NORMALISER_VERSION: Final = 1
"""Stored in the file; another number means that the index has to be built again."""

MAX_TOKEN_CHARS: Final = 256
"""Longer tokens are cut: FTS5 truncates terms by itself at 32,768 bytes, and the check of the index
compares its terms with these."""

_CACHED_CHARS: Final = 64
_CACHED_WORDS: Final = 65_536
_ASCII_WORD = re.compile(r"[A-Za-z0-9_]+")
# An upper-case run ends before the capital that opens the next word (HTTPServer), except when only
# a plural s follows it (PDFs). Each alternative takes the longest run, so the scan is linear.
_PART = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

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

# Written without spaces between words: Thai, Lao, Myanmar, Khmer, and Han, Kana, Bopomofo, Hangul.
_UNSPACED_RANGES: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\ua9e0-\ua9ff\uaa60-\uaa7f"
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u3041-\u30fa"
    "\u30fc-\u312f\u3131-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"[{_UNSPACED_RANGES}]")
_SEGMENT = re.compile(f"[{_UNSPACED_RANGES}]+|[^{_UNSPACED_RANGES}]+")

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


def tokens(text: str) -> list[str]:
    """Cut a text into the derived tokens that the keyword index holds.

    Text is brought to NFKC and casefolded, and loses accents. Words are runs of letters, digits,
    marks and ``_``. A word is split where lower case meets upper case, where letters meet digits
    and at ``_``; when that gave several parts, the whole word follows them as one more token.
    Parts in ASCII letters are stemmed (English Snowball). Scripts without spaces become overlapping
    pairs of characters. A query goes through the same function.

    Args:
        text: Any string, also with NUL or lone surrogates.

    Returns:
        The tokens in order, each of 1 to 256 characters, without whitespace and ASCII punctuation.

    Example:
        >>> tokens("The HTTPServer isn't running on café_port 8090")[:6]
        ['the', 'http', 'server', 'httpserver', 'isn', 't']
        >>> tokens("東京都")
        ['東京', '京都']
    """
    found: list[str] = []
    extend = found.extend
    if text.isascii():
        for word in _ASCII_WORD.findall(text):
            extend(_ascii_word(word) if len(word) <= _CACHED_CHARS else _split_ascii(word))
        return found
    for word in _word_pattern().findall(_composed(text)):
        if len(word) > _CACHED_CHARS or _UNSPACED.search(word):
            extend(_mixed(word))
        else:
            extend(_ascii_word(word) if word.isascii() else _spaced_word(word))
    return found


def indexed(text: str) -> str:
    """The derived tokens of a text, joined by spaces, as the keyword index stores them.

    Args:
        text: Any string.

    Returns:
        The tokens of `tokens`, with one space between them.

    Example:
        >>> indexed("Running, in São Paulo!")
        'run in sao paulo'
    """
    if text.isascii():
        return " ".join(filter(None, map(_JOINED.__getitem__, _ASCII_WORD.findall(text))))
    return " ".join(tokens(text))


class _Joined(dict[str, str]):
    """The tokens of ASCII words, joined: a look-up a word is a third of the cost of a call."""

    def __missing__(self, word: str) -> str:
        joined = " ".join(_split_ascii(word))
        if len(word) <= _CACHED_CHARS:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[word] = joined
        return joined


# A cache, not state: what it holds depends on its keys alone.
_JOINED: Final = _Joined()


def _composed(text: str) -> str:
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
def _word_pattern() -> re.Pattern[str]:
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


def _mixed(word: str) -> list[str]:
    """Tokens of a word that is long or has a part in a script without spaces."""
    found: list[str] = []
    for segment in _SEGMENT.findall(word):
        if _UNSPACED.match(segment):
            found.extend(_pairs(segment))
        else:
            found.extend(_split_ascii(segment) if segment.isascii() else _split_other(segment))
    return found


def _pairs(segment: str) -> list[str]:
    if len(segment) == 1:
        return [segment]
    return [segment[i : i + 2] for i in range(len(segment) - 1)]


def _split_ascii(word: str) -> tuple[str, ...]:
    parts = _PART.findall(word)
    if len(parts) <= 1:
        return tuple(_stem(part) for part in parts)
    whole = "".join(parts)[:MAX_TOKEN_CHARS].lower()
    return (*(_stem(part) for part in parts), whole)


def _split_other(word: str) -> tuple[str, ...]:
    word = _without_accents(word)
    if word.isascii():
        return _split_ascii(word)
    # The rule for ASCII, applied to the word's shape: one ASCII character per character.
    shape = "".join(map(_shape, word))
    parts = [word[m.start() : m.end()] for m in _PART.finditer(shape)]
    if len(parts) <= 1:
        return tuple(_stem(part) for part in parts)
    whole = "".join(parts)[:MAX_TOKEN_CHARS].casefold()[:MAX_TOKEN_CHARS]
    return (*(_stem(part) for part in parts), whole)


def _shape(char: str) -> str:
    if char == "_":
        return "_"
    if char.isdigit():
        return "0"
    return "A" if char.isupper() else "a"


def _without_accents(word: str) -> str:
    """Drop marks after letters of scripts where they are accents, and marks that follow nothing."""
    kept: list[str] = []
    drop = True
    for char in unicodedata.normalize("NFD", word):
        if unicodedata.category(char)[0] != "M":
            code = ord(char)
            drop = any(first <= code <= last for first, last in _ACCENTED)
            kept.append(char)
        elif not drop:
            kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))


def _stem(part: str) -> str:
    folded = part[:MAX_TOKEN_CHARS].casefold()[:MAX_TOKEN_CHARS]
    if not (folded.isascii() and folded.isalpha()):
        return folded
    # A Stemmer is not safe to share between threads, and making one without a cache of its own
    # costs half a microsecond, paid only for words that are not in the caches below.
    return str(Stemmer.Stemmer("english", 0).stemWord(folded))


_ascii_word = lru_cache(maxsize=65_536)(_split_ascii)
_spaced_word = lru_cache(maxsize=65_536)(_split_other)
