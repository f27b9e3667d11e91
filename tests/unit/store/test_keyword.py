"""The keyword index: tokens split as they were derived, and no ghosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from vstash.store.connection import fetch
from vstash.store.keyword import clear, delete_words, insert_words
from vstash.store.sqlite import SqliteStore
from vstash.text.normalise import indexed, tokens

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


def matching(connection: apsw.Connection, words: list[str]) -> list[int]:
    """Chunks that hold any of the words, by id."""
    expression = " OR ".join('"' + word.replace('"', '""') + '"' for word in words)
    sql = "SELECT rowid FROM keyword WHERE keyword MATCH ? ORDER BY rowid"
    return [row[0] for row in fetch(connection, sql, (expression,))]


def test_an_operator_is_a_word(connection: apsw.Connection) -> None:
    """A token that looks like a column filter finds the text that holds it, nothing else."""
    insert_words(connection, [(50, ("", "", "body:amber")), (51, ("", "", "near("))])
    assert matching(connection, ["body:amber"]) == [50]
    assert matching(connection, ["near("]) == [51]
    assert matching(connection, ["amber", "near("]) == [1, 2, 5, 51]


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


def test_a_deleted_chunk_is_not_found(connection: apsw.Connection) -> None:
    """None of its words lead to it any more; those of the others still do."""
    delete_words(connection, [1, 5, 999])
    assert matching(connection, ["amber", "lamp"]) == [2, 3]
    assert fetch(connection, "SELECT doc FROM keyword_row WHERE term = 'amber'") == [(1,)]


def test_clearing_leaves_nothing(connection: apsw.Connection) -> None:
    """After clearing, ghosts and orphans are gone too, and the index can be filled anew."""
    insert_words(connection, [(2, ("", "", "ghost")), (900, ("", "", "orphan"))])
    clear(connection)
    assert fetch(connection, "SELECT doc, term FROM keyword_instance") == []
    insert_words(connection, [(1, ("title", "", "body"))])
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
        assert 70 in matching(connection, [token])
