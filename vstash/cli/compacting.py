"""The compact command."""

from __future__ import annotations

import click

from vstash.cli.options import Common, common_options, example
from vstash.cli.output import out, out_json
from vstash.cli.render import fields_block

__all__ = ["compact"]


@click.command(
    short_help="Remove what has expired, and tidy up.", epilog=example("vstash compact --json")
)
@common_options
def compact(common: Common) -> None:
    """Remove documents that have expired, and tidy up the file; others can use it meanwhile."""
    with common.memory(create=False) as memory:
        report = memory.compact()
    if common.as_json:
        out_json(report)
        return
    fields = [
        ("expired", f"{report.expired:,} removed, in {report.seconds:.1f} s"),
        ("size", f"{report.bytes_before:,} -> {report.bytes_after:,} bytes"),
    ]
    out(fields_block(fields))
