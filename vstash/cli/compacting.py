"""The compact command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar, get_args

import click

from vstash.cli.options import Common, common_options, example
from vstash.cli.output import is_terminal, out, out_json
from vstash.cli.render import fields_block
from vstash.upkeep import CompactProgress, CompactStage

if TYPE_CHECKING:
    from vstash.upkeep import CompactWatcher

__all__ = ["compact", "watched"]

Report = TypeVar("Report")
_STAGES: Final[tuple[CompactStage, ...]] = get_args(CompactStage)


@click.command(
    short_help="Remove what has expired, and tidy up.",
    epilog=example("vstash compact --json", "vstash compact --full"),
)
@click.option(
    "--full",
    is_flag=True,
    help="Also write the file anew, which gives free room back; writers wait for that.",
)
@common_options
def compact(common: Common, full: bool) -> None:
    """Remove documents that have expired, and tidy up the file; others can use it meanwhile.

    It can be stopped at any moment; the next one goes on.
    """
    with common.memory(create=False) as memory:
        report = watched(lambda tell: memory.compact(full=full, progress=tell))
    if common.as_json:
        out_json(report)
        return
    fields = [
        ("expired", f"{report.expired:,} removed, in {report.seconds:.1f} s"),
        ("size", f"{report.bytes_before:,} -> {report.bytes_after:,} bytes"),
        ("steps", f"{report.steps:,}, the longest {report.longest_step_ms:.0f} ms"),
    ]
    if report.reclaimable:
        fields.append(("free inside", f"{report.reclaimable:,} bytes; --full gives them back"))
    out(fields_block(fields))


def watched(run: Callable[[CompactWatcher | None], Report]) -> Report:
    """Run something that tells how far it is, with a bar where somebody sees it."""
    if not is_terminal(sys.stderr):
        return run(None)
    from vstash.cli.progress import CountBar

    with CountBar("stages") as shown:

        def tell(state: CompactProgress) -> None:
            shown.update(_STAGES.index(state.stage), len(_STAGES))

        return run(tell)
