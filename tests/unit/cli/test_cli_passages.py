"""Shortening a passage around its matches."""

from __future__ import annotations

from itertools import pairwise

import pytest

from vstash.cli.passages import match_spans, snippet


def _brackets(text: str) -> str:
    return f"[{text}]"


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("Tea and teas, not team or tease", ["tea"], "Tea|teas|team"),
        ("happy, happiness, hap", ["happi"], "happy|happiness"),
        ("Café CAFÉ cafe", ["cafe"], "Café|CAFÉ|cafe"),
        ("東京都の人口", ["東京", "人口"], "東京|人口"),
        ("listens listening list", ["listen"], "listens|listening"),
        ("port 8090 and 80900", ["8090"], "8090|80900"),
        ("nothing here", [], ""),
    ],
)
def test_matches(text: str, words: list[str], shown: str) -> None:
    """Words are found by their stems, without diacritics, and inside runs without blanks."""
    found = match_spans(text, words)
    assert "|".join(text[match.start : match.end] for match in found) == shown
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_a_short_passage_is_shown_whole() -> None:
    """Matches are emphasised, blank lines left out, indentation kept."""
    shown = snippet("def port():\n\n    return 8090\n", ["port"], width=60, emphasise=_brackets)
    assert shown == ("def [port]():", "    return 8090")


def test_a_long_passage_is_cut_around_its_matches() -> None:
    """Four lines with most of the different words, and an ellipsis at both ends."""
    filler = "\n".join(f"filler line {number}" for number in range(10))
    text = f"tea tea tea\n{filler}\nport of tea\n{filler}"
    shown = snippet(text, ["tea", "port"], width=60, emphasise=_brackets)
    assert len(shown) == 4
    assert any("[port] of [tea]" in line for line in shown)
    assert shown[0].startswith("… ")
    assert shown[-1].endswith(" …")


def test_without_matches_the_beginning_is_shown() -> None:
    """The first four lines, and an ellipsis."""
    shown = snippet("\n".join("abcdef"), [], width=60, emphasise=_brackets)
    assert shown == ("a", "b", "c", "d …")


def test_long_lines_are_wrapped() -> None:
    """No line is longer than asked but for the ellipsis."""
    shown = snippet("word " * 500, ["absent"], width=40, emphasise=_brackets)
    assert len(shown) == 4
    assert max(map(len, shown)) <= 42


def test_nothing_to_show() -> None:
    """A passage of blanks is no lines."""
    assert snippet(" \n ", ["x"], width=40, emphasise=_brackets) == ()
