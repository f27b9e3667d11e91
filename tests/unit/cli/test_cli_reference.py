"""The reference pages say what the commands do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vstash.cli.main import cli
from vstash.cli.reference import cli_markdown, errors_markdown, settings_markdown
from vstash.settings import setting_rows

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("cli.md", cli_markdown()),
        ("settings.md", settings_markdown()),
        ("errors.md", errors_markdown()),
    ],
)
def test_committed_pages_are_current(name: str, page: str) -> None:
    """A change of a command or setting goes with its page: run `python -m vstash.cli.reference`."""
    assert (DOCS / name).read_text(encoding="utf-8") == page


def test_every_command_and_option_is_on_the_page() -> None:
    """Nothing can be called that is not described."""
    page = cli_markdown()
    for command in cli.commands.values():
        assert f"\n## {command.name}\n" in page
        assert command.short_help
        assert command.epilog
        assert "Example:" in command.epilog
        for option in command.params:
            for name in option.opts if option.param_type_name == "option" else ():
                assert f"`{name}" in page, (command.name, name)


def test_every_option_has_a_help_text() -> None:
    """`--help` explains each."""
    for command in (cli, *cli.commands.values()):
        for option in command.params:
            if option.param_type_name == "option":
                assert getattr(option, "help", None), (command.name, option.name)


def test_every_setting_is_on_the_page() -> None:
    """With its range, where it has one."""
    page = settings_markdown()
    for row in setting_rows():
        assert f"| `{row.name}` |" in page
    ranges = {row.name: row.range for row in setting_rows()}
    assert ranges["chunk_tokens"] == "16 to 8,192"
    assert ranges["log_max_rows"] == "1 or more"
    assert ranges["durability"] == "`full` or `normal`"
    assert ranges["host"] == ""


@pytest.mark.parametrize("name", ["cli", "settings"])
def test_the_generator_prints_the_page(vstash: Vstash, name: str) -> None:
    """`python -m vstash.cli.reference` writes what is committed."""
    words = ["settings"] if name == "settings" else []
    done = subprocess.run(
        [sys.executable, "-m", "vstash.cli.reference", *words],
        capture_output=True,
        check=True,
        env=vstash.child_environment(),
    )
    assert done.stdout.decode() == (DOCS / f"{name}.md").read_text(encoding="utf-8")


def test_help_fits_a_page_of_text(vstash: Vstash) -> None:
    """Every command's help ends with its example, and is not wrapped out of shape."""
    for command in cli.commands.values():
        shown = vstash.run(command.name or "", "--help").stdout
        assert command.epilog is not None
        for line in command.epilog.splitlines()[2:]:
            assert line in shown, command.name
