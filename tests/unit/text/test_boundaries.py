"""Where a block may be cut."""

from __future__ import annotations

import pytest

from vstash.text.boundaries import first_start, last_cut


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Para one.\n\nPara two. Then more", "Para one.\n\n"),
        ("One. Two! Three", "One. Two! "),
        ("He said “Yes.” Then left", "He said “Yes.” "),
        ("See e.g. this and that", "See e.g. this and "),
        ("By J. Smith and 1. Foo", "By J. Smith and 1. "),
        ("Line one\nline two", "Line one\n"),
        ("彼は来た。そして去った", "彼は来た。"),
        ("वह आया। फिर गया", "वह आया। "),
        ("two words", "two "),
        ("oneword", None),
    ],
)
def test_best_cut_of_prose(text: str, expected: str | None) -> None:
    """A paragraph's end goes before a sentence's, a line's and a word's."""
    cut = last_cut(text, 0, len(text), "prose")
    assert (None if cut is None else text[:cut]) == expected


def test_lines_are_cut_at_line_ends() -> None:
    """In code, a full stop in a comment is no place to cut."""
    text = "x = 1\n# One. Two. Y"
    assert last_cut(text, 0, len(text), "lines") == 6
    assert last_cut(text, 0, len(text), "prose") == 18


def test_the_cut_stays_within_its_bounds() -> None:
    """Nothing before the lower or behind the upper bound is found."""
    text = "One. Two. Three. Four."
    assert last_cut(text, 5, 12, "prose") == 10
    assert last_cut(text, 5, 7, "prose") is None


@pytest.mark.parametrize(
    ("low", "expected"), [(0, "Two three. Four"), (5, "Two three. Four"), (6, "Four"), (17, None)]
)
def test_a_repeated_part_starts_at_a_sentence(low: int, expected: str | None) -> None:
    """The first sentence that starts within the bounds, also exactly at the lower one."""
    text = "One. Two three. Four"
    found = first_start(text, low, len(text), "prose")
    assert (None if found is None else text[found:]) == expected


def test_a_repeated_part_starts_at_a_word_otherwise() -> None:
    """Where no sentence starts, a word does; where no word does, nothing is repeated."""
    text = "one two three"
    assert first_start(text, 5, len(text), "prose") == 8
    assert first_start(text, 9, len(text), "prose") is None
