"""Derived tokens: what the keyword index holds, and what a query is looked up by."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import Stemmer

from vstash.text.characters import composed, without_accents, word_pattern
from vstash.text.language_words import Language
from vstash.text.languages import language_of, script_stem, stem_in

__all__ = [
    "MAX_TOKEN_CHARS",
    "NORMALISER_VERSION",
    "indexed",
    "tokens",
    "unspaced",
    "variant",
    "words",
]

NORMALISER_VERSION: Final = 2
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

# Written without spaces between words: Thai, Lao, Myanmar, Khmer, and Han, Kana, Bopomofo, Hangul.
_UNSPACED_RANGES: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\ua9e0-\ua9ff\uaa60-\uaa7f"
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u3041-\u30fa"
    "\u30fc-\u312f\u3131-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"[{_UNSPACED_RANGES}]")
_SEGMENT = re.compile(f"[{_UNSPACED_RANGES}]+|[^{_UNSPACED_RANGES}]+")


def tokens(text: str) -> list[str]:
    """Cut a text into the derived tokens that the keyword index holds.

    Text is brought to NFKC and casefolded, and loses accents. Words are runs of letters, digits,
    marks and ``_``. A word is split where lower case meets upper case, where letters meet digits
    and at ``_``; when that gave several parts, the whole word follows them as one more token.
    Parts in ASCII letters are stemmed (English Snowball), those in Cyrillic, Greek, Arabic, Armenian,
    Devanagari and Tamil by the stemmer of their script. Scripts without spaces become overlapping
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
    if not text.isascii():
        return _tokens(words(text))
    found: list[str] = []
    extend = found.extend
    for word in _ASCII_WORD.findall(text):
        extend(_ascii_word(word) if len(word) <= _CACHED_CHARS else _split_ascii(word))
    return found


def _tokens(words: list[str]) -> list[str]:
    found: list[str] = []
    extend = found.extend
    for word in words:
        if len(word) > _CACHED_CHARS or _UNSPACED.search(word):
            extend(_mixed(word))
        else:
            extend(_ascii_word(word) if word.isascii() else _spaced_word(word))
    return found


def words(text: str) -> list[str]:
    """The words of a text as they are written, in composed characters.

    Args:
        text: Any string.
    """
    return _ASCII_WORD.findall(text) if text.isascii() else word_pattern().findall(composed(text))


def unspaced(char: str) -> bool:
    """Whether a character is of a script that writes no spaces between words."""
    return _UNSPACED.match(char) is not None


def indexed(text: str) -> str:
    """What the keyword index stores of a text: its derived tokens, joined by spaces.

    Where function words tell a language with Latin letters other than English, the stems of that
    language follow that are no token of their word already.

    Args:
        text: Any string.

    Returns:
        The tokens of `tokens` and those stems, with one space between them.

    Example:
        >>> indexed("Running, in São Paulo!")
        'run in sao paulo'
        >>> indexed("Das sind die Häuser")
        'das sind die hauser haus'
    """
    if text.isascii():
        found = _ASCII_WORD.findall(text)
        joined = " ".join(filter(None, map(_JOINED.__getitem__, found)))
    else:
        found = words(text)
        joined = " ".join(_tokens(found))
    language = language_of(found)
    if language is None or not language.stemmed:
        return joined
    stems = (variant(word, language) for word in found)
    return " ".join([joined, *filter(None, stems)])


@lru_cache(maxsize=_CACHED_WORDS)
def variant(word: str, language: Language) -> str | None:
    """The stem of a word in a language, None where it is the word's token already.

    Args:
        word: One of `words`.
        language: The language of its text. Its function words have no stem of their own.
    """
    if len(word) > _CACHED_CHARS or not word.isalpha() or word.casefold() in language.words:
        return None
    known = tokens(word)
    if len(known) != 1:
        return None
    stem = stem_in(word, language)
    # What is not ASCII by now is a word of another script in this text.
    return stem if stem and stem.isascii() and stem != known[0] else None


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
    word = without_accents(word)
    if word.isascii():
        return _split_ascii(word)
    # The rule for ASCII, applied to the word's shape: one ASCII character per character.
    shape = "".join(map(_shape, word))
    parts = [word[m.start() : m.end()] for m in _PART.finditer(shape)]
    if len(parts) <= 1:
        return tuple(_stem(part) for part in parts)
    whole = "".join(parts)[:MAX_TOKEN_CHARS].casefold()[:MAX_TOKEN_CHARS].replace("й", "и")
    return (*(_stem(part) for part in parts), whole)


def _shape(char: str) -> str:
    if char == "_":
        return "_"
    if char.isdigit():
        return "0"
    return "A" if char.isupper() else "a"


def _stem(part: str) -> str:
    folded = part[:MAX_TOKEN_CHARS].casefold()[:MAX_TOKEN_CHARS]
    if not folded.isascii():
        return script_stem(folded)
    if not folded.isalpha():
        return folded
    # A Stemmer is not safe to share between threads, and making one without a cache of its own
    # costs half a microsecond, paid only for words that are not in the caches below.
    return str(Stemmer.Stemmer("english", 0).stemWord(folded))


_ascii_word = lru_cache(maxsize=65_536)(_split_ascii)
_spaced_word = lru_cache(maxsize=65_536)(_split_other)
