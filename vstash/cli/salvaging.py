"""The salvage command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from vstash.cli.options import Common, common_options, example
from vstash.cli.output import is_terminal, out, out_json, printable
from vstash.cli.render import counted, fields_block
from vstash.errors import VstashError

if TYPE_CHECKING:
    from vstash.upkeep import SalvageReport

__all__ = ["salvage"]


@click.command(
    short_help="Make a new file from what a damaged one still holds.",
    epilog=example("vstash salvage saved.db --db damaged.db"),
)
@click.argument("target", type=click.Path())
@click.option(
    "--keep-damaged",
    is_flag=True,
    help="Store what can be read of damaged documents too, with a mark where text is missing.",
)
@common_options
def salvage(common: Common, target: str, keep_damaged: bool) -> int:
    """Make a new file from what can still be read of a damaged one, which is not changed.

    The exit code is 1 when a document is not whole.
    """
    from vstash import salvage

    settings = common.settings()
    if is_terminal(sys.stderr):
        from vstash.cli.progress import CountBar

        with CountBar("documents") as bar:
            report = salvage(
                *(None, target),
                settings=settings,
                keep_damaged=keep_damaged,
                progress=lambda state: bar.update(state.done, state.documents),
            )
    else:
        report = salvage(None, target, settings=settings, keep_damaged=keep_damaged)
    if common.as_json:
        out_json(report)
    else:
        _show(report)
    return VstashError.exit_code if report.documents else 0


def _show(report: SalvageReport) -> None:
    for each in report.documents:
        named = each.key or each.id or "a document without a name"
        where = f" ({each.collection})" if each.collection else ""
        kept = ", stored" if each.stored else ""
        out(
            f"{each.status}: {printable(named)}{printable(where)}: {each.reason}; "
            f"{counted(each.characters, 'character')} read{kept}"
        )
    fields = [
        ("whole", f"{counted(report.whole, 'document')}, {report.rechunked:,} chunked anew"),
        ("not whole", counted(len(report.documents), "document")),
        ("chunks", f"{report.chunks:,} ({report.awaiting:,} await a vector)"),
        (
            "searches",
            f"{report.searches:,}, {report.triples:,} triples, {report.feedback:,} verdicts",
        ),
        ("log", report.log),
        ("wrong pages", f"{report.wrong_pages:,}"),
    ]
    out(fields_block(fields))
