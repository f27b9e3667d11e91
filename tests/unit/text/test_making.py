"""Queries made from documents never quote what answers them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vstash.mining import MADE_FORMS, Form
from vstash.text.making import Passage, Source, echoes, made
from vstash.text.normalise import tokens

TEXTS = (
    "The amber lamp is lit beside the staircase. It was repaired by the cedar door last winter.",
    "A heron stands on the islet and watches the fjord. Ships arrive from the delta in the morning.",
    "Nobody knows why the basil grows so quickly in the grove. The jade window stays open for hours.",
)


def often(words: Collection[str]) -> Mapping[str, int]:
    """Every word stands in three passages."""
    return dict.fromkeys(words, 3)


def source(
    *texts: str, title: str = "", heading: tuple[str, ...] = (), whole: bool = True
) -> Source:
    """A document of these passages."""
    return Source(title, [Passage(heading, text) for text in texts], whole, Random(1), often, 9)


def quoted(query: str, text: str, run: int = 4) -> bool:
    """The same as `echoes`, said otherwise: as texts of words with spaces around them."""
    one, other = tokens(query), tokens(text)
    size = min(run, len(one), len(other))
    spaced = f" {' '.join(other)} "
    parts = (f" {' '.join(one[at : at + size])} " for at in range(len(one) - size + 1))
    return any(part in spaced for part in parts)


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("lit beside the staircase", TEXTS[0], True),
        ("LIT, beside; the staircase!", TEXTS[0], True),
        ("lit near the staircase", TEXTS[0], False),
        ("lamp", TEXTS[0], True),
        ("lantern", TEXTS[0], False),
        ("It says the amber lamp is lit", "amber lamp", True),
        ("", TEXTS[0], True),
        (TEXTS[0], "!", True),
    ],
)
def test_what_is_a_quote(query: str, text: str, *, expected: bool) -> None:
    """Four words in a row, whatever their case, or all words of the shorter one."""
    assert echoes(query, text) is expected


def test_each_form() -> None:
    """What is asked, and which passage answers."""
    title = "How the keeper looks after such a house"
    document = source(*TEXTS, title=title, heading=("House", "Places of interest"))
    assert [(each.query, each.place) for each in made("title", document, 3)] == [(title, 0)]
    headings = made("heading", document, 3)
    assert {each.query for each in headings} == {"Places of interest"}
    (first,) = made("first_sentence", document, 3)
    assert first.query == "The amber lamp is lit beside the staircase."
    assert first.place != 0
    phrases = made("keyphrase", document, 3)
    assert {each.place for each in phrases} == {0, 1, 2}
    for each in phrases:
        assert 3 <= len(each.query.split()) <= 5
        assert {*tokens(each.query)} <= {*tokens(TEXTS[each.place])}
        assert not echoes(each.query, TEXTS[each.place], run=2)
    clozes = made("cloze", document, 3)
    assert len(clozes) == 3
    for each in clozes:
        (own,) = (place for place, text in enumerate(TEXTS) if each.query in text)
        assert abs(own - each.place) == 1


def test_a_single_passage() -> None:
    """Its sentence loses a third of its words; a first sentence has nothing to ask for."""
    document = source(TEXTS[0], title="Lamp")
    assert made("first_sentence", document, 3) == []
    # One word, which the passage says again.
    assert made("title", document, 3) == []
    (cloze,) = made("cloze", document, 3)
    words = cloze.query.split()
    assert cloze.place == 0
    assert {*words} < {*TEXTS[0].replace(".", "").split()}


def test_a_part_of_a_document_has_no_first_sentence() -> None:
    """The first passage that is known is not the document's first then."""
    assert made("first_sentence", source(*TEXTS, whole=False), 3) == []


def test_words_of_one_passage_alone_make_no_keyphrase() -> None:
    """They would find it too easily."""
    document = Source(
        "", [Passage((), TEXTS[0])], True, Random(1), lambda words: dict.fromkeys(words, 1), 9
    )
    assert made("keyphrase", document, 3) == []


def test_the_same_seed_makes_the_same() -> None:
    """And another one others."""

    def phrases(seed: int) -> list[str]:
        document = Source("", [Passage((), text) for text in TEXTS], True, Random(seed), often, 9)
        return [each.query for each in made("keyphrase", document, 3)]

    assert phrases(1) == phrases(1) != phrases(2)


WORD = st.sampled_from(
    ("amber", "Basil", "the", "of", "HTTPServer", "cedar_port", "8090", "ist", "東京都", "e\u0301")
)
SENTENCE = st.lists(WORD, min_size=1, max_size=14).map(lambda words: " ".join(words) + ". ")
TEXT = st.one_of(
    st.lists(SENTENCE, min_size=1, max_size=4).map("".join), st.text(min_size=1, max_size=80)
)


@settings(max_examples=60, deadline=None)
@given(
    passages=st.lists(TEXT, min_size=1, max_size=4),
    title=st.one_of(SENTENCE, st.text(max_size=20)),
    heading=st.lists(SENTENCE, max_size=2),
    seed=st.integers(0, 99),
    most=st.integers(1, 4),
)
def test_no_form_quotes_its_answer(
    passages: list[str], title: str, heading: list[str], seed: int, most: int
) -> None:
    """Neither stands in the other word for word, and a document gives no more than it may."""
    document = Source(
        title, [Passage((*heading,), text) for text in passages], True, Random(seed), often, 9
    )
    for form in MADE_FORMS:
        found = made(form, document, most)
        assert len(found) <= most
        assert len({each.query for each in found}) == len(found)
        for each in found:
            assert 0 < len(each.query) <= 400
            assert not quoted(each.query, passages[each.place])
            assert not quoted(passages[each.place], each.query)


def test_the_control_of_the_property() -> None:
    """A sentence as it stands in its passage is a quote by the property's own rule."""
    form: Form = "cloze"
    assert form in MADE_FORMS
    assert quoted("The amber lamp is lit", TEXTS[0])
    assert quoted(TEXTS[0], f"He said: {TEXTS[0]}")
