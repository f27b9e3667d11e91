"""Queries made from a document, each with a passage that answers it in other words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from vstash.mining import Form
from vstash.text.boundaries import sentences
from vstash.text.normalise import tokens, words
from vstash.text.probes import askable

__all__ = ["Frequencies", "Made", "Passage", "Source", "echoes", "made"]

# So many words in a row that stand in a passage quote it.
_RUN: Final = 4
_MOST_CHARS: Final = 400
_LEAST_WORDS: Final = 4
_LEAST_TERMS: Final = 3
_MOST_TERMS: Final = 5
# A keyphrase is drawn from so many words of a passage that tell most of it.
_TELLING: Final = 8
_ORDERS: Final = 8
_DROPPED: Final = 3

# How many passages hold each of some derived words.
Frequencies = Callable[[Collection[str]], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a document: its headings, outermost first, and its text."""

    heading: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """What queries are made from.

    Attributes:
        title: Of the document.
        passages: Some of its passages that follow one another.
        whole: Whether the first of them is the document's first.
        rng: Chooses.
        frequencies: Tells rare words.
        count: Of all passages, at least as many as hold any word.
    """

    title: str
    passages: Sequence[Passage]
    whole: bool
    rng: Random
    frequencies: Frequencies
    count: int


@dataclass(frozen=True, slots=True)
class Made:
    """A query, and the place of the passage that answers it."""

    query: str
    place: int


def echoes(query: str, text: str, *, run: int = _RUN) -> bool:
    """Whether one of two texts quotes the other.

    That is: some derived words in a row are in both, ``run`` of them or all of the shorter text's.

    Args:
        query: One text.
        text: The other; without a word it echoes anything.
        run: How many words in a row are a quote, at least 1.

    Example:
        >>> echoes("which port does staging use", "The staging server listens on port 8090.")
        False
        >>> echoes("The Server listens on...", "The staging server listens on port 8090.", run=3)
        True
        >>> echoes("staging", "The staging server listens on port 8090.")
        True
    """
    one, other = tokens(query), tokens(text)
    size = min(run, len(one), len(other))
    return size == 0 or not _runs(one, size).isdisjoint(_runs(other, size))


def _runs(found: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(found[at : at + size]) for at in range(len(found) - size + 1)}


def made(form: Form, source: Source, most: int) -> list[Made]:
    """Make queries of one form.

    Args:
        form: One of `vstash.mining.MADE_FORMS`.
        source: The document.
        most: How many at most, at least 1.

    Returns:
        Queries that neither quote their passage nor are quoted by it, of at most 400 characters.
    """
    found: dict[str, Made] = {}
    for each in _MAKERS[form](source):
        query = " ".join(each.query.split())
        if len(query) > _MOST_CHARS or query in found:
            continue
        if not echoes(query, source.passages[each.place].text):
            found[query] = Made(query, each.place)
        if len(found) == most:
            break
    return [*found.values()]


def _titles(source: Source) -> Iterator[Made]:
    """The title asks for the first passage that does not say it again."""
    for place, passage in enumerate(source.passages):
        if not echoes(source.title, passage.text):
            yield Made(source.title, place)
            return


def _headings(source: Source) -> Iterator[Made]:
    for place in _shuffled(source):
        if source.passages[place].heading:
            yield Made(source.passages[place].heading[-1], place)


def _first_sentences(source: Source) -> Iterator[Made]:
    """The first sentence asks for one of the passages after the first."""
    if not source.whole:
        return
    first = sentences(source.passages[0].text)[0]
    if len(words(first)) < _LEAST_WORDS:
        return
    for place in _shuffled(source):
        if place and not echoes(first, source.passages[place].text):
            yield Made(first, place)
            return


def _keyphrases(source: Source) -> Iterator[Made]:
    """Some of the words that tell most of a passage, no two in a row as they stand there."""
    for place in _shuffled(source):
        text = source.passages[place].text
        terms = _informative(text, source)
        if len(terms) < _LEAST_TERMS:
            continue
        size = source.rng.randint(_LEAST_TERMS, min(_MOST_TERMS, len(terms)))
        for _ in range(_ORDERS):
            query = " ".join(source.rng.sample(terms, size))
            if not echoes(query, text, run=2):
                yield Made(query, place)
                break


def _informative(text: str, source: Source) -> list[str]:
    """The words of a passage that tell most of it, by how often it has them times their IDF."""
    known = {word.tokens: word.text for sentence in askable(text) for word in sentence}
    frequencies = source.frequencies({token for each in known for token in each})
    here = Counter(tokens(text))
    weighed = []
    for each, word in known.items():
        frequency = min(frequencies.get(token, 0) for token in each)
        # What no other passage holds would make it too easy.
        if frequency > 1 and any(token.isalpha() for token in each):
            often = min(here[token] for token in each)
            weighed.append((-often * math.log1p(source.count / frequency), word))
    return [word for _, word in sorted(weighed)[:_TELLING]]


def _clozes(source: Source) -> Iterator[Made]:
    """A sentence asks for the passage beside its own, or without a third of its words for its own.

    Source: the inverse cloze task of Lee, Chang and Toutanova, "Latent Retrieval for Weakly Supervised
    Open Domain Question Answering" (ACL 2019), where one query in ten keeps its sentence in the passage.
    """
    for place in _shuffled(source):
        long = [
            sentence
            for sentence in sentences(source.passages[place].text)
            if len(words(sentence)) >= 2 * _LEAST_WORDS
        ]
        if not long:
            continue
        sentence = source.rng.choice(long)
        beside = [each for each in (place - 1, place + 1) if 0 <= each < len(source.passages)]
        if beside:
            yield Made(sentence, source.rng.choice(beside))
        else:
            dropped = source.rng.randrange(_DROPPED)
            kept = (word for at, word in enumerate(words(sentence)) if at % _DROPPED != dropped)
            yield Made(" ".join(kept), place)


def _shuffled(source: Source) -> list[int]:
    return source.rng.sample(range(len(source.passages)), len(source.passages))


_MAKERS: Final[Mapping[Form, Callable[[Source], Iterator[Made]]]] = {
    "title": _titles,
    "heading": _headings,
    "first_sentence": _first_sentences,
    "keyphrase": _keyphrases,
    "cloze": _clozes,
}
