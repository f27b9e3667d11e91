"""What a query is looked up by: its tokens, those that tell little, and other forms of its words."""

# ruff: noqa: RUF001 - other scripts are the point

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from vstash.text.characters import without_accents
from vstash.text.function_words import FUNCTION_WORDS
from vstash.text.language_words import SCRIPT_WORDS, Language
from vstash.text.languages import asked_languages
from vstash.text.normalise import MAX_TOKEN_CHARS, tokens, variant, words

__all__ = ["QueryTerms", "query_terms"]


@dataclass(frozen=True, slots=True)
class QueryTerms:
    """The terms of a query.

    Attributes:
        tokens: Derived tokens in order, with repetitions; the same in every language.
        function_words: Tokens that tell little in the query's language.
        variants: For a token, other forms under which its word may be indexed in that language.
    """

    tokens: list[str]
    function_words: AbstractSet[str]
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
    known = tokens(query)
    empty: AbstractSet[str] = frozenset() if told else FUNCTION_WORDS
    if not query.isascii() or told:
        empty |= _empty(found, languages if told else ())
    return QueryTerms(known, empty, _variants(found, languages, empty))


def _plain(word: str) -> str:
    return without_accents(word.casefold())[:MAX_TOKEN_CHARS]


# A single Greek letter is a symbol in a text of any language.
_SCRIPT_WORDS: Final = frozenset(
    word
    for word in map(_plain, " ".join(SCRIPT_WORDS.values()).split())
    if len(word) > 1 or not "α" <= word <= "ω"
)


def _empty(found: Sequence[str], languages: Iterable[Language]) -> set[str]:
    """Tokens of function words that are no other word's too: stems of the two can be the same."""
    listed = frozenset[str]().union(*(each.words for each in languages))
    empty: set[str] = set()
    full: set[str] = set()
    for word in found:
        is_function_word = word.casefold() in listed or _plain(word) in _SCRIPT_WORDS
        (empty if is_function_word else full).update(tokens(word))
    return empty - full


def _variants(
    found: Sequence[str], languages: Iterable[Language], empty: AbstractSet[str]
) -> dict[str, tuple[str, ...]]:
    variants: dict[str, tuple[str, ...]] = {}
    for language in languages:
        for word in found if language.stemmed else ():
            parts = tokens(word)
            if len(parts) != 1 or parts[0] in empty or not word.isalpha():
                continue
            # As it stands too: some stemmers cut an s that the plural's stem keeps.
            forms = (*variants.get(parts[0], ()), variant(word, language), _plain(word))
            others = dict.fromkeys(form for form in forms if form and form != parts[0])
            if others:
                variants[parts[0]] = tuple(others)
    return variants
