"""The settings command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vstash.cli.options import Common, common_options, example
from vstash.cli.output import bold, out, out_json, printable, terminal_width
from vstash.cli.render import fields_block
from vstash.errors import RequestError, SettingsError

if TYPE_CHECKING:
    from vstash.settings import Settings

__all__ = ["settings"]

_INDENT = "   "


@click.command(
    short_help="List the settings and their values in force.",
    epilog=example("vstash settings", "VSTASH_CHUNK_TOKENS=128 vstash settings --json"),
)
@click.option("--markdown", is_flag=True, help="Print the reference of all settings instead.")
@common_options
def settings(common: Common, markdown: bool) -> None:
    """List the settings: value in force, default, unit, range, environment variable, meaning."""
    if markdown:
        if common.as_json:
            raise RequestError("--markdown and --json exclude each other: choose one.")
        from vstash.cli.reference import settings_markdown

        out(settings_markdown().rstrip("\n"))
        return
    try:
        in_force = common.settings()
    except SettingsError:
        # The message sends the reader here for names and ranges.
        if not common.as_json:
            _show(None)
        raise
    if common.as_json:
        _print_json(in_force)
    else:
        _show(in_force)


def _print_json(in_force: Settings) -> None:
    from vstash.settings import config_path, setting_rows

    items = [
        {
            "name": row.name,
            "value": getattr(in_force, row.name),
            "default": row.default,
            "unit": row.unit,
            "env": row.env,
            "help": row.help,
        }
        for row in setting_rows()
    ]
    out_json({"items": items, "config": config_path(), "db": in_force.db_path()})


def _show(in_force: Settings | None) -> None:
    from vstash.settings import config_path, setting_rows, written_value

    for row in setting_rows():
        value = ""
        if in_force is not None:
            value = f" = {printable(written_value(getattr(in_force, row.name)))}".rstrip()
        facts = (f"default {written_value(row.default) or 'empty'}", row.unit, row.range, row.env)
        meaning = f"{row.help} ({'; '.join(fact for fact in facts if fact)})"
        out(bold(row.name) + value)
        out(
            click.formatting.wrap_text(
                meaning, terminal_width(), initial_indent=_INDENT, subsequent_indent=_INDENT
            )
        )
    file = config_path()
    where = [("vstash.toml", f"{file}{'' if file.is_file() else ' (not there)'}")]
    if in_force is not None:
        where.append(("file in use", str(in_force.db_path())))
    out(fields_block(where))
