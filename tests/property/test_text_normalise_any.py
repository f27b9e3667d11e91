"""Derived tokens of any text."""

from __future__ import annotations

import string
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from vstash.text.normalise import MAX_TOKEN_CHARS, indexed, tokens

ANY = st.text(st.characters(codec=None), max_size=200) | st.text(
    st.sampled_from("aB1_ é\u0301\u0315\u0316\uff9eß東ก한हि\u200d\ud800\0.'\n"), max_size=400
)


@settings(deadline=None, max_examples=300)
@given(ANY)
def test_any_text_gives_clean_tokens(text: str) -> None:
    """No text raises, and no token can be mistaken for syntax of the index."""
    found = tokens(text)
    for token in found:
        assert 1 <= len(token) <= MAX_TOKEN_CHARS
        assert not set(string.punctuation) & set(token)
        assert not any(char.isspace() for char in token)
        token.encode("utf-8")
    stored = indexed(text).split()
    assert stored[: len(found)] == found
    for stem in stored[len(found) :]:
        assert 1 <= len(stem) <= MAX_TOKEN_CHARS
        assert stem.isalnum()


@settings(deadline=None, max_examples=200)
@given(ANY, ANY)
def test_lines_are_independent(first: str, second: str) -> None:
    """The tokens of two lines are those of the one and then those of the other."""
    assert tokens(f"{first}\n{second}") == tokens(first) + tokens(second)


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(categories=("L", "N", "M", "P", "Z")), max_size=100))
def test_upper_and_composed_forms_meet(text: str) -> None:
    """Composed and decomposed text give the same tokens."""
    import unicodedata

    composed = unicodedata.normalize("NFC", text)
    assert tokens(composed) == tokens(unicodedata.normalize("NFD", text))


def _lines_run(text: str) -> int:
    """How many lines of Python run while a text is normalised: its cost, without a clock."""
    count = 0

    def trace(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type] # the stub wants the exact frame type
    try:
        tokens(text)
    finally:
        sys.settrace(before)
    return count


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters(codec=None), min_size=1, max_size=20), st.integers(70, 120))
def test_twice_the_text_is_at_most_twice_the_work(unit: str, times: int) -> None:
    """The lines of code that run grow with the text, not faster.

    So many repetitions, that no single word is short enough to be cached.
    """
    tokens(unit * times * 2)
    once, twice = _lines_run(unit * times), _lines_run(unit * times * 2)
    assert twice <= 2.2 * once + 200


def test_marks_out_of_order_are_not_sorted_for_hours() -> None:
    """Runs of combining marks, quadratic to sort, are bounded before they are composed."""
    assert len(tokens("a" + "\u0315" * 300_000 + "\u0316" * 300_000 + "b c")) == 2
