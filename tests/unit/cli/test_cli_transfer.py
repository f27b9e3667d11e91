"""Export, import and triples: files that appear whole, pipes, and what is told."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.unit.cli.command import Vstash


@pytest.fixture
def filled(vstash: Vstash) -> Vstash:
    """A file with two documents."""
    vstash.run("add", "The amber lamp.", "--key", "amber")
    vstash.run("add", "The cedar door.", "--key", "cedar", "--collection", "notes")
    return vstash


def names(folder: Path) -> set[str]:
    """What is in a folder."""
    return {each.name for each in folder.iterdir()}


def test_a_file_appears_whole(filled: Vstash, tmp_path: Path) -> None:
    """For its owner alone, and nothing else is left beside it."""
    folder = tmp_path / "out"
    folder.mkdir()
    target = folder / "all.ndjson"
    result = filled.run("export", str(target))
    assert result.stdout == f"exported 2 documents to {target}\n"
    assert names(folder) == {"all.ndjson"}
    if os.name != "nt":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert filled.run("export").stdout.encode() == target.read_bytes()
    assert filled.json("export", str(folder / "2"), "--collection", "notes")["exported"] == 1


def test_nothing_is_overwritten_unasked(filled: Vstash, tmp_path: Path) -> None:
    """--force replaces a file, but never the vstash file or one of those that belong to it."""
    target = tmp_path / "there"
    target.write_text("mine")
    assert filled.run("export", str(target)).exit_code == 2
    assert target.read_text() == "mine"
    assert filled.run("export", str(target), "--force").exit_code == 0
    assert target.read_text().startswith('{"format":"vstash-export"')
    link = tmp_path / "link"
    link.symlink_to(filled.db)
    for own in (filled.db, Path(f"{filled.db}-wal"), Path(f"{filled.db}-shm"), link):
        result = filled.run("export", str(own), "--force")
        assert (result.exit_code, "the vstash file itself" in result.stderr) == (2, True), own
    assert filled.run("export", "-", "--json").exit_code == 2
    assert filled.json("check")["ok"] is True


def test_a_refused_export_leaves_no_file(filled: Vstash, tmp_path: Path) -> None:
    """Neither under its name nor under another."""
    folder = tmp_path / "out"
    folder.mkdir()
    assert filled.run("export", str(folder / "x"), "--collection", "absent").exit_code == 3
    assert filled.run("export", str(folder / "no" / "x")).exit_code == 3
    assert names(folder) == set()


def test_import(filled: Vstash, tmp_path: Path) -> None:
    """What is told, from a file and from a pipe; - and a file that is not there are told apart."""
    target = tmp_path / "all.ndjson"
    filled.run("export", str(target))
    other = ("--db", str(tmp_path / "other.db"))
    told = filled.run(*other, "import", str(target), "--dry-run").stdout
    assert told == "2 added, 0 replaced, 0 unchanged; 0 chunks to do, nothing stored\n"
    told = filled.run(*other, "import", str(target)).stdout
    assert told.startswith("2 added, 0 replaced, 0 unchanged; 2 chunks in ")
    filled.run(*other, "add", "other", "--key", "amber")
    told = filled.run(*other, "import", str(target), "--on-conflict", "skip").stdout
    assert told.startswith("0 added, 0 replaced, 1 unchanged, 1 skipped; ")
    result = filled.run("--db", str(tmp_path / "third.db"), "import", str(tmp_path / "absent"))
    assert (result.exit_code, "[path_not_found]" in result.stderr) == (3, True)
    assert filled.run(*other, "import", str(tmp_path)).exit_code == 3
    assert not (tmp_path / "third.db").exists()


def test_a_bad_line_is_named(filled: Vstash, tmp_path: Path) -> None:
    """The message says which; the exit code is that of bad input."""
    target = tmp_path / "all.ndjson"
    filled.run("export", str(target))
    target.write_bytes(target.read_bytes().replace(b"cedar door", b"jade window"))
    result = filled.run("import", str(target))
    assert result.exit_code == 2
    assert "Line 3: " in result.stderr
    assert "jade" not in result.stderr


def test_triples(filled: Vstash, tmp_path: Path) -> None:
    """To standard output or to a file."""
    assert filled.run("triples").stdout == ""
    target = tmp_path / "triples.ndjson"
    assert filled.json("triples", str(target)) == {"exported": 0, "path": str(target)}
    assert filled.run("triples", "--collection", "absent").exit_code == 3
    assert json.loads(filled.run("export").stdout.splitlines()[-1])["documents"] == 2
