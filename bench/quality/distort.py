"""Queries as people write them in a hurry: with typos, or as a few words."""

from __future__ import annotations

import random
import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping

from vstash.evaluation import Corpus
from vstash.evaluation.beir import documents
from vstash.text.normalise import tokens

__all__ = ["document_frequencies", "rarest", "with_typos"]

_SHARE = 0.2
_KEPT = 3
# Digits are no typos' place: another number is another question.
_LONG_WORD = re.compile(r"[^\W\d_]{3,}")


def with_typos(text: str, seed: str, share: float = _SHARE) -> str:
    """The text with a letter deleted, inserted, replaced or swapped in some words.

    The first letter of a word stays. Words under 3 letters are left alone.

    Args:
        text: A query.
        seed: The same seed makes the same typos.
        share: Of the words, in [0, 1]; at least one has a typo, where one can.
    """
    chosen = random.Random(seed)
    words = list(_LONG_WORD.finditer(text))
    count = min(max(1, round(share * len(text.split()))), len(words))
    for word in sorted(chosen.sample(words, count), key=re.Match.start, reverse=True):
        text = text[: word.start()] + _mistyped(word.group(), chosen) + text[word.end() :]
    return text


def _mistyped(word: str, chosen: random.Random) -> str:
    place = chosen.randrange(1, len(word))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    other = chosen.choice([each for each in string.ascii_lowercase if each != letter.lower()])
    kind = chosen.choice(("delete", "insert", "replace", "swap"))
    if kind == "swap" and after and after[0] != letter:
        return before + after[0] + letter + after[1:]
    if kind == "insert":
        return before + other + letter + after
    return before + (other if kind == "replace" else "") + after


def rarest(text: str, frequencies: Mapping[str, int], kept: int = _KEPT) -> str:
    """The rarest words of a query, in their order.

    Args:
        text: A query.
        frequencies: In how many documents each derived token is; a word is as rare as its rarest
            token, and one that is nowhere the rarest of all.
        kept: How many words stay.
    """
    words = [(word, tokens(word)) for word in dict.fromkeys(text.split())]
    rarity = {
        word: min(frequencies.get(token, 0) for token in derived)
        for word, derived in words
        if derived
    }
    chosen = set(sorted(rarity, key=rarity.__getitem__)[:kept])
    return " ".join(word for word in rarity if word in chosen) or text


def document_frequencies(corpus: Corpus) -> Mapping[str, int]:
    """In how many documents of a corpus, titles included, each derived token is."""
    return _counted(f"{each.title}\n{each.text}" for each in documents(corpus))


def _counted(texts: Iterable[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for text in texts:
        found.update(set(tokens(text)))
    return found
