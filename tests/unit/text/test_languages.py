"""Which language a text is taken for, and what that changes."""

# ruff: noqa: RUF001 - other scripts are the point

from __future__ import annotations

import re
from pathlib import Path

import pytest
import Stemmer

from tests.unit.pipeline.language_cases import CASES, LIMITS
from vstash.text.function_words import FUNCTION_WORDS
from vstash.text.language_words import LANGUAGES, SCRIPT_WORDS, WEAK_WORDS
from vstash.text.languages import _BY_SCRIPT, asked_languages, language_of
from vstash.text.normalise import indexed, tokens, words
from vstash.text.query_terms import query_terms

DOCS = Path(__file__).resolve().parents[3] / "docs" / "languages.md"

ENGLISH = (
    (
        "The children's houses were running out of water; it isn't anyone's fault.",
        "the children s hous were run out of water it isn t anyon s fault",
    ),
    (
        "Van der Waals forces, the Tour de France and El Niño in Los Angeles: de facto, vis-à-vis, per diem.",
        "van der waal forc the tour de franc and el nino in los angel de facto vis a vis per diem",
    ),
    (
        "Café owners in São Paulo and Łódź met Søren and Zoë over crème brûlée — “naïve”, they said.",
        "cafe owner in sao paulo and łodz met søren and zoe over creme brule naiv they said",
    ),
    (
        "Ich bin ein Berliner, said the president to the crowd, and they cheered.",
        "ich bin ein berlin said the presid to the crowd and they cheer",
    ),
    (
        "Die cast parts, hat racks, tot lots and war bonds: prices on demand.",
        "die cast part hat rack tot lot and war bond price on demand",
    ),
    (
        "TCP port 8090, IPv6, HTTPServer and max_text_chars in v3.12.1 (commit 9f8e7d6).",
        "tcp port 8090 i pv 6 ipv6 http server httpserver and max text char maxtextchars in v 3 v3 12 1 commit 9 f 8 e 7 d 6 9f8e7d6",
    ),
    (
        "def load(self, path: str) -> None:\n    for la, le in self.dir.items():\n        if not la:\n            return None",
        "def load self path str none for la le in self dir item if not la return none",
    ),
    (
        "const des = await fetch(url); let un = des.data ?? null; var el = document.body;",
        "const des await fetch url let un des data null var el document bodi",
    ),
    (
        "SELECT de, la FROM den WHERE min > 3 AND die = 'x';",
        "select de la from den where min 3 and die x",
    ),
    (
        "error[E0308]: mismatched types; 0x80070005, CVE-2024-3094, C++ & C#, .NET, foo.bar()",
        "error e 0308 e0308 mismatch type 0 x 80070005 0x80070005 cve 2024 3094 c c net foo bar",
    ),
    (
        "soy milk",
        "soy milk",
    ),
    (
        "hay fever",
        "hay fever",
    ),
    (
        "bin dir",
        "bin dir",
    ),
    (
        "jalapeño recipe",
        "jalapeno recip",
    ),
    (
        "Erdős number of Gödel",
        "erdo number of godel",
    ),
)
"""English, code and lists with their tokens of before other languages were stemmed."""


@pytest.mark.parametrize(("text", "expected"), ENGLISH)
def test_english_keeps_its_tokens(text: str, expected: str) -> None:
    """To the last one, whatever foreign names, loans and look-alikes it holds."""
    assert indexed(text) == expected
    assert indexed(f"{text} {text}\n" * 30).split() == expected.split() * 60


@pytest.mark.parametrize(
    "query",
    [
        *(
            "where is the parking in Los Angeles",
            "Tour de France winner",
            "die casting",
            "van Gogh",
        ),
        *("soy milk", "hay fever", "el nino", "not found error", "import os path dir", "hat sale"),
        *("What is the Erdős number of Gödel?", "café opening hours", "est time zone", "3.12.1"),
        *("kill -9 $(pidof java)", "git commit --amend", "α helix of the protein", "naïve bayes"),
    ],
)
def test_english_queries_are_looked_up_as_before(query: str) -> None:
    """No other form is asked for, and the English function words alone are left out."""
    terms = query_terms(query)
    assert terms.tokens == tokens(query)
    assert terms.variants == {}
    known = set(terms.tokens)
    assert terms.function_words & known == FUNCTION_WORDS & known


LATIN = [name for name in CASES if name in LANGUAGES]


@pytest.mark.parametrize("name", LATIN)
def test_texts_are_told(name: str) -> None:
    """All passages of a language together are told, and no single one is taken for another."""
    passages = CASES[name].passages
    found = language_of(words(" ".join(passages)))
    assert found is LANGUAGES[name]
    for passage in passages:
        assert language_of(words(passage)) in {LANGUAGES[name], None}


@pytest.mark.parametrize(
    ("query", "languages", "told"),
    [
        ("Wie kündige ich den Vertrag?", ["german"], True),
        ("où sont les enfants", ["french"], True),
        ("hvordan virker det", ["danish", "norwegian"], True),
        ("què és això", ["catalan"], True),
        # By their letters alone
        ("Mietverträge kündigen", ["german"], False),
        ("łódź", ["polish"], False),
        ("smørrebrød", ["danish", "norwegian"], False),
        ("piñata", ["spanish"], False),
        # Too many have them, or an English word stands beside
        ("café", [], False),
        ("naïve bayes", [], False),
        ("hotels in Zürich", [], False),
        ("Vertrag", [], False),
        ("", [], False),
    ],
)
def test_queries_are_told(query: str, languages: list[str], told: bool) -> None:  # noqa: FBT001
    """By function words, else by letters that few languages have, else not at all."""
    found, by_words = asked_languages(words(query))
    assert {each.name for each in found} == set(languages)
    assert by_words is told


def left_out(query: str) -> set[str]:
    """The words of a query that are not looked up."""
    return set(query_terms(query).function_words).intersection(tokens(query))


def test_function_words_are_left_out_in_their_language_alone() -> None:
    """What is a function word in one language is a word with a meaning in another."""
    assert left_out("Wo sind die Würfel?") == {"wo", "sind", "die"}
    assert left_out("when did the plant die") == {"when", "did", "the"}
    assert "or" not in left_out("quel est le prix de l'or ?")
    assert "or" in left_out("gold or silver")
    assert left_out("γιατί έκλεισε η πόλη") == set(tokens("γιατί"))
    assert left_out("что едят коты") == set(tokens("что"))
    assert left_out("של מי הספר") == {"של", "מי"}
    assert left_out("efficiency η of a motor") == {"of", "a"}


def test_a_word_with_the_stem_of_a_function_word_is_kept() -> None:
    """Greek "city" and "very" have one stem: it is looked up where the city is asked for."""
    assert tokens("πόλη") == tokens("πολύ")
    assert left_out("πόλη") == set()
    assert left_out("πολύ") == set(tokens("πολύ"))
    assert left_out("πολύ πόλη") == set()


def test_a_long_query_is_still_fine() -> None:
    """Of 50,000 characters in a language that is told, every form is found once."""
    query = "Die Häuser und die Verträge nicht " * 1_500
    assert query_terms(query).variants == {
        "hauser": ("haus",),
        "vertrag": ("vertrage",),
    }


def test_the_lists_are_sound() -> None:
    """Words and letters as a text has them, and a stemmer where one is promised."""
    for language in LANGUAGES.values():
        assert language.stemmed == (language.name in Stemmer.algorithms())
        for word in language.words:
            assert word == word.casefold()
            assert words(word) == [word]
            assert {char for char in word if not char.isascii()} <= language.letters
    listed = {word for each in LANGUAGES.values() for word in each.words}
    assert WEAK_WORDS - listed == {*("ad", "ex", "quo", "san", "tim", "ut")}


def test_the_documented_table_is_the_program_s() -> None:
    """Each language and limit is in docs/languages.md, with its stemmer and its function words."""
    rows = {
        cells[0]: cells[1:]
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if (cells := [cell.strip() for cell in line.strip("|").split("|")]) and line[:1] == "|"
    }
    scripts = {name for _, name in _BY_SCRIPT}
    for name in {*LANGUAGES, *SCRIPT_WORDS, *scripts, "english"}:
        stemmed = name in scripts or name == "english" or name in LANGUAGES
        stemmed &= name != "vietnamese"
        listed = name == "english" or name in LANGUAGES or name in SCRIPT_WORDS
        row = rows[name.capitalize()]
        assert row[1] == ("yes" if stemmed else "no")
        assert row[2] == ("yes" if listed else "no")
    text = re.sub(r"\s+", " ", DOCS.read_text(encoding="utf-8"))
    for limit in LIMITS.values():
        assert limit.query in text
