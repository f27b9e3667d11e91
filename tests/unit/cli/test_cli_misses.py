"""Asking why by command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


@pytest.fixture
def filled(vstash: Vstash) -> Vstash:
    """Three documents."""
    vstash.run("add", "The staging server listens on port 8090.", "--key", "ports", "--tag", "ops")
    vstash.run("add", "Ada prefers green tea.", "--key", "ada", "--tag", "people")
    vstash.run("add", "Bob prefers black tea.", "--key", "bob", "--tag", "people")
    return vstash


def test_the_answer_to_read(filled: Vstash) -> None:
    """Stage and reason first, then what would help, then the numbers."""
    result = filled.run("why-not", "green", "tea", "--key", "bob", "-k", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("outscored  It is number 2, and 1 were asked for: its score is ")
    assert lines[1:3] == ["   - raise k to 2", "   - it lacks: green"]
    names = [line.split("  ")[0] for line in lines[4:]]
    assert names == [
        *("document", "chunk", "rank", "score", "vector", "keyword", "relevance", "parts"),
        *("of the last", "lacks"),
    ]
    assert "2, of 1 asked for" in result.stdout


def test_a_filter_and_a_tag(filled: Vstash) -> None:
    """Tags are conditions like others."""
    result = filled.run("why-not", "tea", "--key", "ada", "--tag", "ops")
    assert result.stdout.startswith('filtered  The filter leaves it out: tags contains "ops".')
    assert '   - drop the condition tags contains "ops"\n' in result.stdout
    assert "chunk " not in result.stdout


def test_as_json(filled: Vstash) -> None:
    """--json prints all that is known; nothing is logged."""
    told = filled.json("why-not", "tea", "--chunk", "1")
    assert (told["stage"], told["chunk_id"], told["key"]) == ("returned", 1, "ports")
    assert filled.json("why-not", "tea", "--id", told["document_id"]) == told
    assert filled.json("stats")["searches_logged"] == 0


def test_it_needs_one_thing_to_look_for(filled: Vstash) -> None:
    """None, or two, is a mistake."""
    for words in ((), ("--key", "ada", "--chunk", "1")):
        result = filled.run("why-not", "tea", *words)
        assert result.exit_code == 2
        assert "Give one of: document, key, chunk." in result.stderr
