"""Derived tokens, rule by rule."""

# ruff: noqa: RUF001 - other scripts are the point

from __future__ import annotations

import string
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest

from vstash.text.characters import word_pattern
from vstash.text.normalise import MAX_TOKEN_CHARS, NORMALISER_VERSION, indexed, tokens, unspaced


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t\n", ""),
        ("!?—…", ""),
        ("The Port is 8090.", "the port is 8090"),
        ("running runs connected", "run run connect"),
        ("don't", "don t"),
        # accents
        ("niño nino", "nino nino"),
        ("CAFÉ café cafe\u0301 cafés", "cafe cafe cafe cafe"),
        ("Ångström Łódź İstanbul", "angstrom łodz istanbul"),
        ("Straße STRASSE", "strass strass"),
        ("Ωμέγα ΣΊΣΥΦΟΣ Σίσυφος", "ωμεγ σισυφ σισυφ"),
        ("Ёлка ЕЛКИ МОСКВА новый и\u0306", "елк елк москв нов и"),
        ("العَرَبِيَّة أحمد محمـــد", "عرب احمد محمد"),
        ("שָׁלוֹם", "שלום"),
        ("हिन्दी में", "हिन्द म"),
        ("தமிழ்", "தமிழ்"),
        ("\u0301 a", "a"),
        # scripts that tell the stemmer; letters of other languages in it do not
        ("المدرسة والمدرسة مدرسة", "مدرس مدرس مدرس"),
        ("книгами книги книжці їхні", "книг книг книжці іхні"),
        ("किताबों किताब", "किताब किताब"),
        ("کتاب‌ها", "کتابها"),
        # scripts without spaces
        ("東京都", "東京 京都"),
        ("水", "水"),
        ("ひらがな", "ひら らが がな"),
        ("ｶﾞﾗｽ", "ガラ ラス"),
        ("한국어 검색", "한국 국어 검색"),
        ("ภาษาไทย", "ภา าษ ษา าไ ไท ทย"),
        ("ພາສາ", "ພາ າສ ສາ"),
        ("ខ្មែរ", "ខ្ ្ម មែ ែរ"),
        ("မြန်", "မြ ြန န်"),
        ("Python入門3", "python 入門 3"),
        ("𠮷野家", "𠮷野 野家"),
        # identifiers
        ("snake_case_name", "snake case name snakecasename"),
        ("camelCase", "camel case camelcase"),
        ("HTTPServer", "http server httpserver"),
        ("getHTTPResponse_2", "get http respons 2 gethttpresponse2"),
        ("__init__", "init"),
        ("URLs PDFs", "url pdfs"),
        ("utf8", "utf 8 utf8"),
        ("v1.5.2", "v 1 v1 5 2"),
        ("3.14", "3 14"),
        ("bge-small-en-v1.5", "bge small en v 1 v1 5"),
        ("максДлина_текста", "макс длин текст максдлинатекста"),
        ("élèveNom", "elev nom elevenom"),
        # compatibility forms and invisible characters
        ("ﬁle x² ½ Ｆｕｌｌ", "file x 2 x2 1 2 full"),
        ("co\u00adoperate", "cooper"),
        ("می\u200cخواهم", "میخواهم"),
        ("one\u200btwo", "one two"),
        ("1\ufe0f\u20e3", "1"),
        # nothing that can break
        ("a\0b \ud800c", "a b c"),
        ("👨‍👩‍👧 ok", "ok"),
    ],
)
def test_rules(text: str, expected: str) -> None:
    """Each rule gives exactly these tokens."""
    assert indexed(text) == expected
    assert tokens(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("Das sind die Häuser", "haus"),
        ("Das ist der Vertrag", ""),
        ("Häuser", ""),
        ("Der Käufer sucht nicht die HAUSTÜREN", "kauf haustur"),
        ("Welche maxHäuser2 und Москвы und 家 sind das?", ""),
        ("KIRMIZI ışıklar çok ve daha IŞIK", "kirmiz isik"),
        ("W Łodzi jest fabryka i to nie był", "lodz fabryk"),
    ],
)
def test_stems_of_a_language_follow(text: str, stems: str) -> None:
    """After the tokens come the stems that differ from them, without function words."""
    assert indexed(text).split() == tokens(text) + stems.split()


def test_words_of_one_writing_meet() -> None:
    """Spellings that mean the same identifier share the token of the whole."""
    spellings = ("maxTextChars", "max_text_chars", "MAX_TEXT_CHARS", "MaxTextChars")
    assert {tokens(spelling)[-1] for spelling in spellings} == {"maxtextchars"}
    assert len({indexed(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize("word", ["x" * 10_000, "Ab1_" * 10_000, "ж" * 10_000, "ẞ" * 10_000])
def test_no_token_is_longer_than_the_index_holds(word: str) -> None:
    """A word beyond the limit is cut to it, in every script."""
    assert max(map(len, tokens(word))) == MAX_TOKEN_CHARS


def test_every_character_of_unicode_is_safe() -> None:
    """No code point gives an empty token, whitespace, ASCII punctuation or a lone surrogate."""
    forbidden = set(string.punctuation)
    for first in range(0, sys.maxunicode + 1, 4096):
        block = [chr(code) for code in range(first, min(first + 4096, sys.maxunicode + 1))]
        for token in tokens(" ".join(block)):
            assert token
            assert forbidden.isdisjoint(token)
            assert not any(char.isspace() for char in token)
            token.encode("utf-8")


def test_every_letter_becomes_a_token() -> None:
    """No letter or digit of Unicode is lost, but those that only show a mark or stretch a word."""
    letters = [chr(c) for c in range(0x20000) if unicodedata.category(chr(c))[0] in "LN"]
    lost = [unicodedata.normalize("NFKC", c) for c in letters if not tokens(c)]
    assert {form[0] for form in lost} == {" ", "\u0640"}
    assert all(unicodedata.category(char) == "Mn" for form in lost for char in form[1:])


def test_threads_agree() -> None:
    """Stemming the same words in many threads at once gives the same tokens."""
    texts = [" ".join(f"running{chr(97 + i % 26)}ing nations{i}" for i in range(2000))] * 8
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(indexed, texts))
    assert set(results) == {indexed(texts[0])}


@pytest.mark.parametrize(
    ("char", "expected"),
    [
        *(("\u4eac", True), ("\u3042", True), ("\u0e01", True), ("\uac00", True)),
        *(("a", False), ("\u00e9", False), ("\u0431", False), ("\u05d0", False)),
        *(("7", False), (" ", False), ("\u3001", False)),
    ],
)
def test_scripts_without_spaces(char: str, expected: bool) -> None:  # noqa: FBT001 - a case of the table
    """Han, Kana, Thai and Hangul; neither letters of others nor signs."""
    assert unspaced(char) == expected


def test_version_is_a_number() -> None:
    """The file stores the version of these rules; changing an expected value above raises it."""
    assert NORMALISER_VERSION == 2


def test_every_mark_belongs_to_a_word() -> None:
    """Every combining mark but the variation selectors is a part of the word around it."""
    selectors = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0x180B, 0x1810)}
    pattern = word_pattern()
    lost = [
        code
        for code in range(0x110000)
        if unicodedata.category(chr(code))[0] == "M"
        and code not in selectors
        and not pattern.fullmatch(f"a{chr(code)}")
    ]
    assert not lost
