"""Query analysis: which words carry information, and how much."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

__all__ = ["QueryWords", "analyse", "idf", "published_idf"]


@dataclass(frozen=True, slots=True)
class QueryWords:
    """The derived words of a query.

    Attributes:
        all: Every token in order, repetitions and function words included.
        informative: Distinct words to look up, in order of appearance.
        variants: For a word, other forms under which it may be indexed; any of them counts as it.
    """

    all: tuple[str, ...]
    informative: tuple[str, ...]
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Number of tokens."""
        return len(self.all)

    @property
    def forms(self) -> tuple[str, ...]:
        """Informative words and their variants, each once."""
        others = (form for word in self.informative for form in self.variants.get(word, ()))
        return tuple(dict.fromkeys((*self.informative, *others)))

    def found_in(self, present: Iterable[str]) -> set[str]:
        """The informative words that occur in a text in one of their forms.

        Args:
            present: Derived words of the text.
        """
        there = set(present)
        return {
            word
            for word in self.informative
            if not there.isdisjoint((word, *self.variants.get(word, ())))
        }


def analyse(
    tokens: Sequence[str],
    function_words: AbstractSet[str],
    variants: Mapping[str, tuple[str, ...]] | None = None,
    *,
    limit: int = 256,
) -> QueryWords:
    """Pick the words worth looking up.

    Args:
        tokens: The query's derived tokens.
        function_words: Words such as articles, in the same derived form.
        variants: For a token, other forms of the same word.
        limit: Look up at most this many distinct words.

    Returns:
        The words; a query of function words alone has none that are informative.

    Example:
        >>> analyse(["the", "port", "is", "8090"], {"the", "is"}).informative
        ('port', '8090')
    """
    distinct = dict.fromkeys(token for token in tokens if token not in function_words)
    return QueryWords(tuple(tokens), tuple(distinct)[:limit], variants or {})


def idf(chunk_count: int, frequency: int) -> float:
    """Inverse document frequency, ``ln(1 + (N - df + .5) / (df + .5))``; never negative.

    Args:
        chunk_count: N, number of chunks, at least 0.
        frequency: df, in how many of them the word occurs.

    Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009,
    section 3, with the 1 inside the logarithm that Lucene added.
    """
    return math.log1p((chunk_count - frequency + 0.5) / (frequency + 0.5))


def published_idf(chunk_count: int, frequency: int) -> float:
    """Inverse document frequency as the adaptive method was published: ``ln(N / df)``.

    Args:
        chunk_count: N, number of chunks.
        frequency: df; a word that occurs nowhere counts as if it occurred once, the maximum.
    """
    return math.log(max(chunk_count, 1) / max(frequency, 1))
