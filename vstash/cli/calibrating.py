"""The calibrate command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from vstash.cli.options import Common, common_options, count, example
from vstash.cli.output import is_terminal, out, out_json
from vstash.cli.render import fields_block
from vstash.errors import RequestError

if TYPE_CHECKING:
    from vstash.memory import Memory
    from vstash.reports import CalibrationProgress, CalibrationReport

__all__ = ["calibrate"]


@click.command(
    short_help="Learn what relevance means in this file.",
    epilog=example("vstash calibrate", "vstash calibrate --probes 1000 --json"),
)
@click.option(
    "--collection", metavar="NAME", help="Whose passages are asked for.  [default: default]"
)
@click.option(
    "--probes",
    type=count("probes"),
    default=300,
    metavar="N",
    help="Queries to ask, 50 to 1000.  [default: 300]",
)
@click.option(
    "--seed", type=count("seed"), default=0, metavar="N", help="Which queries.  [default: 0]"
)
@click.option("--reset", is_flag=True, help="Forget what was learnt.")
@common_options
@click.pass_context
def calibrate(
    context: click.Context,
    common: Common,
    collection: str | None,
    probes: int,
    seed: int,
    reset: bool,
) -> None:
    """Learn how relevance follows from evidence in this file, by asking it for what is in it.

    Queries are made from passages all over the collection; no label and no logged search is used.
    What is learnt is stored only where it holds better on queries that it was not fitted to.
    """
    if reset:
        given = {"collection", "probes", "seed"}
        source = click.core.ParameterSource.COMMANDLINE
        if any(context.get_parameter_source(name) is source for name in given):
            raise RequestError("--reset takes no other option of calibrate.")
        with common.memory(create=False) as memory:
            removed = memory.reset_calibration()
        if common.as_json:
            out_json({"removed": removed})
        else:
            out("forgotten" if removed else "nothing was learnt of this file")
        return
    with common.memory(create=False) as memory:
        report = _report(memory, collection, probes, seed)
    if common.as_json:
        out_json(report)
    else:
        out(_text(report))


def _report(memory: Memory, collection: str | None, probes: int, seed: int) -> CalibrationReport:
    if not is_terminal(sys.stderr):
        return memory.calibrate(collection=collection, probes=probes, seed=seed)
    from vstash.cli.progress import CountBar

    with CountBar("probes") as shown:

        def show(state: CalibrationProgress) -> None:
            shown.update(state.asked, state.probes)

        return memory.calibrate(collection=collection, probes=probes, seed=seed, progress=show)


def _text(report: CalibrationReport) -> str:
    before, after = report.before, report.after
    fields = [
        ("probes", f"{report.used:,} of {report.probes:,} used, in {report.seconds:.1f} s"),
        ("found first", f"{report.found_first:.1%}"),
        ("calibration error", f"{before.error:.3f} -> {after.error:.3f}"),
        ("log loss", f"{before.log_loss:.3f} -> {after.log_loss:.3f}"),
        ("AUROC, left out", f"{before.auroc:.3f} -> {after.auroc:.3f}"),
        ("stored", "yes" if report.stored else "no: it is no better than the model's own"),
    ]
    return fields_block(fields)
