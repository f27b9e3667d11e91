"""What a query is looked up by: its tokens, those that tell little, and other forms of its words."""

# ruff: noqa: RUF001 - other scripts are the point

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from vstash.text.function_words import FUNCTION_WORDS
from vstash.text.language_words import SCRIPT_WORDS, Language
from vstash.text.languages import asked_languages
from vstash.text.normalise import tokens, variant, words

__all__ = ["QueryTerms", "query_terms"]

# A single Greek letter is a symbol in a text of any language.
_SCRIPT_WORDS: Final = frozenset(
    token
    for token in tokens(" ".join(SCRIPT_WORDS.values()))
    if len(token) > 1 or not "α" <= token <= "ω"
)
_ENGLISH: Final = FUNCTION_WORDS | _SCRIPT_WORDS


@dataclass(frozen=True, slots=True)
class QueryTerms:
    """The terms of a query.

    Attributes:
        tokens: Derived tokens in order, with repetitions; the same in every language.
        function_words: Tokens that tell little in the query's language.
        variants: For a token, the stems that its word has in the query's language besides.
    """

    tokens: list[str]
    function_words: frozenset[str]
    variants: Mapping[str, tuple[str, ...]]


def query_terms(query: str) -> QueryTerms:
    """Derive what a query is looked up by.

    A text and a query whose languages were taken for different ones still meet in `tokens`, which do
    not depend on the language.

    Args:
        query: Any string.

    Example:
        >>> query_terms("Welche Häuser sind alt?").variants
        {'hauser': ('haus',)}
        >>> query_terms("Which houses are old?").variants
        {}
    """
    found = words(query)
    languages, told = asked_languages(found)
    function_words = _SCRIPT_WORDS.union(*map(_function_words, languages)) if told else _ENGLISH
    variants: dict[str, tuple[str, ...]] = {}
    for language in languages:
        if not language.stemmed:
            continue
        for word in found:
            stem = variant(word, language)
            if stem is None:
                continue
            token = tokens(word)[0]
            known = variants.get(token, ())
            if token not in function_words and stem not in known:
                variants[token] = (*known, stem)
    return QueryTerms(tokens(query), function_words, variants)


@cache
def _function_words(language: Language) -> frozenset[str]:
    return frozenset(tokens(" ".join(language.words)))
