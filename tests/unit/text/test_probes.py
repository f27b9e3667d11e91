"""What a passage can be asked by."""

from __future__ import annotations

import pytest

from vstash.text.boundaries import sentences
from vstash.text.probes import askable


def written(text: str) -> list[list[str]]:
    """The words of each sentence as they are written."""
    return [[word.text for word in each] for each in askable(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("One two", ["One two"]),
        ("One two. Three four", ["One two. ", "Three four"]),
        ("One two. Three four. ", ["One two. ", "Three four. "]),
        ("One\n\nTwo. \n\nThree", ["One\n\n", "Two. ", "\n\n", "Three"]),
        ("See e.g. this", ["See e.g. this"]),
    ],
)
def test_sentences(text: str, found: list[str]) -> None:
    """They end at full stops and paragraphs, and together are the text."""
    assert sentences(text) == found
    assert "".join(found) == text


def test_function_words_are_no_question() -> None:
    """Nor are they in another language that the sentence tells."""
    assert written("The port of the server is open.") == [["port", "server", "open"]]
    assert written("Die Häuser sind alt und das Tor ist neu.") == [["Häuser", "alt", "Tor", "neu"]]


def test_a_word_counts_once() -> None:
    """In whichever form it comes, by its derived tokens."""
    (words,) = askable("Running runs, and httpServer")
    assert [word.text for word in words] == ["Running", "httpServer"]
    assert words[0].tokens == ("run",)
    assert words[1].tokens == ("http", "server", "httpserver")


def test_scripts_without_spaces_give_pairs() -> None:
    """Every second one, so that they do not repeat each other's characters."""
    assert written("東京都庁舎前駅") == [["東京", "都庁", "舎前"]]
    assert written("") == []
