"""Reading files and folders by command."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


def test_the_summary_to_read(vstash: Vstash, notes: Path) -> None:
    """Counts, speed, and the reasons for what was left out; again costs nothing."""
    result = vstash.run("ingest", str(notes))
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "4 files: 3 added, 0 replaced, 0 unchanged, 1 skipped, 0 failed"
    assert lines[1].startswith("3 chunks in ")
    assert lines[1].endswith("/s)")
    assert lines[2].startswith("skipped 1: media_type_unsupported: ")
    assert lines[3] == f"   {notes.resolve() / 'picture.png'}"
    again = vstash.run("ingest", str(notes)).stdout
    assert again.startswith("4 files: 0 added, 0 replaced, 3 unchanged, 1 skipped, 0 failed")


def test_reasons_are_grouped(vstash: Vstash, notes: Path) -> None:
    """Many files with one reason take a line each for three of them, and one for the rest."""
    for number in range(9):
        (notes / f"p{number}.png").write_bytes(b"\x89PNG")
    lines = vstash.run("ingest", str(notes)).stdout.splitlines()
    assert lines[2].startswith("skipped 10: ")
    assert lines[-1] == "   and 7 more"
    assert len(lines) == 7


def test_the_report_as_json(vstash: Vstash, notes: Path) -> None:
    """--json prints the report with an outcome for each file that changed or was left out."""
    report = vstash.json("ingest", str(notes), "--tag", "n", "--collection", "c")
    assert (report["added"], report["skipped"], report["failed"]) == (3, 1, 0)
    assert len(report["outcomes"]) == 4
    listed = vstash.json("list", "--collection", "c", "--tag", "n")["items"]
    assert len(listed) == 3


def test_ignored_patterns(vstash: Vstash, notes: Path) -> None:
    """--ignore takes several patterns."""
    report = vstash.json("ingest", str(notes), "--ignore", "tea*", "--ignore", "*.png")
    assert (report["added"], report["skipped"]) == (2, 0)


def test_names_from_standard_input(vstash: Vstash, notes: Path) -> None:
    """- reads names, one a line; no names are nothing to do."""
    names = f"{notes / 'tea.md'}\n\n{notes / 'ports.md'}\r\n"
    assert vstash.json("ingest", "-", stdin=names)["added"] == 2
    assert vstash.json("ingest", "-", stdin="")["added"] == 0


def test_a_missing_path(vstash: Vstash, notes: Path) -> None:
    """A path that does not exist is exit code 3, and nothing was read."""
    result = vstash.run("ingest", str(notes), str(notes / "absent"))
    assert result.exit_code == 3
    assert "[path_not_found at /paths]" in result.stderr
    assert vstash.json("list")["items"] == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that fails when it is read")
def test_a_file_that_fails_is_told(vstash: Vstash, notes: Path) -> None:
    """The others are stored, the failure is listed, and the exit code is 1."""
    result = vstash.run("ingest", str(notes / "tea.md"), "/proc/self/mem")
    assert result.exit_code == 1
    assert "1 added" in result.stdout
    assert "failed 1: unreadable: " in result.stdout


def test_prune_asks_nobody_in_a_pipe(vstash: Vstash, notes: Path) -> None:
    """Without a terminal --prune wants --yes, and does nothing at all otherwise."""
    vstash.run("ingest", str(notes))
    (notes / "tea.md").unlink()
    (notes / "new.md").write_text("something new", encoding="utf-8")
    refused = vstash.run("ingest", str(notes), "--prune", stdin="y\n")
    assert refused.exit_code == 2
    assert "add --yes" in refused.stderr
    assert len(vstash.json("list")["items"]) == 3
    report = vstash.json("ingest", str(notes), "--prune", "--yes")
    assert report["pruned"] == [(notes.resolve() / "tea.md").as_posix()]
    assert report["added"] == 1
    assert vstash.run("ingest", str(notes), "--prune", "--yes").exit_code == 0


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("answer", "left"), [("y\n", 2), ("n\n", 3), ("\n", 3), ("\x04", 3)])
def test_prune_asks_at_a_terminal(vstash: Vstash, notes: Path, answer: str, left: int) -> None:
    """The keys are shown, and only a clear yes removes them."""
    vstash.run("ingest", str(notes))
    (notes / "tea.md").unlink()
    code, shown = vstash.terminal("ingest", str(notes), "--prune", wait_for="[y/N]", answer=answer)
    assert code == 0
    assert (notes.resolve() / "tea.md").as_posix() in shown
    assert "Remove 1 document? [y/N]" in shown
    assert len(vstash.json("list")["items"]) == left


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_interrupted_at_the_question(vstash: Vstash, notes: Path) -> None:
    """Ctrl-C ends with 130 and one sentence; what was finished before is stored."""
    vstash.run("ingest", str(notes))
    (notes / "tea.md").unlink()
    (notes / "new.md").write_text("something new", encoding="utf-8")
    code, shown = vstash.terminal("ingest", str(notes), "--prune", wait_for="[y/N]", answer="^C")
    assert code == 130
    assert "Interrupted. Documents that were finished are stored." in shown
    assert "Traceback" not in shown
    assert len(vstash.json("list")["items"]) == 4


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_progress_is_shown_at_a_terminal(vstash: Vstash, notes: Path) -> None:
    """Files and chunks are counted while they are read, and the summary follows."""
    code, shown = vstash.terminal("ingest", str(notes))
    assert code == 0
    assert "4/4 files" in shown
    assert "3 chunks" in shown
    assert "4 files: 3 added" in shown
