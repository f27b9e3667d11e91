"""Words of a corpus that stand in exactly one of its documents, by kind."""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, zip_longest

from vstash.evaluation import Corpus
from vstash.evaluation.beir import documents

__all__ = ["KINDS", "RareWord", "holds", "kind_of", "rare_words"]

# The first kind that fits a word is its own.
KINDS: Mapping[str, re.Pattern[str]] = {
    "version": re.compile(r"[A-Za-z]*[-.]?\d+(?:[.-]\d+)+(?:[-.]?[A-Za-z]+\d*)?"),
    "hyphenated": re.compile(r"(?=.*\d)(?=.*[A-Za-z])\w+(?:-\w+)+"),
    "dotted": re.compile(r"[A-Za-z_]\w+(?:\.[A-Za-z_]\w+)+"),
    "snake or camel": re.compile(
        r"[A-Za-z]\w*_\w*[A-Za-z0-9]|[A-Za-z]*[a-z][A-Z][A-Za-z0-9]*|[A-Z]{2,}[a-z]{2,}[A-Za-z0-9]*"
    ),
    "code": re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9]{3,}"),
    "number": re.compile(r"\d{3,}"),
    "name": re.compile(r"[A-Z][a-z]{3,}"),
}
_WORD = re.compile(r"\w+(?:[.\-]\w+)*")
# Before a capital that only begins a sentence.
_SENTENCE_END = re.compile(r"(?:^|[.!?:\n\"“(]\s*)$")
_LOOKED_BACK = 4
# Candidates looked at for each that is wanted: some stand inside other words after all.
_SPARE = 4


@dataclass(frozen=True, slots=True)
class RareWord:
    """A word of one document.

    Attributes:
        text: As it stands there.
        kind: One of `KINDS`.
        key: Of the document.
    """

    text: str
    kind: str
    key: str


def rare_words(corpus: Corpus, count: int, seed: str) -> list[RareWord]:
    """Draw words that stand in exactly one document, from every kind in turn.

    Args:
        corpus: Titles and texts are read.
        count: How many at most.
        seed: The same seed draws the same words.
    """
    texts = {each.key or "": f"{each.title}\n{each.text}" for each in documents(corpus)}
    frequencies: Counter[str] = Counter()
    for text in texts.values():
        frequencies.update({word.casefold() for word in _WORD.findall(text)})
    by_kind: dict[str, dict[str, RareWord]] = defaultdict(dict)
    for key, text in texts.items():
        for word, kind in _with_kinds(text):
            if frequencies[word.casefold()] == 1:
                by_kind[kind].setdefault(word.casefold(), RareWord(word, kind, key))
    chosen = random.Random(seed)
    drawn = []
    for kind in KINDS:
        words = list(by_kind[kind].values())
        drawn.append(chosen.sample(words, min(_SPARE * count, len(words))))
    found: list[RareWord] = []
    places = _Places(list(texts.values()))
    for word in filter(None, chain.from_iterable(zip_longest(*drawn))):
        if len(found) < count and places.documents(word.text) == 1:
            found.append(word)
    return found


def kind_of(word: str) -> str | None:
    """The kind of a word, None where it is an ordinary one.

    Example:
        >>> [kind_of(word) for word in ("E0308", "v1.2.3", "readLine", "IL-6", "Ada")]
        ['code', 'version', 'snake or camel', 'hyphenated', None]
    """
    return next((kind for kind, shape in KINDS.items() if shape.fullmatch(word)), None)


def holds(text: str, word: str) -> bool:
    """Whether a word stands in a text by itself, whatever its case."""
    return re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text.casefold()) is not None


def _with_kinds(text: str) -> Iterator[tuple[str, str]]:
    for match in _WORD.finditer(text):
        kind = kind_of(match.group())
        if kind is None:
            continue
        before = text[max(match.start() - _LOOKED_BACK, 0) : match.start()]
        if kind != "name" or not _SENTENCE_END.search(before):
            yield match.group(), kind


class _Places:
    """Finds in how many documents a word stands by itself."""

    def __init__(self, texts: Sequence[str]) -> None:
        folded = [text.casefold() for text in texts]
        self._all = "\n".join(folded)
        self._starts = list(accumulate((len(text) + 1 for text in folded), initial=0))

    def documents(self, word: str) -> int:
        """How many documents hold the word."""
        sought = word.casefold()
        found = set()
        start = self._all.find(sought)
        while start >= 0:
            end = start + len(sought)
            # Looked for by find, which is fast, and then like `holds`.
            if holds(self._all[max(start - 1, 0) : end + 1], sought):
                found.add(bisect_right(self._starts, start))
            start = self._all.find(sought, end)
        return len(found)
