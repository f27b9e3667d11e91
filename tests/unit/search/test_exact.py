"""What of a query is asked for to the letter."""

from __future__ import annotations

from typing import Literal

import pytest

from vstash.search.exact import ExactTerm, exact_terms, exact_weight

IDENTIFIERS = [
    ("what is E0308", ["E0308"]),
    ("error 404 on the page", ["404"]),
    ("on port 8090?", ["8090"]),
    ("CVE-2024-3094 affects which versions", ["CVE-2024-3094"]),
    ("upgrade to 3.11.4, or v2.0-rc1!", ["3.11.4", "v2.0-rc1"]),
    ("see src/vstash/settings.py.", ["src/vstash/settings.py"]),
    (r"open C:\Temp\notes.txt", [r"C:\Temp\notes.txt"]),
    ("is max_query_chars a setting", ["max_query_chars"]),
    ("who calls readConfigFile()", ["readConfigFile"]),
    ("std::vector versus numpy.ndarray", ["std::vector", "numpy.ndarray"]),
    ("write to ada@example.org, please", ["ada@example.org"]),
    ("(https://example.org/a?b=c)", ["https://example.org/a?b=c"]),
    ("commit 9f8e7d6c broke it", ["9f8e7d6c"]),
    ("between 2024-05-01 and 10:30", ["2024-05-01", "10:30"]),
    ("[ABC-123] 'x86_64'; <utf8>", ["ABC-123", "x86_64", "utf8"]),
    ("the \u201cK8s\u201d cluster and \u2018h264\u2019\u2026", ["h264"]),
]
QUOTED = [
    ('say "out of memory" twice', ["out of memory"]),
    ("say \u201cout of memory\u201d twice", ["out of memory"]),
    ("sagt \u201eaus dem Speicher\u201c und \u201enichts mehr\u201c", ["aus dem Speicher", "nichts mehr"]),
    ("dit \u00ab pas de m\u00e9moire \u00bb ici", ["pas de m\u00e9moire"]),
    ("\u4f55\u304c\u300c\u6771\u4eac\u90fd\u300d\u3067\u3059\u304b", ["\u6771\u4eac\u90fd"]),
    ("run `vstash check` now", ["vstash check"]),
    ('"first one" or "second one"', ["first one", "second one"]),
    ('it"s an unbalanced quote', []),
    ('an empty "" and a blank "   " one', []),
    ('one sign "x" is no phrase', []),
    ("\u201cnever closed, \u201cbut this\u201d", ["but this"]),
    (f'"{"x" * 201}" is no phrase', []),
]  # fmt: skip
PROSE = [
    "How do I keep basil alive in winter?",
    "What did Ada say about tea, and when?",
    "state-of-the-art well-known methods; it's the user's",
    "The first 5 of 12 people, or 5% of them",
    "HTTP and NASA, in capitals, are words",
    "Wait... what?! (Really?) \u2014 no, never\u2026",
    "\u5730\u4e0b\u9244\u306f\u4fbf\u5229\u3067\u3059\u304b",
    "\U0001f9c0 ? ! _",
    "C++ is older than C#",
    "",
]


@pytest.mark.parametrize(("query", "expected"), IDENTIFIERS, ids=[case[0] for case in IDENTIFIERS])
def test_identifiers_are_found_by_their_shape(query: str, expected: list[str]) -> None:
    """Without the punctuation around them; nothing is quoted but in quotation marks."""
    found = exact_terms(query)
    assert [term.text for term in found if term.kind != "quoted"] == expected


@pytest.mark.parametrize(("query", "expected"), QUOTED, ids=[case[0][:40] for case in QUOTED])
def test_quoted_phrases_are_found(query: str, expected: list[str]) -> None:
    """In the quotation marks of several languages and in backticks, of 2 to 200 characters."""
    assert exact_terms(query) == tuple(ExactTerm(text, "quoted") for text in expected)


@pytest.mark.parametrize("query", PROSE)
def test_ordinary_prose_asks_for_nothing_to_the_letter(query: str) -> None:
    """Words, hyphens, abbreviations in capitals, small numbers and punctuation are no identifiers."""
    assert exact_terms(query) == ()


def test_what_is_quoted_is_not_looked_at_again() -> None:
    """An identifier in a phrase is part of the phrase; the phrases come first, each once."""
    query = 'E0308 `E0308` "error E0308 in x_y" e0308 z_1 z_1'
    assert exact_terms(query) == (
        ExactTerm("E0308", "quoted"),
        ExactTerm("error E0308 in x_y", "quoted"),
        ExactTerm("z_1", "identifier"),
    )


def test_no_more_than_eight() -> None:
    """Beyond that the first ones count."""
    query = " ".join(f"name_{number}" for number in range(20))
    assert [term.text for term in exact_terms(query)] == [f"name_{number}" for number in range(8)]


@pytest.mark.parametrize(
    "query",
    [
        *(
            '"' * 100_000,
            '"a' * 50_000,
            "`\u201c\u00ab" * 33_333,
            "\u201ea" * 50_000,
            "\u201c\u00ab\u300c" * 33_333,
        ),
        *('"' + "a" * 99_999, '"ab" ' * 20_000, "a_" * 50_000, "." * 100_000, "a" * 100_000),
        *("a.b" * 33_333, "aB " * 33_333, "_a " * 33_333, "1 " * 50_000, " " * 100_000),
    ],
    ids=lambda query: ascii(query[:6]),
)
def test_any_length_is_read_once(query: str) -> None:
    """100,000 characters made to be read over and over end at once (the suite's time limit holds it)."""
    found = exact_terms(query)
    assert len(found) <= 8
    assert all(len(term.text) <= 200 for term in found)


@pytest.mark.parametrize(
    ("kind", "share", "rarity", "expected"),
    [
        ("quoted", 0.0, 1.0, 16.0),
        ("quoted", 1.0, 0.5, 8.0),
        ("identifier", 1.0, 1.0, 16.0),
        ("identifier", 1.0, 0.25, 4.0),
        # ((.65 - .3) / .7)^2 = .25
        ("identifier", 0.65, 1.0, 4.0),
        ("identifier", 0.3, 1.0, 0.0),
        ("identifier", 0.1, 1.0, 0.0),
        ("quoted", 1.0, 0.0, 0.0),
        ("word", 0.0, 0.5, 1.5),
    ],
)
def test_the_weight_by_hand(
    kind: Literal["quoted", "identifier", "word"], share: float, rarity: float, expected: float
) -> None:
    """16 times the rarity, for identifiers times ((share - .3) / .7)^2; 6 rarity^2 for a word."""
    term = ExactTerm("x_1", kind)
    assert exact_weight(term, share, rarity) == pytest.approx(expected)
