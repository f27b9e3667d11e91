"""Phrases in the keyword index: tokens in a row, and nothing but tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from vstash.store.keyword import insert_words, phrase
from vstash.store.sqlite import SqliteStore
from vstash.text.normalise import indexed, tokens

ROWS = [
    ("", "the amber lamp is lit"),
    ("", "amber amber amber walls"),
    ("", "a lamp beside a lamp post"),
    ("", "basil grows in the garden"),
    ("", "the amber lamp above the amber door of the amber room"),
    ("cedar", "door"),
    ("cedar door", "other"),
]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A write connection inside a transaction, with these titles and bodies."""
    store = SqliteStore(tmp_path / "x.db")
    with store.write() as writer:
        insert_words(
            writer._connection,
            [(n, (indexed(title), "", indexed(body))) for n, (title, body) in enumerate(ROWS, 1)],
        )
        yield writer._connection
    store.close()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("amber lamp", [1, 5]),
        ("lamp amber", []),
        ("the amber", [1, 5]),
        ("a lamp post", [3]),
        ("amber", [1, 2, 5]),
        ("amber amber amber", [2]),
        ("basil AND garden", []),
        ('lamp" OR "basil', []),
        ("no such word", []),
        # The end in the body does not complete the beginning in the title.
        ("cedar door", [7]),
    ],
)
def test_a_phrase_is_its_tokens_in_a_row(
    connection: apsw.Connection, words: str, expected: list[int]
) -> None:
    """In their order and next to one another; nothing in them is an operator."""
    assert phrase(connection, tokens(words), most=10, allowed=None).tolist() == expected


def test_phrases_are_bounded_and_filtered(connection: apsw.Connection) -> None:
    """The lowest ids of those allowed."""
    assert phrase(connection, ["amber"], most=2, allowed=None).tolist() == [1, 2]
    assert phrase(connection, ["amber"], most=2, allowed=np.array([2, 3, 5])).tolist() == [2, 5]
    assert phrase(connection, ["amber"], most=2, allowed=np.array([3])).tolist() == []


@pytest.mark.parametrize("sign", ['"', '"" OR "amber', "*", "^amber", "body:amber", "(", "amber*"])
def test_a_sign_of_fts5_is_a_word_like_any_other(connection: apsw.Connection, sign: str) -> None:
    """One that no text holds."""
    assert phrase(connection, [sign], most=9, allowed=None).tolist() == []
