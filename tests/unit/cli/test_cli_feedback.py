"""Feedback by command, as it is read on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


@pytest.fixture
def search(vstash: Vstash) -> str:
    """The id of a logged search over two documents."""
    vstash.run("add", "Ada prefers tea.", "--key", "ada")
    vstash.run("add", "Bob prefers tea.", "--key", "bob")
    found: str = vstash.json("search", "tea")["id"]
    return found


def test_what_was_stored_is_said(vstash: Vstash, search: str) -> None:
    """One line for a verdict; the listing has a block for each search."""
    given = vstash.run("feedback", search, "1", "helpful")
    assert (given.exit_code, given.stdout) == (0, "helpful: chunk 1 of ada\n")
    vstash.run("feedback", search, "2", "cited")
    vstash.run("add", "Bob prefers milk.", "--key", "bob")
    head, *lines = vstash.run("feedback", "--list").stdout.splitlines()
    assert head.split("  ")[1:] == [search, "tea"]
    assert lines == ["   helpful: chunk 1 of ada", "   cited: a chunk since replaced of bob"]
    assert "feedback           2\n" in vstash.run("stats").stdout


def test_the_id_stands_in_the_explanation_alone(vstash: Vstash, search: str) -> None:
    """It is an argument for this command, and noise to everybody else."""
    shown = vstash.run("search", "tea", "--explain").stdout
    found = shown.splitlines()[-1].removeprefix("search ")
    assert vstash.run("feedback", found, "1", "cited").exit_code == 0
    assert "search 0" not in vstash.run("search", "tea").stdout


def test_the_listing_in_pages(vstash: Vstash, search: str) -> None:
    """Each page says how to go on."""
    assert vstash.run("feedback", "--list").stdout == "No search got feedback.\n"
    for found in (search, vstash.json("search", "prefers")["id"]):
        vstash.run("feedback", found, "1", "helpful")
    first = vstash.run("feedback", "--list", "--limit", "1")
    assert "prefers" in first.stdout
    cursor = first.stderr.split("--cursor ")[1].split()[0]
    page = vstash.json("feedback", "--list", "--cursor", cursor)
    assert [item["query"] for item in page["items"]] == ["tea"]
    assert page["next_cursor"] is None


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "or --list"),
        (("id",), "or --list"),
        (("id", "1"), "or --list"),
        (("id", "one", "cited"), "field_invalid at /chunk_id"),
        (("id", "1", "great"), "helpful, not_helpful, cited"),
        (("--list", "id"), "--list needs no search"),
    ],
)
def test_half_a_command(vstash: Vstash, search: str, args: tuple[str, ...], said: str) -> None:
    """What is missing or too much is said, and nothing is stored."""
    result = vstash.run("feedback", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert vstash.json("stats")["feedback"] == 0
