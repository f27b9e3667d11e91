"""Every failure ends as one message and a documented exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import click
import pytest

from vstash import errors
from vstash.cli.failures import EXIT_CODES, run_guarded, wants_json
from vstash.cli.main import cli

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


def test_exit_codes_are_documented() -> None:
    """The table in the help has a line for the exit code of every error."""
    documented = {code for code, _ in EXIT_CODES}
    for name in errors.__all__:
        assert getattr(errors, name).exit_code in documented, name
    assert cli.epilog is not None
    for code, meaning in EXIT_CODES:
        assert f"{code:>3}  {meaning}" in cli.epilog


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (("serch", "x"), "Did you mean search"),
        (("zzz",), "There is no command 'zzz'."),
        (("search", "x", "--explian"), "--explain"),
        (("search",), "Missing argument 'QUERY...'"),
        (("list", "surplus"), "unexpected extra argument"),
        (("get", "--chunk", "one"), "--chunk"),
    ],
)
def test_malformed_command_lines(vstash: Vstash, args: tuple[str, ...], wanted: str) -> None:
    """They are told in a line, with a hint where one is known, as text and as JSON."""
    result = vstash.run(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert wanted in result.stderr
    assert "\nTry: vstash" in result.stderr
    as_json = vstash.run("--json", *args)
    assert (as_json.exit_code, as_json.stdout) == (2, "")
    assert as_json.stderr.count("\n") == 1
    error = json.loads(as_json.stderr)["error"]
    assert (error["code"], error["status"]) == ("request_invalid", 400)
    assert wanted in error["detail"]


def test_options_of_every_command_go_anywhere(vstash: Vstash, tmp_path: Path) -> None:
    """--db and --json count before and after the command; the last one wins."""
    other = tmp_path / "other.db"
    vstash.run("--db", str(other), "add", "x")
    assert other.exists()
    assert not vstash.db.exists()
    before = vstash.run("--json", "--db", str(other), "stats")
    after = vstash.run("stats", "--db", str(other), "--json")
    assert json.loads(before.stdout) == json.loads(after.stdout)
    both = vstash.run("--db", str(tmp_path / "wrong.db"), "stats", "--db", str(other))
    assert both.exit_code == 0
    for command in cli.commands.values():
        names = {name for option in command.params for name in option.opts}
        assert {"--db", "--model", "--json"} <= names, command.name


def test_json_is_looked_for_before_the_double_dash() -> None:
    """A text is not an option."""
    assert wants_json(["search", "x", "--json"])
    assert not wants_json(["search", "--", "--json"])


def test_store_and_model_errors(vstash: Vstash, tmp_path: Path) -> None:
    """Each kind of trouble has its own exit code."""
    foreign = tmp_path / "foreign.db"
    foreign.write_text("not a vstash file", encoding="utf-8")
    result = vstash.run("list", "--db", str(foreign))
    assert result.exit_code == 5
    assert "[store_foreign]" in result.stderr
    assert str(foreign) in result.stderr
    result = vstash.run("add", "x", "--model", str(tmp_path / "absent"))
    assert result.exit_code == 4
    vstash.run("add", "x")
    result = vstash.run("list", "--collection", "absent")
    assert result.exit_code == 3
    assert "[collection_not_found at /collection]" in result.stderr


def test_a_busy_file(vstash: Vstash) -> None:
    """While another process holds the write lock, a write gives up with its own exit code."""
    vstash.run("add", "x")
    holder = apsw.Connection(str(vstash.db))
    holder.execute("BEGIN IMMEDIATE")
    result = vstash.run("add", "y", "--json", VSTASH_BUSY_TIMEOUT_S="0.05")
    holder.execute("ROLLBACK")
    holder.close()
    assert result.exit_code == 6
    error = json.loads(result.stderr)["error"]
    assert (error["code"], error["retryable"]) == ("store_busy", True)


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("as_json", [False, True])
def test_what_nobody_expected(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, as_json: bool
) -> None:
    """A defect is reported as one, without a traceback and without what it held."""
    monkeypatch.delenv("VSTASH_DEBUG", raising=False)
    code = run_guarded(lambda: _raise(KeyError("secret")), as_json=as_json)
    shown = capsys.readouterr()
    assert (code, shown.out) == (1, "")
    assert "Internal error (KeyError)" in shown.err
    assert "please report it" in shown.err
    assert "Traceback" not in shown.err
    assert "secret" not in shown.err
    assert shown.err.count("\n") == 1


def test_debugging_shows_the_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """VSTASH_DEBUG=1 asks for it."""
    monkeypatch.setenv("VSTASH_DEBUG", "1")
    assert run_guarded(lambda: _raise(KeyError("secret")), as_json=False) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "KeyError: 'secret'" in shown


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_interrupted(capsys: pytest.CaptureFixture[str], error: BaseException) -> None:
    """Ctrl-C is exit code 130, and as JSON an error of its own."""
    assert run_guarded(lambda: _raise(error), as_json=True) == 130
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "interrupted"


def test_interrupted_while_a_library_loads(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C that a compiled library turned into an error of its own is still Ctrl-C."""
    error = ImportError("initialization failed")
    error.__cause__ = KeyboardInterrupt()
    assert run_guarded(lambda: _raise(error), as_json=False) == 130
    assert capsys.readouterr().err.startswith("Interrupted.")


def test_messages_cannot_steer_the_terminal(vstash: Vstash) -> None:
    """A value that an error repeats has no control characters left."""
    result = vstash.run("add", "x", "--meta", "\x1b]0;title\x07")
    assert result.exit_code == 2
    assert not {"\x1b", "\x07"} & set(result.stderr)


def test_no_command_prints_the_help(vstash: Vstash) -> None:
    """The help goes to standard error then, because nothing was asked for."""
    result = vstash.run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: vstash")
    asked = vstash.run("--help")
    assert (asked.exit_code, asked.stderr) == (0, "")
    assert asked.stdout == result.stderr
