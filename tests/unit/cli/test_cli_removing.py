"""Deletion by filter and of collections, chunks, conditions and compaction on the command line."""

from __future__ import annotations

import os

import pytest

from tests.unit.cli.command import Vstash

DRAFTS = ("delete", "--tag", "draft")


@pytest.fixture
def drafts(vstash: Vstash) -> Vstash:
    """A file with two drafts and one document that is none."""
    for key in ("a", "b"):
        vstash.run("add", f"Text {key}.", "--key", key, "--tag", "draft")
    vstash.run("add", "Kept.", "--key", "kept")
    return vstash


def keys(vstash: Vstash) -> list[str]:
    """Of all documents in `default`."""
    return [item["key"] for item in vstash.json("list")["items"]]


@pytest.mark.parametrize("command", [DRAFTS, ("collections", "default", "--delete")])
def test_nobody_is_asked_in_a_pipe(drafts: Vstash, command: tuple[str, ...]) -> None:
    """Without a terminal it wants --yes, and does nothing at all otherwise."""
    refused = drafts.run(*command, stdin="y\n")
    assert refused.exit_code == 2
    assert "add --yes" in refused.stderr
    assert len(keys(drafts)) == 3
    assert drafts.run(*command, "--yes").exit_code == 0
    assert len(keys(drafts)) < 3


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("answer", "left"), [("y\n", 1), ("n\n", 3), ("\n", 3)])
def test_it_asks_at_a_terminal(drafts: Vstash, answer: str, left: int) -> None:
    """What would go is shown, and only a clear yes removes it."""
    code, shown = drafts.terminal(*DRAFTS, wait_for="[y/N]", answer=answer)
    assert code == 0
    assert "would delete 2 documents, 2 chunks" in shown
    assert "Remove 2 documents? [y/N]" in shown
    assert ("\ndeleted 2 documents" in shown.replace("\r", "")) == (left == 1)
    assert len(keys(drafts)) == left


def test_a_dry_run_tells(drafts: Vstash) -> None:
    """How many and which, without asking, and nothing is removed."""
    told = drafts.run(*DRAFTS, "--dry-run")
    assert told.exit_code == 0
    assert told.stdout.splitlines()[0] == "would delete 2 documents, 2 chunks"
    assert [line.split()[1] for line in told.stdout.splitlines()[1:]] == ["a", "b"]
    whole = drafts.run("collections", "default", "--delete", "--dry-run").stdout
    assert whole.startswith("would delete 3 documents, 3 chunks\n")
    assert len(keys(drafts)) == 3
    assert drafts.run(*DRAFTS, "--yes").stdout.startswith("deleted 2 documents, 2 chunks\n")


def test_many_are_counted(vstash: Vstash) -> None:
    """Twenty are shown, the others counted."""
    for number in range(22):
        vstash.run("add", f"Text {number}.", "--tag", "draft")
    assert vstash.run(*DRAFTS, "--dry-run").stdout.splitlines()[-1] == "   and 2 more"


@pytest.mark.parametrize(
    "words",
    [
        ("delete", "--key", "a", "--tag", "draft", "--yes"),
        ("delete", "--key", "a", "--dry-run"),
        ("delete", "--key", "a", "--yes"),
        ("delete", "--dry-run"),
        ("delete", "--if-match", "x", "--tag", "draft", "--yes"),
        ("delete", "--if-match", "x", "--key", "a", "--key", "b"),
        ("collections", "--delete", "--yes"),
        ("collections", "default", "--dry-run"),
        ("collections", "--yes"),
        ("get", "--key", "a", "--before", "1"),
        ("get", "--key", "a", "--include", "chunks"),
        ("get", "--chunk", "1", "--include", "text", "--json"),
    ],
    ids=" ".join,
)
def test_contradictions_are_refused(drafts: Vstash, words: tuple[str, ...]) -> None:
    """Options that say nothing together are a malformed command line; nothing is removed."""
    result = drafts.run(*words)
    assert result.exit_code == 2
    assert "request_invalid" in result.stderr
    assert len(keys(drafts)) == 3


def test_conditions_have_their_exit_code(drafts: Vstash) -> None:
    """7 for what was changed by somebody else, or is there already."""
    etag = drafts.json("get", "--key", "a")["etag"]
    assert drafts.run("update", "--key", "a", "--title", "T", "--if-match", etag).exit_code == 0
    for words in (
        ("update", "--key", "a", "--title", "U", "--if-match", etag),
        ("delete", "--key", "a", "--if-match", etag),
        ("add", "New.", "--key", "a", "--if-absent"),
        ("add", "New.", "--key", "a", "--if-match", etag),
    ):
        assert drafts.run(*words).exit_code == 7
    assert drafts.json("get", "--key", "a")["title"] == "T"


def test_collections_are_a_table(drafts: Vstash) -> None:
    """One line each, with their counts."""
    drafts.run("add", "One.", "--collection", "notes")
    lines = [line.split() for line in drafts.run("collections").stdout.splitlines()]
    assert lines == [
        ["COLLECTION", "DOCUMENTS", "CHUNKS", "AWAITING"],
        ["default", "3", "3", "0"],
        ["notes", "1", "1", "0"],
    ]
    assert drafts.run("collections", "notes").stdout.splitlines()[1].split() == lines[2]


def test_chunks_to_read(vstash: Vstash) -> None:
    """Number, place and text; a page says how to go on; neighbours in the same form."""
    vstash.run("add", "-", "--key", "k", stdin="# Head\n\n" + "Lamp after lamp is amber. " * 300)
    shown = vstash.run("chunks", "--key", "k", "--limit", "2")
    assert shown.stdout.startswith("chunk 1  (")
    assert "Head\n" in shown.stdout
    assert "--cursor" in shown.stderr
    near = vstash.run("get", "--chunk", "2", "--before", "1").stdout
    assert near == shown.stdout


def test_compaction_to_read(drafts: Vstash) -> None:
    """What was removed, and the size before and after."""
    drafts.run("update", "--key", "a", "--expires-at", "2001-01-01T00:00:00Z")
    told = drafts.run("compact").stdout
    assert told.startswith("expired  1 removed, in ")
    assert " bytes\nsteps " in told
    assert told.rstrip().endswith(" ms")
