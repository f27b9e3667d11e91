"""Adding, reading, listing, changing and removing documents by command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


def test_added_text_comes_back_exactly(vstash: Vstash) -> None:
    """What `add -` reads from standard input, `get` prints, byte for byte."""
    text = "  two\tlines\n\nand a café, 東京, \x1b[31mred\x1b[0m\n"
    assert vstash.run("add", "-", "--key", "raw", stdin=text).exit_code == 0
    assert vstash.run("get", "--key", "raw").stdout_bytes == text.encode()


def test_words_are_joined(vstash: Vstash) -> None:
    """Several words of the command line are one text."""
    vstash.run("add", "Ada", "prefers", "tea.", "--key", "ada")
    assert vstash.run("get", "--key", "ada").stdout == "Ada prefers tea."


def test_a_text_may_start_with_a_dash(vstash: Vstash) -> None:
    """After -- nothing is an option."""
    vstash.run("add", "--key", "cold", "--", "-5", "degrees")
    assert vstash.run("get", "--key", "cold").stdout == "-5 degrees"


def test_a_bom_is_not_part_of_the_text(vstash: Vstash) -> None:
    """Some programs of Windows put a byte order mark in front."""
    vstash.run("add", "-", "--key", "bom", stdin=b"\xef\xbb\xbfhello")
    assert vstash.run("get", "--key", "bom").stdout == "hello"


def test_other_encodings_are_refused(vstash: Vstash) -> None:
    """Text that is not UTF-8 is not guessed at, and nothing is made."""
    result = vstash.run("add", "-", stdin=b"caf\xe9")
    assert result.exit_code == 2
    assert "[text_invalid at /text]" in result.stderr
    assert not vstash.db.exists()


def test_all_fields_are_stored(vstash: Vstash) -> None:
    """Every option of add ends in the document; metadata is JSON where it can be read as such."""
    added = vstash.json(
        *("add", "A note.", "--key", "k", "--title", "T", "--collection", "work"),
        *("--tag", "b", "--tag", "a", "--expires-at", "2100-01-01T00:00:00+01:00"),
        *("--meta", "n=3", "--meta", "list=[1,null]", "--meta", "text=a=b", "--meta", "nan=NaN"),
        *("--meta", "empty="),
    )
    assert (added["key"], added["title"], added["collection"]) == ("k", "T", "work")
    assert added["tags"] == ["a", "b"]
    assert added["expires_at"] == "2099-12-31T23:00:00.000000Z"
    assert added["metadata"] == {
        "n": 3,
        "list": [1, None],
        "text": "a=b",
        "nan": "NaN",
        "empty": "",
    }
    assert vstash.json("get", added["id"]) == {**added, "text": "A note."}


def test_values_that_cannot_be_used(vstash: Vstash) -> None:
    """Each is refused with exit code 2 and the field at fault, and nothing is stored."""
    for args, where in (
        (("add", ""), "text_invalid at /text"),
        (("add", "x", "--meta", "name"), "field_invalid at /metadata"),
        (("add", "x", "--meta", "=1"), "field_invalid at /metadata"),
        (("add", "x", "--meta", "a=1", "--meta", "a=2"), "field_invalid at /metadata"),
        (("add", "x", "--expires-at", "tomorrow"), "field_invalid at /expires_at"),
        (("add", "x", "--expires-at", "2030-01-01T00:00:00"), "field_invalid at /expires_at"),
        (("add", "x", "--db", ""), "request_invalid"),
    ):
        result = vstash.run(*args)
        assert (result.exit_code, result.stdout) == (2, ""), args
        assert f"[{where}]" in result.stderr, args
    added = vstash.run("add", "x", "--key", "only")
    assert added.exit_code == 0
    assert len(vstash.json("list")["items"]) == 1


def test_the_same_key_replaces(vstash: Vstash) -> None:
    """A second add with a key leaves one document with the id of the first."""
    first = vstash.json("add", "old", "--key", "k")
    second = vstash.json("add", "new", "--key", "k")
    assert second["id"] == first["id"]
    assert vstash.run("get", first["id"]).stdout == "new"


def test_one_chunk(vstash: Vstash) -> None:
    """`get --chunk` prints a chunk and takes no document beside it."""
    vstash.run("add", "A note.")
    assert vstash.run("get", "--chunk", "1").stdout == "A note."
    assert vstash.json("get", "--chunk", "1")["seq"] == 0
    assert vstash.run("get", "--chunk", "1", "--key", "k").exit_code == 2
    assert vstash.run("get", "--chunk", "99").exit_code == 3


def test_listing_in_pages(vstash: Vstash) -> None:
    """Pages join to the whole listing; how to go on is said on standard error."""
    keys = [f"k{number}" for number in range(5)]
    for key in keys:
        vstash.run("add", f"text of {key}", "--key", key)
    first = vstash.run("list", "--limit", "2")
    assert first.stdout.splitlines()[0].split() == ["ID", "KEY", "TITLE", "CHUNKS", "UPDATED"]
    assert len(first.stdout.splitlines()) == 3
    cursor = first.stderr.split("--cursor ")[1].split()[0]
    second = vstash.json("list", "--limit", "2", "--cursor", cursor)
    assert [item["key"] for item in second["items"]] == ["k2", "k3"]
    whole = vstash.json("list", "--all", "--limit", "2")
    assert [item["key"] for item in whole["items"]] == keys
    assert whole["next_cursor"] is None
    assert vstash.run("list", "--all").stderr == ""


def test_listing_with_a_filter(vstash: Vstash) -> None:
    """--filter and --tag must both hold."""
    vstash.run("add", "one", "--key", "a1", "--tag", "x")
    vstash.run("add", "two", "--key", "a2", "--tag", "y")
    vstash.run("add", "three", "--key", "b1", "--tag", "x")
    found = vstash.json("list", "--tag", "x", "--filter", '{"key": {"prefix": "a"}}')
    assert [item["key"] for item in found["items"]] == ["a1"]
    assert vstash.run("list", "--tag", "z").stdout == "No documents.\n"


def test_update_changes_only_what_is_given(vstash: Vstash) -> None:
    """Fields that no option names stay."""
    vstash.run("add", "old", "--key", "k", "--title", "T", "--tag", "x", "--meta", "a=1")
    changed = vstash.json("update", "--key", "k", "--meta", "b=2", "--unset-meta", "a")
    assert changed["metadata"] == {"b": 2}
    assert (changed["title"], changed["tags"]) == ("T", ["x"])
    changed = vstash.json("update", changed["id"], "--title", "", "--no-tags", "--text", "new")
    assert (changed["title"], changed["tags"]) == ("", [])
    assert vstash.run("get", "--key", "k").stdout == "new"


def test_update_text_from_a_file(vstash: Vstash, tmp_path: Path) -> None:
    """--text-file reads a file or standard input; a missing file is exit code 3."""
    vstash.run("add", "old", "--key", "k")
    file = tmp_path / "new.txt"
    file.write_text("from a file", encoding="utf-8")
    vstash.run("update", "--key", "k", "--text-file", str(file))
    assert vstash.run("get", "--key", "k").stdout == "from a file"
    vstash.run("update", "--key", "k", "--text-file", "-", stdin="from a pipe")
    assert vstash.run("get", "--key", "k").stdout == "from a pipe"
    assert vstash.run("update", "--key", "k", "--text-file", str(tmp_path / "no")).exit_code == 3


def test_update_expiry(vstash: Vstash) -> None:
    """A document that has expired is hidden; --never-expires takes a later time back."""
    vstash.run("add", "old", "--key", "k", "--expires-at", "2100-01-01T00:00:00Z")
    assert vstash.json("update", "--key", "k", "--never-expires")["expires_at"] is None
    vstash.run("update", "--key", "k", "--expires-at", "2020-01-01T00:00:00Z")
    assert vstash.run("get", "--key", "k").exit_code == 3


def test_an_empty_expiry_is_refused(vstash: Vstash) -> None:
    """An empty time, such as from a variable that is not set, is told and not passed over."""
    vstash.run("add", "old", "--key", "k")
    result = vstash.run("update", "--key", "k", "--expires-at", "")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "[field_invalid at /expires_at]" in result.stderr


def test_update_refuses_contradictions(vstash: Vstash) -> None:
    """Nothing to change, or two options that exclude each other, is a malformed command line."""
    vstash.run("add", "old", "--key", "k", "--meta", "a=1")
    for options in (
        (),
        ("--text", "a", "--text-file", "b"),
        ("--tag", "a", "--no-tags"),
        ("--expires-at", "2100-01-01T00:00:00Z", "--never-expires"),
        ("--meta", "a=2", "--unset-meta", "a"),
    ):
        result = vstash.run("update", "--key", "k", *options)
        assert result.exit_code == 2, options
        assert "[request_invalid]" in result.stderr, options


def test_delete_several(vstash: Vstash) -> None:
    """Those that exist are removed although others are missing, which is exit code 3."""
    first = vstash.json("add", "one", "--key", "a")
    vstash.run("add", "two", "--key", "b")
    result = vstash.run("delete", "missing", first["id"], "--key", "b", "--key", "gone", "--json")
    assert result.exit_code == 3
    assert [each["key"] for each in json.loads(result.stdout)["deleted"]] == ["a", "b"]
    assert json.loads(result.stderr)["error"]["code"] == "document_not_found"
    assert "missing, gone" in json.loads(result.stderr)["error"]["detail"]
    assert vstash.json("list")["items"] == []


def test_delete_needs_a_name(vstash: Vstash) -> None:
    """Without an id or a key nothing is removed."""
    vstash.run("add", "one")
    assert vstash.run("delete").exit_code == 2
    assert len(vstash.json("list")["items"]) == 1


def test_id_and_key_exclude_each_other(vstash: Vstash) -> None:
    """Neither and both are refused."""
    added = vstash.json("add", "one", "--key", "k")
    assert vstash.run("get").exit_code == 2
    assert vstash.run("get", added["id"], "--key", "k").exit_code == 2
