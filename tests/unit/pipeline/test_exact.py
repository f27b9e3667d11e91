"""Exact terms, looked up in a real file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from vstash import Memory, NewDocument
from vstash.filters import parse
from vstash.pipeline.engine import Engine, open_engine
from vstash.pipeline.exact import NO_TERMS, ExactFound, find_exact
from vstash.pipeline.keyword_leg import KeywordLeg
from vstash.pipeline.search import asked_words
from vstash.search.exact import EXACT_WEIGHT, WORD_WEIGHT
from vstash.search.words import idf

DOCUMENTS = (
    NewDocument("The build stops with E0308 in the parser.", key="code"),
    NewDocument("An e0308 in lower case.", key="lower"),
    NewDocument("Codes such as E-0308 and E_0308 are others.", key="hyphen"),
    NewDocument("Nothing of it here.", key="titled", title="About E0308"),
    NewDocument("# Errors\n\n## E0308 explained\n\nIt happens.", key="headed"),
    NewDocument("The process ran out of memory at night.", key="memory"),
    NewDocument("It RAN  OUT\nOF MEMORY twice.", key="spaced"),
    NewDocument("Running out of memories, it runs outs of memory.", key="stems"),
    NewDocument("See src/vstash/settings.py for it.", key="path"),
    NewDocument("Version 3.11.4 is out; 3.11 is not.", key="version"),
    NewDocument("\u6771\u4eac\u90fd\u306e\u5730\u4e0b\u9244", key="kyoto"),
)
OTHERS = tuple(NewDocument(f"Filler common_name number {n}.", key=f"f{n}") for n in range(40))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A file with these documents."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add_batch([*DOCUMENTS, *OTHERS])
    opened = open_engine(tmp_path / "x.db", model="fake")
    yield opened
    opened.close()


def look(engine: Engine, query: str, filter_: object = None) -> tuple[ExactFound, dict[str, float]]:
    """What is found, and the gains by the keys of documents."""
    with engine.store.read() as reader:
        where = None if filter_ is None else parse(filter_)
        allowed = reader.allowed("default", where, now=2**60)
        words = asked_words(query)
        scores = KeywordLeg(0).score(reader, words.informative, words.all)
        found = find_exact(
            reader, query, words, scores.frequencies, allowed, count=reader.chunk_count
        )
        rows = reader.chunks(found.ids)
    keys = [rows[chunk][1].key for chunk in found.ids.tolist()]
    return found, dict(zip(keys, found.gains.tolist(), strict=True))


def keys_of(engine: Engine, found: ExactFound, term: str) -> set[str]:
    """Documents whose chunks hold a term to the letter."""
    with engine.store.read() as reader:
        rows = reader.chunks(np.array(list(found.terms), dtype=np.int64))
    return {rows[chunk][1].key for chunk, terms in found.terms.items() if term in terms}


def gain(engine: Engine, holding: int, *, share: float = 1.0) -> float:
    """EXACT_WEIGHT * rarity * ((share - .3) / .7)^2."""
    with engine.store.read() as reader:
        count = reader.chunk_count
    return EXACT_WEIGHT * idf(count, holding) / idf(count, 0) * ((share - 0.3) / 0.7) ** 2


def test_an_identifier_is_found_in_title_heading_and_body(engine: Engine) -> None:
    """Whatever its case; those that write it otherwise gain the half, and are not told."""
    found, gains = look(engine, "E0308")
    whole = {"code", "lower", "titled", "headed"}
    assert keys_of(engine, found, "E0308") == whole
    expected = gain(engine, len(gains))
    for key, value in gains.items():
        assert value == pytest.approx(expected * (1 if key in whole else 0.5), rel=1e-5), key
    assert gains.keys() - whole <= {"hyphen"}


def test_a_quoted_phrase_is_found_across_gaps_but_not_across_stems(engine: Engine) -> None:
    """Case and white space are no letters; other forms of its words are another spelling."""
    found, gains = look(engine, 'who "ran out of memory"?')
    assert keys_of(engine, found, "ran out of memory") == {"memory", "spaced"}
    assert gains.keys() == {"memory", "spaced"}
    found, gains = look(engine, '"out of memory"')
    assert keys_of(engine, found, "out of memory") == {"memory", "spaced"}
    assert gains["stems"] == pytest.approx(gains["memory"] / 2)
    assert gains["memory"] == pytest.approx(gain(engine, 3), rel=1e-5)


def test_a_phrase_in_a_script_without_spaces(engine: Engine) -> None:
    """Its words have no gaps around them to tell them by."""
    found, gains = look(engine, "\u300c\u6771\u4eac\u90fd\u300d")
    assert gains.keys() == {"kyoto"} == keys_of(engine, found, "\u6771\u4eac\u90fd")


@pytest.mark.parametrize(
    ("query", "key"), [("src/vstash/settings.py", "path"), ("3.11.4", "version")]
)
def test_paths_and_versions(engine: Engine, query: str, key: str) -> None:
    """Their punctuation belongs to them."""
    found, gains = look(engine, f"{query}?")
    assert keys_of(engine, found, query) == {key} == set(gains)


def test_an_identifier_in_a_long_question_counts_less(engine: Engine) -> None:
    """By the share of the informative words that it is; mentioned in passing it counts nothing."""
    query = "E0308 parser build stops"
    words = asked_words(query).informative
    of_it = [word for word in words if word in {"e", "0308", "e0308"}]
    share = len(of_it) / len(words)
    assert 0.3 < share < 1
    _, gains = look(engine, query)
    assert gains["code"] == pytest.approx(gain(engine, len(gains), share=share), rel=1e-5)
    _, gains = look(
        engine, "E0308 parser build stops night process memory twice version filler number"
    )
    assert gains == {}


def test_gains_of_several_terms_add_up(engine: Engine) -> None:
    """Each chunk is told all that it holds."""
    found, gains = look(engine, '"the parser" "stops with"')
    assert gains["code"] == pytest.approx(2 * gain(engine, 1), rel=1e-5)
    (terms,) = found.terms.values()
    assert terms == ("the parser", "stops with")


def test_a_term_that_is_everywhere_singles_out_nothing(tmp_path: Path) -> None:
    """In 256 chunks it is passed over; in 255 it still counts, if little."""
    path = tmp_path / "common.db"
    with Memory(path, model="fake") as memory:
        memory.add_many([f"common_name {n}" for n in range(255)])
    for count, found_in in ((255, 255), (256, 0)):
        opened = open_engine(path, model="fake")
        found, _ = look(opened, "common_name")
        opened.close()
        assert len(found.ids) == found_in, count
        with Memory(path, model="fake") as memory:
            memory.add("common_name again")


def test_a_filter_is_respected(engine: Engine) -> None:
    """What it does not allow is neither found nor read."""
    _, gains = look(engine, "E0308", {"key": {"in": ["code", "memory"]}})
    assert set(gains) == {"code"}
    assert look(engine, "E0308", {"key": {"eq": "memory"}})[0].ids.tolist() == []


@pytest.mark.parametrize(
    "query", ["what of memory", "E9999", '"no such phrase"', '"?!"', "\0 \ud800"]
)
def test_what_is_not_there_is_not_found(engine: Engine, query: str) -> None:
    """Neither terms that no chunk holds, nor such without a word."""
    found, _ = look(engine, query)
    assert (found.ids.tolist(), found.gains.tolist(), found.terms) == ([], [], {})


@pytest.mark.parametrize("ids", [[], [2], [1, 2, 5], [2, 5, 9]])
def test_gains_by_candidates(ids: Sequence[int]) -> None:
    """In the order of the candidates, 0 for those that gain nothing."""
    gaining = [chunk for chunk in ids if chunk in {2, 5}]
    found = ExactFound(np.array(gaining, dtype=np.int64), np.array(gaining, dtype=np.float32), {})
    expected = [chunk if chunk in gaining else 0 for chunk in ids]
    assert found.of(np.array(ids, dtype=np.int64)).tolist() == expected
    assert NO_TERMS.of(np.array(ids, dtype=np.int64)).tolist() == [0] * len(ids)


def test_a_query_of_one_word_is_looked_up_as_it_is_spelt(engine: Engine) -> None:
    """Other forms of the same stem gain nothing; in a question, or when quoted words stand by, no word does."""
    found, gains = look(engine, "memories?")
    assert keys_of(engine, found, "memories") == {"stems"} == set(gains)
    with engine.store.read() as reader:
        rarity = idf(reader.chunk_count, 1) / idf(reader.chunk_count, 0)
    assert gains["stems"] == pytest.approx(WORD_WEIGHT * rarity**2)
    assert look(engine, "which memories")[0] is NO_TERMS or not len(
        look(engine, "which memories")[1]
    )
    # More chunks than single out anything hold the word.
    assert look(engine, "filler")[1] == {}
