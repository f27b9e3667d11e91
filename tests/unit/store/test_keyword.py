"""The keyword index: quoted tokens only, true scores, and no ghosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import numpy as np
import pytest

from vstash.store.connection import fetch
from vstash.store.keyword import (
    delete_words,
    document_frequencies,
    insert_words,
    keyword_leg,
    match_expression,
    rebuild,
)
from vstash.store.sqlite import SqliteStore
from vstash.text.normalise import indexed, tokens

if TYPE_CHECKING:
    from vstash.types import IdArray

BODIES = [
    "the amber lamp is lit",
    "amber amber amber walls",
    "a lamp beside a lamp post",
    "basil grows in the garden",
    "the amber lamp above the amber door of the amber room",
    "nothing of the kind",
]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A write connection inside a transaction, with six chunks in the keyword index."""
    store = SqliteStore(tmp_path / "x.db")
    with store.write() as writer:
        insert_words(
            writer._connection,
            [(number, ("", "", indexed(body))) for number, body in enumerate(BODIES, 1)],
        )
        yield writer._connection
    store.close()


def ids(*numbers: int) -> IdArray:
    """Chunk ids as an array."""
    return np.array(numbers, dtype=np.int64)


@pytest.mark.parametrize(
    ("words", "expression"),
    [
        (["amber"], '"amber"'),
        (["amber", "lamp"], '"amber" OR "lamp"'),
        (['a"b'], '"a""b"'),
        (["or", "near(", "body:x", "*", "^a", "-b"], None),
        (["NOT", "AND", "{title}:x", "a*", '""', "'"], None),
    ],
)
def test_the_expression_is_made_of_quoted_tokens(
    connection: apsw.Connection, words: list[str], expression: str | None
) -> None:
    """Whatever a token holds, it is looked up as itself and is never an operator."""
    made = match_expression(words)
    assert expression is None or made == expression
    assert fetch(connection, "SELECT rowid FROM keyword WHERE keyword MATCH ?", (made,)) == fetch(
        connection,
        "SELECT DISTINCT doc FROM keyword_instance WHERE term IN (SELECT value FROM "
        "json_each(json_array(" + ",".join("?" * len(words)) + "))) ORDER BY doc",
        words,
    )


def test_an_operator_is_a_word(connection: apsw.Connection) -> None:
    """A token that looks like a column filter finds the text that holds it, nothing else."""
    insert_words(connection, [(50, ("", "", "body:amber")), (51, ("", "", "near("))])
    for word, number in (("body:amber", 50), ("near(", 51)):
        leg, _ = keyword_leg(connection, [word], depth=5, allowed=None, also=ids())
        assert leg.ids.tolist() == [number]


@pytest.mark.parametrize("also", [(), (1,), (6,), (1, 2, 3, 4, 5, 6), (99,)])
@pytest.mark.parametrize("allowed", [None, (), (1,), (2, 5, 6)])
def test_completion_gives_the_true_scores(
    connection: apsw.Connection, also: tuple[int, ...], allowed: tuple[int, ...] | None
) -> None:
    """The score of a chunk is the same listed, asked for, filtered or alone."""
    words = ["amber", "lamp"]
    true = dict(
        fetch(
            connection,
            "SELECT rowid, -bm25(keyword, 1.0, 1.0, 1.0) FROM keyword WHERE keyword MATCH ?",
            ('"amber" OR "lamp"',),
        )
    )
    assert set(true) == {1, 2, 3, 5}
    leg, others = keyword_leg(
        connection,
        words,
        depth=3,
        allowed=None if allowed is None else ids(*allowed),
        also=ids(*also),
    )
    for found in (leg, others):
        for number, score in zip(found.ids.tolist(), found.scores, strict=True):
            assert score == pytest.approx(true[number], rel=1e-6)
            assert score > 0
    may = set(true) if allowed is None else set(true) & set(allowed)
    listed = sorted(may, key=lambda number: (-true[number], number))[:3]
    assert leg.ids.tolist() == listed
    assert set(others.ids.tolist()) == set(true) & set(also)


def test_the_best_is_first_and_ties_go_by_id(connection: apsw.Connection) -> None:
    """Equal texts have equal scores and come in the order of their ids."""
    insert_words(connection, [(number, ("", "", "jade")) for number in (30, 20, 40)])
    leg, _ = keyword_leg(connection, ["jade"], depth=2, allowed=None, also=ids())
    assert leg.ids.tolist() == [20, 30]
    assert leg.scores[0] == leg.scores[1]


def test_without_words_nothing_is_listed(connection: apsw.Connection) -> None:
    """No informative word gives two empty lists."""
    leg, others = keyword_leg(connection, [], depth=2, allowed=None, also=ids(1))
    assert (len(leg.ids), len(others.ids)) == (0, 0)


def test_frequencies_count_chunks_not_occurrences(connection: apsw.Connection) -> None:
    """A word counts once per chunk, and a word that occurs nowhere counts zero."""
    asked = ["amber", "lamp", "basil", "nowhere", "body:x", ""]
    assert document_frequencies(connection, asked) == [3, 3, 1, 0, 0, 0]


def test_a_chunk_is_deleted_before_it_is_inserted_again(connection: apsw.Connection) -> None:
    """DELETE then INSERT leaves only the new words; INSERT alone leaves the ghost we avoid."""
    delete_words(connection, [1])
    insert_words(connection, [(1, ("", "", "cedar"))])
    terms = "SELECT term FROM keyword_instance WHERE doc = 1 ORDER BY term"
    assert fetch(connection, terms) == [("cedar",)]
    insert_words(connection, [(2, ("", "", "ghost"))])
    ghosts = fetch(connection, "SELECT term FROM keyword_instance WHERE doc = 2")
    assert ("ghost",) in ghosts
    assert len(ghosts) > 1


def test_rebuilding_replaces_everything(connection: apsw.Connection) -> None:
    """After a rebuild the index holds what was given, ghosts and orphans gone."""
    insert_words(connection, [(2, ("", "", "ghost")), (900, ("", "", "orphan"))])
    rebuild(connection, [(1, ("title", "", "body"))])
    rows = fetch(connection, "SELECT doc, term, col FROM keyword_instance ORDER BY term")
    assert rows == [(1, "body", "body"), (1, "title", "title")]


@pytest.mark.parametrize(
    "text",
    [
        "multi-agent setup",
        "it's HTTPServer2.0 at 8090!",
        "naïve Ünïcode",
        "東京タワー",
        "a_b-c/d.e",
    ],
)
def test_the_tokenizer_does_not_split_our_tokens_again(
    connection: apsw.Connection, text: str
) -> None:
    """What was derived from a text is found in the index as it was derived."""
    insert_words(connection, [(70, ("", "", indexed(text)))])
    stored = fetch(connection, "SELECT DISTINCT term FROM keyword_instance WHERE doc = 70")
    assert {row[0] for row in stored} == set(indexed(text).split())
    for token in tokens(text):
        leg, _ = keyword_leg(connection, [token], depth=9, allowed=None, also=ids())
        assert 70 in leg.ids
