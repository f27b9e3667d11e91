"""Which words of a query are looked up, and what they weigh."""

from __future__ import annotations

import math

import pytest

from vstash.search.words import analyse, idf, published_idf


def test_function_words_are_not_looked_up() -> None:
    """Every token counts for the length, only informative ones are asked for, once each."""
    words = analyse(["the", "port", "of", "the", "port", "8090"], {"the", "of"})
    assert words.length == 6
    assert words.informative == ("port", "8090")


def test_a_query_of_function_words_has_none() -> None:
    """What is left may be nothing."""
    assert analyse(["the", "of"], {"the", "of"}).informative == ()
    assert analyse([], set()).length == 0


def test_the_number_of_words_is_bounded() -> None:
    """A very long query asks for its first words only, and keeps its length."""
    words = analyse([f"w{number}" for number in range(1000)], set(), limit=256)
    assert len(words.informative) == 256
    assert words.informative[-1] == "w255"
    assert words.length == 1000


@pytest.mark.parametrize(
    ("count", "frequency", "expected"),
    [
        (1000, 1, math.log(1 + 999.5 / 1.5)),
        (1000, 1000, math.log(1 + 0.5 / 1000.5)),
        (1000, 0, math.log(1 + 1000.5 / 0.5)),
        (0, 0, math.log(2)),
    ],
)
def test_idf_by_hand(count: int, frequency: int, expected: float) -> None:
    """The formula of its docstring, from a word in one chunk to a word in all; never negative."""
    assert idf(count, frequency) == pytest.approx(expected)
    assert idf(count, frequency) > 0


@pytest.mark.parametrize(
    ("count", "frequency", "expected"),
    [(1000, 10, math.log(100)), (1000, 0, math.log(1000)), (1000, 1000, 0.0), (0, 0, 0.0)],
)
def test_published_idf_by_hand(count: int, frequency: int, expected: float) -> None:
    """ln(N / df), an unknown word counting as if it occurred once."""
    assert published_idf(count, frequency) == pytest.approx(expected)
