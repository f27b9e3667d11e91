"""Keyword search in many languages: inflected forms are found, by keywords alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.pipeline.language_cases import CASES, LIMITS, UNTOLD
from tests.unit.pipeline.plain_bm25 import opened
from vstash import Memory
from vstash.text.normalise import NORMALISER_VERSION, tokens

QUESTIONS = [
    pytest.param(language, query, place, id=f"{language}-{query[:30]}")
    for language, case in CASES.items()
    for query, place in case.questions
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """One file with every passage, a collection a language."""
    with Memory(tmp_path_factory.mktemp("languages") / "x.db", model="fake") as memory:
        for language, case in CASES.items():
            for place, passage in enumerate(case.passages):
                memory.add(passage, key=f"{language}-{place}", collection=language)
        yield memory


@pytest.mark.parametrize(("language", "query", "place"), QUESTIONS)
def test_the_answer_comes_first(library: Memory, language: str, query: str, place: int) -> None:
    """Among the passages of its language, the one that answers is first, and not by chance."""
    hits = library.search(query, mode="keyword", collection=language, log=False).hits
    assert hits[0].document.key == f"{language}-{place}"
    assert len(hits) == 1 or hits[0].score > hits[1].score


def test_every_passage_is_found_by_its_own_words(library: Memory) -> None:
    """Whatever its language was taken for, a text typed as it stands is found first."""
    for language, case in CASES.items():
        for place, passage in enumerate(case.passages):
            for query in (passage, passage.upper() if language != "turkish" else passage):
                hits = library.search(query, mode="keyword", collection=language, log=False).hits
                assert hits[0].document.key == f"{language}-{place}"


def test_the_index_agrees_with_the_texts(library: Memory) -> None:
    """The check derives the same words again, in every language."""
    assert library.check().findings == ()


@pytest.mark.parametrize("name", LIMITS)
def test_known_limits(name: str, tmp_path: Path) -> None:
    """These do not meet; where one does one day, its entry goes, here and in docs/languages.md."""
    limit = LIMITS[name]
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add(limit.passage)
        assert memory.search(limit.query, mode="keyword").hits == ()
        assert memory.search(limit.passage, mode="keyword").hits != ()


@pytest.mark.parametrize(("one", "other"), UNTOLD)
def test_spellings_with_the_same_tokens(one: str, other: str) -> None:
    """Keywords cannot tell these apart."""
    assert sorted(tokens(one)) == sorted(tokens(other))


def test_a_form_counts_its_word_once(tmp_path: Path) -> None:
    """A word that is indexed with its stem weighs no more than one that is its own stem."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("Das ist die Kiste mit den Häusern und nicht mehr.", key="inflected")
        memory.add("Das ist die Kiste mit dem Vertrag und nicht mehr.", key="plain")
        both = memory.search("Was ist mit den Häusern oder dem Vertrag?", mode="keyword").hits
        scores = {hit.document.key: hit.score for hit in both}
        # The inflected one's passage is longer by the stem, so a little less.
        assert scores["inflected"] == pytest.approx(scores["plain"], rel=0.05)


def test_a_hit_by_its_stem_is_explained(tmp_path: Path) -> None:
    """The word of the query is named, with the frequency of all its forms."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("Die alten Häuser am Fluss haben keine Heizung.")
        (hit,) = memory.search("Welches Haus ist das?", mode="keyword", explain=True).hits
        assert hit.explanation is not None
        assert [found.word for found in hit.explanation.matched] == ["haus"]


def test_an_index_of_older_rules_is_derived_anew(tmp_path: Path) -> None:
    """A file with today's tokens alone gets the stems when it is opened."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add("Die alten Häuser am Fluss haben keine Heizung.")
    store = opened(path)
    with store.write() as writer:
        writer.derive_words(lambda text: " ".join(tokens(text)), NORMALISER_VERSION - 1)
    store.close()
    with Memory(path, model="fake") as memory:
        assert len(memory.search("Welches Haus ist das?", mode="keyword").hits) == 1
        assert memory.check().findings == ()


def test_fts_finds_stems_too(tmp_path: Path) -> None:
    """Where the postings are damaged, FTS5 is asked for every form."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add("Die alten Häuser am Fluss haben keine Heizung.")
    store = opened(path)
    with store.write() as writer:
        writer._connection.execute("UPDATE posting SET ids = substr(ids, 1, 3)")
    store.close()
    with Memory(path, model="fake") as memory:
        found = memory.search("Welches Haus ist das?", mode="keyword")
        assert len(found.hits) == 1
        assert found.degraded[0].startswith("postings_damaged")
