"""The list of function words."""

from __future__ import annotations

import pytest

from vstash.text.function_words import FUNCTION_WORDS
from vstash.text.normalise import tokens


@pytest.mark.parametrize(
    "phrase",
    [
        "What is the",
        "how do I",
        "WHY does it",
        "because of these",
        "which of them was it",
        "don't you",
        "before and during",
    ],
)
def test_phrases_of_function_words_hold_nothing_else(phrase: str) -> None:
    """Every token of such a phrase is in the list, whatever its case and ending."""
    assert set(tokens(phrase)) <= FUNCTION_WORDS


@pytest.mark.parametrize(
    "word", ["port", "severe", "several", "US", "mine", "python", "run", "time", "near", "8090"]
)
def test_words_with_a_meaning_are_kept(word: str) -> None:
    """A word that tells what a text is about is no function word, nor shares a stem with one."""
    assert FUNCTION_WORDS.isdisjoint(tokens(word))


def test_size() -> None:
    """The list stays short, so that it cannot swallow a query by accident."""
    assert 120 <= len(FUNCTION_WORDS) <= 190
