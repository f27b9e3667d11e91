"""What of a query asks to be found to the letter: phrases, identifiers, a single word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["EXACT_WEIGHT", "WORD_WEIGHT", "ExactTerm", "bare", "exact_terms", "exact_weight"]

# Full weight where a query is nothing else, next to nothing where an identifier stands in a long
# question: on judged sets as much as 4 there loses nDCG (scifact .801 -> .763, squad-dev .939 -> .933,
# queries with an identifier), and up to 2 changes little.
EXACT_WEIGHT: Final = 16.0
# What a chunk gains that alone has the only word of a query as it is spelt: stems do not tell
# Joaquins from Joaquin.
WORD_WEIGHT: Final = 6.0
# An identifier that is no more of the query than this is mentioned in passing.
_PASSING_SHARE: Final = 0.3
_LONGEST: Final = 200
_MOST: Final = 8
_LEAST_DIGITS: Final = 3
# What opens a quotation and what may close it: English, German and Polish, French, Japanese, code.
_MARKS: Final = {
    '"': '"',
    "\u201c": "\u201d",
    "\u201e": "\u201c\u201d",
    "\u00ab": "\u00bb",
    "\u300c": "\u300d",
    "`": "`",
}
_QUOTED = re.compile(
    "|".join(
        f"{opening}([^{opening}{closing}]{{0,{_LONGEST}}})[{closing}]"
        for opening, closing in _MARKS.items()
    )
)
_AROUND: Final = ".,;:!?()[]{}<>'\"`\u2026\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
# Signs that join the parts of a path, an address, a dotted or a snake_case name; or camelCase.
_JOINED = re.compile(r"\w[._/@\\:]+\w|[a-z][A-Z]")


@dataclass(frozen=True, slots=True)
class ExactTerm:
    """A part of a query to be found to the letter.

    Attributes:
        text: As it stands in the query.
        kind: ``quoted`` by quotation marks or backticks, an ``identifier`` by its shape, or the plain
            ``word`` that a query is.
    """

    text: str
    kind: Literal["quoted", "identifier", "word"]


def exact_terms(query: str) -> tuple[ExactTerm, ...]:
    r"""Find what a query asks for to the letter.

    Quoted phrases count, and words in the shape of identifiers: letters with digits, numbers of three
    digits and more, names joined by ``. _ / @ \ :``, and camelCase.

    Args:
        query: Any string.

    Returns:
        At most 8, each once.

    Example:
        >>> [term.text for term in exact_terms('where does "out of memory" come with E0308?')]
        ['out of memory', 'E0308']
    """
    found = [
        ExactTerm(text, kind="quoted")
        for match in _QUOTED.finditer(query)
        if len(text := match[match.lastindex or 0].strip()) > 1
    ]
    for word in _QUOTED.sub(" ", query).split():
        stripped = bare(word)
        if 1 < len(stripped) <= _LONGEST and _identifier(stripped):
            found.append(ExactTerm(stripped, "identifier"))
    once: dict[str, ExactTerm] = {}
    for term in found:
        once.setdefault(term.text.casefold(), term)
    return tuple(once.values())[:_MOST]


def _identifier(word: str) -> bool:
    digits = sum(char.isdigit() for char in word)
    if digits:
        return digits >= _LEAST_DIGITS or any(char.isalpha() or char in "._-" for char in word)
    return _JOINED.search(word) is not None


def bare(word: str) -> str:
    """A word without the signs around it.

    Args:
        word: Any string.
    """
    return word.strip().strip(_AROUND)


def exact_weight(term: ExactTerm, share: float, rarity: float) -> float:
    """What a chunk gains that holds a term to the letter.

    Args:
        term: The term.
        share: How many of the query's informative words stand in its identifiers, in [0, 1].
        rarity: IDF of the term over the highest possible IDF, in [0, 1].
    """
    if term.kind == "word":
        return WORD_WEIGHT * rarity * rarity
    named = (
        1.0 if term.kind == "quoted" else max(share - _PASSING_SHARE, 0.0) / (1 - _PASSING_SHARE)
    )
    return EXACT_WEIGHT * rarity * named * named
