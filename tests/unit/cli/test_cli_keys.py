"""Access keys by command, as they are read on a terminal."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from vstash import Memory
from vstash.wire import parse_time

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


def test_the_secret_is_alone_on_standard_output(vstash: Vstash) -> None:
    """A script takes it as it is; the warning goes to standard error. It is never shown again."""
    made = vstash.run("keys", "create", "laptop", "--scope", "write", "--expires", "90d")
    secret = made.stdout.strip()
    assert (made.exit_code, made.stdout) == (0, f"{secret}\n")
    assert "cannot be shown again" in made.stderr
    assert secret not in made.stderr
    with Memory(vstash.db, model="fake") as memory:
        key = memory.access(secret)
    assert key is not None
    assert key.scope == "write"
    for command in (["keys", "list"], ["keys", "list", "--json"], ["stats"], ["settings"]):
        told = vstash.run(*command)
        assert told.exit_code == 0
        assert secret[24:] not in told.output


@pytest.mark.parametrize(
    ("text", "span"), [("90d", timedelta(days=90)), ("12h", timedelta(hours=12))]
)
def test_a_span(vstash: Vstash, text: str, span: timedelta) -> None:
    """It is counted from now."""
    before = datetime.now(timezone.utc)
    made = vstash.json("keys", "create", "x", "--expires", text)
    until = parse_time(made["key"]["expires_at"], pointer="")
    assert before + span <= until <= datetime.now(timezone.utc) + span


@pytest.mark.parametrize("text", ["0d", "90", "d", "-1d", "1w", "1d2h", "\u0661d", "tomorrow"])
def test_what_is_no_time(vstash: Vstash, text: str) -> None:
    """It is refused, and no file is made."""
    result = vstash.run("keys", "create", "x", f"--expires={text}")
    assert result.exit_code == 2
    assert "field_invalid at /expires_at" in result.stderr
    assert "90d" in result.stderr
    assert not vstash.db.exists()


def test_the_list(vstash: Vstash) -> None:
    """One line for a key, with what became of it."""
    assert vstash.run("keys", "list").exit_code == 3
    first = vstash.json("keys", "create", "first", "--collection", "notes")["key"]["id"]
    vstash.run("keys", "create", "second", "--expires", "1d")
    assert vstash.run("keys", "revoke", first).stdout == f"revoked {first}\n"
    heading, *lines = vstash.run("keys", "list").stdout.splitlines()
    assert heading.split() == ["ID", "NAME", "SCOPE", "COLLECTION", "CREATED", "STATE"]
    assert [line.split()[1:4] for line in lines] == [
        ["first", "read", "notes"],
        ["second", "read", "all"],
    ]
    assert ["revoked" in lines[0], "valid until" in lines[1]] == [True, True]


def test_a_mistyped_command(vstash: Vstash) -> None:
    """The group helps as the program does."""
    result = vstash.run("keys", "creat")
    assert result.exit_code == 2
    assert "Did you mean create?" in result.stderr
    shown = vstash.run("keys", "--help").stdout.partition("Commands:")[2].split("\n")
    assert [line.split()[0] for line in shown[1:4]] == ["create", "list", "revoke"]


@pytest.mark.parametrize("options", [("--port", "0"), ("--host", "127.0.0.1")])
def test_a_port_or_a_socket(vstash: Vstash, options: tuple[str, str]) -> None:
    """Both at once are refused before anything is made."""
    result = vstash.run("serve", "--uds", str(vstash.folder / "s"), *options)
    assert result.exit_code == 2
    assert "takes the place" in result.stderr
    assert list(vstash.folder.iterdir()) == []
