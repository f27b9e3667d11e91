"""The reference pages, made from the commands and the table of settings.

``python -m vstash.cli.reference`` prints docs/cli.md, and with ``settings`` docs/settings.md.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING

from vstash import errors
from vstash.settings import setting_rows, written_value

if TYPE_CHECKING:
    import click

__all__ = ["cli_markdown", "settings_markdown"]

_ERRORS = (
    "Errors go to standard error as one line, `error: message [code]`; with `--json` as one JSON "
    'object, `{"error": {"code": ..., "status": ..., "retryable": ..., "detail": ...}}`. '
    "Standard output then holds one JSON document or nothing."
)
_COMMON = ("db", "model", "as_json", "help")


def settings_markdown() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Made by `python -m vstash.cli.reference settings`; do not edit.",
        "",
        *_paragraphs(inspect.getdoc(sys.modules["vstash.settings"]) or ""),
        "",
        "| Setting | Default | Unit | Range | Environment | Meaning |",
        "|---|---|---|---|---|---|",
    ]
    for row in setting_rows():
        cells = (
            f"`{row.name}`",
            f"`{default}`" if (default := written_value(row.default)) else "empty",
            row.unit,
            row.range,
            f"`{row.env}`",
            row.help,
        )
        lines.append(_row(cells))
    return "\n".join(lines) + "\n"


def cli_markdown() -> str:
    """docs/cli.md."""
    from vstash.cli.failures import EXIT_CODES
    from vstash.cli.main import cli

    lines = [
        "# Command line",
        "",
        "Made by `python -m vstash.cli.reference`; do not edit.",
        "",
        *_paragraphs(cli.help or ""),
        "",
        "## Options of every command",
        "",
        *_option_table(cli, common=True),
        "",
        "## Exit codes",
        "",
        "| Code | Meaning |",
        "|---|---|",
        *(_row((str(code), meaning)) for code, meaning in EXIT_CODES),
        "",
        _ERRORS,
    ]
    for name, command in cli.commands.items():
        lines += _command(name, command)
        # A group has its commands below it.
        for below, inner in getattr(command, "commands", {}).items():
            lines += _command(f"{name} {below}", inner)
    return "\n".join(lines) + "\n"


def _command(name: str, command: click.Command) -> list[str]:
    arguments = [
        parameter.metavar
        for parameter in command.params
        if parameter.param_type_name == "argument" and isinstance(parameter.metavar, str)
    ]
    rest = ["COMMAND"] if hasattr(command, "commands") else ["[OPTIONS]", *arguments]
    usage = " ".join(["vstash", name, *rest])
    lines = [
        "",
        f"## {name}",
        "",
        "```",
        usage,
        "```",
        "",
        *_paragraphs(command.help or ""),
    ]
    options = _option_table(command, common=False)
    if options:
        lines += ["", *options]
    examples = [line[2:] for line in (command.epilog or "").splitlines() if line.startswith("  ")]
    if examples:
        lines += ["", "```console", *(f"$ {line}" for line in examples), "```"]
    return lines


def _option_table(command: click.Command, *, common: bool) -> list[str]:
    rows = []
    for parameter in command.params:
        if parameter.param_type_name != "option" or (parameter.name in _COMMON) is not common:
            continue
        names = ", ".join(f"`{name}{_value(parameter)}`" for name in parameter.opts)
        rows.append(_row((names, getattr(parameter, "help", None) or "")))
    return ["| Option | Meaning |", "|---|---|", *rows] if rows else []


def _value(option: click.Parameter) -> str:
    if getattr(option, "is_flag", False):
        return ""
    choices = getattr(option.type, "choices", None)
    value = "|".join(map(str, choices)) if choices else option.metavar or "VALUE"
    return f" {value}"


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _paragraphs(text: str) -> list[str]:
    """One line per paragraph, blank lines between."""
    joined = [" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n")]
    return "\n\n".join(joined).split("\n")


_ABOUT_ERRORS = (
    "Every error has a code, the same in Python (`error.code`), in the JSON of the command line and in "
    "the problem details of the REST API, whose `type` is `urn:vstash:error:` and the code. Codes stay "
    "what they are; the words of messages may change. What is retryable may succeed when it is repeated "
    "as it is."
)


def errors_markdown() -> str:
    """docs/errors.md."""
    lines = [
        "# Errors",
        "",
        "Made by `python -m vstash.cli.reference errors`; do not edit.",
        "",
        _ABOUT_ERRORS,
        "",
        "| Code | Class | HTTP | Retryable | Exit code | When |",
        "|---|---|---|---|---|---|",
    ]
    kinds = [getattr(errors, name) for name in errors.__all__]
    for kind in sorted(kinds, key=lambda each: (each.status, each.code)):
        cells = (
            f"`{kind.code}`",
            f"`{kind.__name__}`",
            str(kind.status),
            "yes" if kind.retryable else "no",
            str(kind.exit_code),
            (inspect.getdoc(kind) or "").splitlines()[0],
        )
        lines.append(_row(cells))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    pages = {"cli": cli_markdown, "settings": settings_markdown, "errors": errors_markdown}
    page = pages[(sys.argv[1:] or ["cli"])[0]]()
    # UTF-8 and plain line ends on every system.
    sys.stdout.buffer.write(page.encode("utf-8"))
