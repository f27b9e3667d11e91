"""What a passage can be asked by: the words of its sentences that tell something."""

from __future__ import annotations

from dataclasses import dataclass

from vstash.text.boundaries import sentences
from vstash.text.normalise import tokens, words
from vstash.text.query_terms import query_terms

__all__ = ["AskableWord", "askable"]


@dataclass(frozen=True, slots=True)
class AskableWord:
    """A word as it is written, and its derived tokens."""

    text: str
    tokens: tuple[str, ...]


def askable(text: str) -> list[list[AskableWord]]:
    """The words of each sentence that are no function words, in order, each once.

    Runs of scripts without spaces give every second pair of characters.

    Args:
        text: Of a passage.

    Example:
        >>> [[word.text for word in each] for each in askable("The port is open. It was shut at noon.")]
        [['port', 'open'], ['shut', 'noon']]
    """
    return [_askable(sentence) for sentence in sentences(text)]


def _askable(sentence: str) -> list[AskableWord]:
    empty = query_terms(sentence).function_words
    found: dict[tuple[str, ...], AskableWord] = {}
    for written in words(sentence):
        for text in _pieces(written):
            derived = tuple(tokens(text))
            if not empty >= {*derived}:
                found.setdefault(derived, AskableWord(text, derived))
    return [*found.values()]


def _pieces(written: str) -> list[str]:
    pairs = [] if written.isascii() else tokens(written)
    # Only a script without spaces gives its own pairs of characters back.
    if len(pairs) > 1 and pairs == [written[at : at + 2] for at in range(len(written) - 1)]:
        return pairs[::2]
    return [written]
