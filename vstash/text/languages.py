"""Which language a text is in, by its function words, and the stems that language gives."""

# ruff: noqa: RUF001 - other scripts are the point

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

import Stemmer

from vstash.text.characters import without_accents
from vstash.text.language_words import ENGLISH, LANGUAGES, WEAK_WORDS, Language

__all__ = ["asked_languages", "language_of", "script_stem", "stem_in"]

# Words looked at: more would not tell more.
_SAMPLE: Final = 300
# Where so many words in a row hold an English one, and the next as many too, nothing else is asked.
_GLANCE: Final = 16
# Distinct function words of a language that a text needs; weak ones count half, and need more.
_LEAST: Final = 1.5
_LEAST_SHARE: Final = 0.03
_MORE: Final = 0.5
# What letters beyond a to z that belong to the language add, where no word is English.
_LETTERS: Final = 0.5
_LEAST_ASKED: Final = 1.0
# A query looks up the stems of languages that are nearly as likely as the likeliest.
_NEAR: Final = 0.75
_MOST_ASKED: Final = 3


def _written(words: Iterable[str]) -> frozenset[str]:
    """As running text writes them: in capitals throughout a word is rather an abbreviation."""
    several = [word for word in words if len(word) > 1]
    return frozenset(several) | frozenset(word.capitalize() for word in several)


_KNOWN_BY: Final = {
    word: tuple(each for each in LANGUAGES.values() if word.lower() in each.words)
    for word in _written(chain.from_iterable(each.words for each in LANGUAGES.values()))
}
_ENGLISH: Final = _written(ENGLISH)
# "Of" is Dutch too, but rarely twice.
_ENGLISH_ALONE: Final = _ENGLISH.difference(_KNOWN_BY) | {"of"}
# Two letters are too often an abbreviation, a symbol or a name.
_SHORT: Final = 2
_STRONG: Final = frozenset(
    word
    for word in _KNOWN_BY.keys() - _ENGLISH
    if word.lower() not in WEAK_WORDS and (len(word) > _SHORT or not word.isascii())
)

_FOLDED: Final = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)

# Arabic without the letters of Persian and Urdu, Russian without those of other Slavic languages.
_BY_SCRIPT: Final = (
    (re.compile("[а-яё]+"), "russian"),
    (re.compile("[\u0370-\u03ff]+"), "greek"),
    (re.compile("[\u0621-\u064a]+"), "arabic"),
    (re.compile("[\u0561-\u0587]+"), "armenian"),
    (re.compile("[\u0900-\u097f]+"), "hindi"),
    (re.compile("[\u0b80-\u0bff]+"), "tamil"),
)
# "And", "so", "in" or "like" written together with the article, which Snowball does not take apart.
_ARABIC_JOINED = re.compile("[وفبك](?=ال...)")


def language_of(words: Sequence[str]) -> Language | None:
    """The language of a stored text in Latin letters, None for English and where it is unsure.

    Args:
        words: The text's words in order, as they are written.

    Example:
        >>> language_of("Die Katze schläft auf dem Sofa".split()).name
        'german'
        >>> language_of("The cat sleeps on the sofa".split())
    """
    if len(words) > 2 * _GLANCE and not (
        _ENGLISH_ALONE.isdisjoint(words[:_GLANCE])
        or _ENGLISH_ALONE.isdisjoint(words[_GLANCE : 2 * _GLANCE])
    ):
        return None
    if len(words) > _SAMPLE:
        words = words[:_SAMPLE]
    if _STRONG.isdisjoint(words) and not _ENGLISH_ALONE.isdisjoint(words):
        return None
    scores = _scores(words, max(_LEAST, _LEAST_SHARE * len(words)))
    return max(scores, key=lambda each: scores[each]) if scores else None


def asked_languages(words: Sequence[str]) -> tuple[tuple[Language, ...], bool]:
    """The languages that a query may be in, none for English and where it is unsure.

    A query without a function word is told by its letters: by those languages that have all of them.

    Args:
        words: The query's words in order, as they are written, in composed characters.

    Returns:
        At most three languages, and whether function words told them.

    Example:
        >>> [each.name for each in asked_languages(["wie", "kündige", "ich"])[0]]
        ['german']
    """
    scores = _scores(words[:_SAMPLE], _LEAST_ASKED)
    if scores:
        near = _NEAR * max(scores.values())
        found = tuple(each for each in LANGUAGES.values() if scores.get(each, 0) >= near)
        return (found, True) if len(found) <= _MOST_ASKED else ((), False)
    letters = _letters(words)
    marked = sum(not word.isascii() for word in words)
    # One such word beside others is rather a name or a loan: naïve Bayes, jalapeño recipe.
    if not letters or not (len(letters) > 1 or 2 * marked > len(words)):
        return (), False
    if not _ENGLISH.isdisjoint(words):
        return (), False
    found = tuple(each for each in LANGUAGES.values() if letters <= each.letters)
    return (found if len(found) <= _MOST_ASKED else (), False)


def _scores(words: Sequence[str], least: float) -> dict[Language, float]:
    """How many function words of each language there are, of those with enough, if not English."""
    distinct = set(words)
    known = distinct & _KNOWN_BY.keys()
    english = sum(0.5 if word in known else 1.0 for word in distinct & _ENGLISH)
    scores: dict[Language, float] = {}
    strong = set()
    for word in known:
        weight = 1.0 if word in _STRONG else 0.5
        for language in _KNOWN_BY[word]:
            scores[language] = scores.get(language, 0.0) + weight
            if weight == 1.0:
                strong.add(language)
    if not english:
        letters = _letters(words)
        for language in scores:
            if letters and letters <= language.letters:
                scores[language] += _LETTERS
                strong.add(language)
    return {
        language: scores[language]
        for language in LANGUAGES.values()
        if scores.get(language, 0.0) > english
        and (
            scores[language] >= least
            if language in strong
            else not english and scores[language] >= least + _MORE
        )
    }


def _letters(words: Sequence[str]) -> frozenset[str]:
    return frozenset(char for char in "".join(words).lower() if not char.isascii())


def stem_in(word: str, language: Language) -> str:
    """The stem of a word by the rules of a language, in plain letters as far as there are any.

    Args:
        word: Letters alone, in composed characters.
        language: One that has a stemmer.

    Example:
        >>> stem_in("Häuser", LANGUAGES["german"])
        'haus'
    """
    if language.name == "turkish":
        # The capital of dotless i is I.
        word = word.replace("I", "ı").replace("İ", "i")
    stem = str(Stemmer.Stemmer(language.name, 0).stemWord(word.casefold()))
    return without_accents(stem).translate(_FOLDED)


def script_stem(word: str) -> str:
    """The stem of a word whose script tells the language, or the word.

    Args:
        word: Casefolded, without accents but for that of й.

    Example:
        >>> script_stem("книгами"), script_stem("שלום")
        ('книг', 'שלום')
    """
    for pattern, name in _BY_SCRIPT:
        if pattern.fullmatch(word):
            if name == "arabic":
                word = _ARABIC_JOINED.sub("", word, count=1) if word[1:3] == "ال" else word
            word = str(Stemmer.Stemmer(name, 0).stemWord(word)) or word
            break
    return word.replace("й", "и")
