"""The command as a process: streams, pipes, signals and what it loads."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import vstash as package

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash

HEAVY = {"numpy", "onnxruntime", "fastapi", "uvicorn", "pydantic", "apsw", "rich", "tokenizers"}
posix_only = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX system")


@pytest.mark.parametrize("args", [("--help",), ("search", "--help"), ("--version",), ("serch",)])
def test_help_loads_nothing_heavy(vstash: Vstash, args: tuple[str, ...]) -> None:
    """Help, version and a mistyped command come without the libraries that searching needs."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "vstash", *args],
        capture_output=True,
        check=False,
        env=vstash.child_environment(),
    )
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.decode().splitlines()}
    assert "vstash.cli.main" in loaded
    assert not {name.split(".")[0] for name in loaded} & HEAVY


def test_rich_waits_for_a_terminal(vstash: Vstash, notes: Path) -> None:
    """In a pipe nothing is drawn, so the library that draws is not loaded."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "vstash", "ingest", str(notes)],
        capture_output=True,
        check=False,
        env=vstash.child_environment(),
    )
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.decode().splitlines()}
    assert "numpy" in loaded
    assert "rich" not in loaded


def test_version(vstash: Vstash) -> None:
    """--version prints name and version."""
    done = vstash.spawn("--version")
    assert done.stdout.decode().split() == ["vstash", package.__version__]


def test_a_day_in_pipes(vstash: Vstash, notes: Path) -> None:
    """Each command is a process of its own; what one stored the next finds."""
    assert vstash.spawn("ingest", str(notes)).returncode == 0
    added = vstash.spawn("add", "-", "--json", stdin="Ünïcode 東京".encode())
    assert (added.returncode, added.stderr) == (0, b"")
    assert added.stdout.count(b"\n") == 1
    found = vstash.spawn("search", "staging", "port", "--json")
    hit = json.loads(found.stdout)["hits"][0]
    assert hit["document"]["title"] == "Ports"
    text = vstash.spawn("get", json.loads(added.stdout)["id"])
    assert text.stdout.decode() == "Ünïcode 東京"
    assert vstash.spawn("check").returncode == 0


def test_no_colour_in_a_pipe(vstash: Vstash) -> None:
    """Neither we nor the stored text send an escape sequence, whatever the terminal is called."""
    vstash.run("add", "red \x1b[31mtea\x1b[0m and \x9b31m green tea", "--title", "a\x1b[1mb")
    for args in (("search", "tea", "--explain"), ("list",), ("stats",), ("check",), ("settings",)):
        done = vstash.spawn(*args, TERM="xterm-256color", FORCE_COLOR="1")
        assert done.returncode == 0
        assert b"\x1b" not in done.stdout + done.stderr, args
        assert "\x9b" not in done.stdout.decode(), args


@posix_only
def test_a_terminal_shows_matches_but_obeys_nobody(vstash: Vstash) -> None:
    """Matched words are bold there; sequences in the stored text are made harmless."""
    vstash.run("add", "some tea \x1b]0;owned\x07 here", "--key", "k")
    code, shown = vstash.terminal("search", "tea")
    assert code == 0
    assert "\x1b[1mtea\x1b[0m" in shown
    assert "\x1b]" not in shown
    assert "\x07" not in shown
    assert "\x1b]" not in vstash.terminal("get", "--key", "k")[1]
    assert "\x1b]" not in vstash.terminal("search", "tea", "--json")[1]


@posix_only
def test_no_color_is_respected(vstash: Vstash) -> None:
    """NO_COLOR leaves a terminal without emphasis."""
    vstash.run("add", "some tea here")
    plain = type(vstash)(vstash.folder, {**vstash.environment})
    ours, theirs = os.openpty()
    done = subprocess.run(
        plain.command("search", "tea"),
        stdout=theirs,
        stderr=theirs,
        check=False,
        env=plain.child_environment(NO_COLOR="1", TERM="xterm"),
    )
    os.close(theirs)
    shown = os.read(ours, 65_536)
    os.close(ours)
    assert done.returncode == 0
    assert b"tea" in shown
    assert b"\x1b" not in shown


@posix_only
@pytest.mark.parametrize(
    "args", [("list", "--all"), ("get", "--key", "k"), ("search", "tea", "--json")]
)
def test_a_reader_that_goes_away(vstash: Vstash, args: tuple[str, ...]) -> None:
    """`vstash ... | head` ends quietly, with the exit code of a broken pipe."""
    vstash.run("add", "tea " * 50_000, "--key", "k")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        vstash.command(*args),
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        env=vstash.child_environment(),
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written(vstash: Vstash) -> None:
    """A full disk behind standard output is an error, not a silent success."""
    vstash.run("add", "x")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            vstash.command("list"),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env=vstash.child_environment(),
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: The output cannot be written")
    assert b"Traceback" not in done.stderr


@posix_only
def test_errors_that_nobody_can_read(vstash: Vstash) -> None:
    """The exit code tells an error even where standard error goes nowhere."""
    vstash.run("add", "x")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        vstash.command("get", "missing"),
        stdout=writing,
        stderr=writing,
        check=False,
        env=vstash.child_environment(),
    )
    os.close(writing)
    assert done.returncode == 3


@posix_only
@pytest.mark.parametrize(("closed", "code"), [("2>&-", 141), ("0<&-", 141), (">&-", 0)])
def test_streams_that_are_closed(vstash: Vstash, closed: str, code: int) -> None:
    """A reader that went away is noticed, and a closed output is none, whatever else is open."""
    vstash.run("add", "x")
    reading, writing = os.pipe()
    os.close(reading)
    line = shlex.join(vstash.command("list", "--all"))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{line} {closed}"],
        stdout=writing,
        check=False,
        env=vstash.child_environment(),
    )
    os.close(writing)
    assert done.returncode == code


@posix_only
@pytest.mark.parametrize("args", [("add", "-"), ("search", "-"), ("ingest", "-")])
def test_standard_input_that_is_closed(vstash: Vstash, args: tuple[str, ...]) -> None:
    """Without a standard input a - is a malformed command line, not a defect."""
    vstash.run("add", "x")
    done = subprocess.run(
        ["/bin/sh", "-c", f"{shlex.join(vstash.command(*args))} <&-"],
        capture_output=True,
        check=False,
        env=vstash.child_environment(),
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"error: Standard input is closed")


def test_an_output_that_knows_few_letters(vstash: Vstash) -> None:
    """Letters that a stream cannot hold are escaped; JSON and stored texts are always UTF-8."""
    vstash.run("add", "to 東京", "--title", "東京", "--key", "k")
    shown = vstash.spawn("list", PYTHONIOENCODING="ascii")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"\\u6771" in shown.stdout
    assert vstash.spawn("get", "--key", "k", PYTHONIOENCODING="ascii").stdout == "to 東京".encode()
    listed = vstash.spawn("list", "--json", PYTHONIOENCODING="ascii").stdout
    assert json.loads(listed.decode("utf-8"))["items"][0]["title"] == "東京"


@posix_only
def test_interrupted_while_reading_standard_input(vstash: Vstash) -> None:
    """Ctrl-C before everything was read is told in a sentence and makes no file."""
    process = subprocess.Popen(
        vstash.command("add", "-"),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=vstash.child_environment(),
    )
    assert process.stdin is not None
    # More than a pipe holds: this returns when the command is reading.
    process.stdin.write(b"tea " * 250_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130
    assert told.decode().strip() == "Interrupted. Documents that were finished are stored."
    assert not vstash.db.exists()


@posix_only
def test_interrupted_again_while_ending(vstash: Vstash) -> None:
    """Once all is told, a second Ctrl-C changes nothing: no traceback, the same exit code."""
    code = (
        "import signal, threading\n"
        "from vstash.cli.main import cli, main\n"
        "def late():\n"
        "    threading.main_thread().join(30)\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "threading.Thread(target=late).start()\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--version"],
        capture_output=True,
        check=False,
        env=vstash.child_environment(),
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("args", "code"),
    [(("add", "x", "--embed", "soon"), 2), (("search", "x", "-k", "0"), 2), (("add", "x"), 0)],
)
def test_a_command_that_ends_while_the_model_loads(
    vstash: Vstash, args: tuple[str, ...], code: int
) -> None:
    """It ends with its own exit code and one message, not with that of a library cut short."""
    assert vstash.spawn("add", "The port is 8090.", VSTASH_MODEL="").returncode == 0
    for _ in range(3):
        done = vstash.spawn(*args, VSTASH_MODEL="")
        assert (done.returncode, done.stderr.count(b"\n")) == (code, 1 if code else 0)
