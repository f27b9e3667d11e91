"""Statistics, integrity, the disagreement log and the settings by command."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import pytest

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


@pytest.fixture
def searched(vstash: Vstash) -> Vstash:
    """Twelve documents and three logged searches."""
    for number in range(12):
        vstash.run(
            "add", f"Note {number} about tea and port {8000 + number}.", "--key", f"k{number}"
        )
    for query in ("tea note", "port 8003", "which port has tea"):
        vstash.run("search", query)
    return vstash


def test_stats(searched: Vstash) -> None:
    """The same numbers are printed to read and as JSON."""
    found = searched.json("stats")
    assert (found["documents"], found["chunks"], found["searches_logged"]) == (12, 12, 3)
    assert found["path"] == str(searched.db)
    shown = dict(line.rsplit("  ", 1) for line in searched.run("stats").stdout.splitlines())
    numbers = {name.strip(): value.strip() for name, value in shown.items()}
    assert numbers["documents"] == "12"
    assert numbers["in default"] == "12"
    assert numbers["searches logged"] == "3 (0 dropped)"


def test_check_of_a_sound_file(searched: Vstash) -> None:
    """Nothing wrong is exit code 0."""
    result = searched.run("check")
    assert result.exit_code == 0
    assert result.stdout.startswith("12 documents, 12 chunks, ")
    assert result.stdout.endswith(": nothing wrong\n")
    assert searched.json("check")["findings"] == []


def test_check_finds_damage(searched: Vstash) -> None:
    """A lost chunk of the keyword index is found and makes the exit code 1."""
    connection = apsw.Connection(str(searched.db))
    connection.execute("DELETE FROM keyword WHERE rowid = 3")
    connection.close()
    result = searched.run("check")
    assert (result.exit_code, result.stderr) == (1, "")
    assert "2 findings" in result.stdout
    as_json = searched.run("check", "--json")
    assert as_json.exit_code == 1
    report = json.loads(as_json.stdout)
    assert report["ok"] is False
    assert report["findings"][0]["count"] == 1


def test_disagreements_in_pages(searched: Vstash) -> None:
    """Newest first; each page says how to go on."""
    first = searched.run("disagreements", "--limit", "2")
    heads = [line for line in first.stdout.splitlines() if not line.startswith(" ")]
    assert [head.split("  ")[-1] for head in heads] == ["which port has tea", "port 8003"]
    cursor = first.stderr.split("--cursor ")[1].split()[0]
    page = searched.json("disagreements", "--cursor", cursor)
    assert [item["query"] for item in page["items"]] == ["tea note"]
    assert page["next_cursor"] is None


def test_no_searches_yet(vstash: Vstash) -> None:
    """An empty log is said to be empty."""
    vstash.run("add", "x")
    assert vstash.run("disagreements").stdout == "No searches are logged.\n"


def test_export_to_a_file(searched: Vstash, tmp_path: Path) -> None:
    """Every logged search becomes a line of JSON in a file for its owner alone."""
    target = tmp_path / "log.jsonl"
    result = searched.run("disagreements", "--export", str(target), "--texts")
    assert result.exit_code == 0
    assert result.stdout.startswith("exported 3 lines to ")
    lines = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [line["query"] for line in lines] == ["which port has tea", "port 8003", "tea note"]
    if os.name != "nt":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    again = searched.json("disagreements", "--export", str(tmp_path / "second.jsonl"))
    assert again["exported"] == 3


def test_export_never_overwrites(searched: Vstash) -> None:
    """An existing file stays as it is, be it the vstash file itself."""
    there = searched.folder / "there.jsonl"
    there.write_text("mine")
    for target, told in ((searched.db, "itself: name another"), (there, "name a new one")):
        result = searched.run("disagreements", "--export", str(target))
        assert result.exit_code == 2
        assert told in result.stderr
    assert "--force" in searched.run("triples", str(there)).stderr
    assert "--force" not in searched.run("disagreements", "--export", str(there)).stderr
    assert there.read_text() == "mine"
    assert searched.json("check")["ok"] is True


def test_export_to_a_pipe(searched: Vstash) -> None:
    """- prints JSON Lines, which is not the one document that --json promises."""
    result = searched.run("disagreements", "--export", "-")
    assert [json.loads(line)["k"] for line in result.stdout.splitlines()] == [10, 10, 10]
    assert searched.run("disagreements", "--export", "-", "--json").exit_code == 2


def test_export_to_a_missing_folder(searched: Vstash, tmp_path: Path) -> None:
    """It is told as what is not there, and not as a fault of the vstash file."""
    result = searched.run("disagreements", "--export", str(tmp_path / "no" / "log.jsonl"))
    assert result.exit_code == 3
    assert "[path_not_found]" in result.stderr


def test_export_to_a_folder(searched: Vstash, tmp_path: Path) -> None:
    """What the operating system says is passed on, without a traceback."""
    (tmp_path / "out").mkdir()
    result = searched.run("triples", str(tmp_path / "out"), "--force")
    assert result.exit_code == 5
    assert "[store_io]" in result.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


def test_settings_in_force(vstash: Vstash) -> None:
    """The environment and options show in the values, beside the defaults."""
    result = vstash.run("settings", "--json", VSTASH_CHUNK_TOKENS="64")
    found = json.loads(result.stdout)
    rows = {row["name"]: row for row in found["items"]}
    assert (rows["chunk_tokens"]["value"], rows["chunk_tokens"]["default"]) == (64, 192)
    assert rows["chunk_tokens"]["env"] == "VSTASH_CHUNK_TOKENS"
    assert found["db"] == str(vstash.db)
    shown = vstash.run("settings", "--db", "other.db", VSTASH_CHUNK_TOKENS="64").stdout
    assert "chunk_tokens = 64\n" in shown
    assert "db = other.db\n" in shown
    assert "VSTASH_CHUNK_TOKENS" in shown
    assert "log_searches = full\n" in shown
    assert "(default 0; threads; " in " ".join(shown.split())


def test_a_malformed_setting(vstash: Vstash) -> None:
    """The error is told, and the table to correct it by is shown all the same."""
    result = vstash.run("settings", VSTASH_PORT="many")
    assert result.exit_code == 2
    assert "Setting `port`" in result.stderr
    assert "[settings_invalid]" in result.stderr
    assert "0 to 65,535" in result.stdout
    as_json = vstash.run("settings", "--json", VSTASH_PORT="many")
    assert (as_json.exit_code, as_json.stdout) == (2, "")
    assert vstash.run("list", VSTASH_PORT="many").exit_code == 2


def test_the_reference_of_settings(vstash: Vstash) -> None:
    """--markdown prints the page, and is not JSON."""
    assert vstash.run("settings", "--markdown").stdout.startswith("# Settings\n")
    assert vstash.run("settings", "--markdown", "--json").exit_code == 2
