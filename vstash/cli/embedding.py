"""The embed command."""

from __future__ import annotations

import sys

import click

from vstash.cli.options import Common, common_options, example
from vstash.cli.output import is_terminal, out, out_json
from vstash.cli.render import counted

__all__ = ["embed"]


@click.command(
    short_help="Make the vectors that were left for later.",
    epilog=example("vstash ingest ~/notes --embed later && vstash embed"),
)
@common_options
def embed(common: Common) -> None:
    """Make the vectors of all chunks that were stored with --embed later.

    What is done stays done when it is interrupted; the next call goes on.
    """
    with common.memory(create=False) as memory:
        if is_terminal(sys.stderr):
            from vstash.cli.progress import EmbedBar

            with EmbedBar() as shown:
                report = memory.embed(progress=shown.update)
        else:
            report = memory.embed()
    if common.as_json:
        out_json(report)
    else:
        rate = f" ({report.embedded / report.seconds:,.0f}/s)" if report.embedded else ""
        out(f"{counted(report.embedded, 'chunk')} embedded in {report.seconds:.1f} s{rate}")
        if report.awaiting:
            out(f"stored meanwhile, without a vector yet: {counted(report.awaiting, 'chunk')}")
