"""Backups by command, as they are read on a terminal."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


def test_a_backup_by_hand(vstash: Vstash) -> None:
    """Each command says what it did in a line or two."""
    assert vstash.run("add", "The lamp.").exit_code == 0
    assert "There are no backups." in vstash.run("backups").stdout
    made = vstash.run("backup")
    name = made.stdout.partition(":")[0]
    assert made.stdout.startswith("memory-")
    assert ": 1 document, " in made.stdout
    assert name in vstash.run("backups").stdout
    refused = vstash.run("restore", name)
    assert (refused.exit_code, refused.stdout) == (7, "")
    assert "force" in refused.stderr
    assert "1 document" in vstash.run("restore", name, "--force").stdout
    assert vstash.run("backups", "--delete", name).stdout == f"removed {name}\n"
    copy = vstash.folder / "copy.db"
    assert vstash.run("backup", str(copy)).exit_code == 0
    assert vstash.run("--db", str(copy), "search", "lamp").stdout
    assert vstash.run("backup", str(copy)).exit_code == 7


def test_a_file_that_is_lost(vstash: Vstash) -> None:
    """Restoring makes it anew, from a path as from a name."""
    vstash.run("add", "The lamp.")
    name = vstash.json("backup")["name"]
    vstash.db.unlink()
    told = vstash.json("restore", name)
    assert (told["documents"], told["kept"]) == (1, None)
    assert vstash.run("check").exit_code == 0


@pytest.mark.parametrize(
    "words",
    [
        ["--every", "tomorrow"],
        ["--every", "0s"],
        ["--keep", "3"],
        ["--every", "1d", "--keep", "0"],
        ["--every", "1d", "x.db"],
    ],
)
def test_what_is_no_schedule(vstash: Vstash, words: list[str]) -> None:
    """It is refused before anything is made."""
    vstash.run("add", "The lamp.")
    result = vstash.run("backup", *words)
    assert result.exit_code == 2
    assert not (vstash.folder / "backups").exists()


def test_a_schedule_runs_until_it_is_stopped(vstash: Vstash) -> None:
    """The first backup is made at once."""
    vstash.run("add", "The lamp.")
    with subprocess.Popen(
        vstash.command("backup", "--every", "1d", "--keep", "2"),
        stdout=subprocess.PIPE,
        env=vstash.child_environment(),
        text=True,
    ) as child:
        assert child.stdout is not None
        assert "-scheduled.db: 1 document" in child.stdout.readline()
        child.terminate()
    assert vstash.json("backups")["items"][0]["reason"] == "scheduled"
