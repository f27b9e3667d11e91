"""The ingest command."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from vstash.cli.confirming import agreed, require_somebody
from vstash.cli.options import (
    Common,
    common_options,
    embed_option,
    example,
    read_standard_input,
)
from vstash.cli.output import err, is_terminal, out, out_json, printable
from vstash.cli.render import counted
from vstash.errors import VstashError

if TYPE_CHECKING:
    from vstash.cli.progress import Progress
    from vstash.reports import FileOutcome, IngestReport, PruneDecision
    from vstash.types import EmbedWhen

__all__ = ["ingest"]

_SHOWN_KEYS: Final = 50
_SHOWN_FILES: Final = 3


@click.command(
    short_help="Read files and folders.",
    epilog=example(
        "vstash ingest ~/notes --tag notes --ignore '*.log'",
        "vstash ingest ~/notes --prune",
        "git ls-files '*.md' | vstash ingest -",
    ),
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--collection", metavar="NAME", help="A hard partition.  [default: default]")
@click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="Added to each; several are fine."
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="PATTERN",
    help="Leave out, in the language of .gitignore; several are fine.",
)
@click.option("--prune", is_flag=True, help="Also remove documents whose files are gone.")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@embed_option
@common_options
def ingest(
    common: Common,
    paths: tuple[str, ...],
    collection: str | None,
    tags: tuple[str, ...],
    ignore: tuple[str, ...],
    prune: bool,
    yes: bool,
    embed: EmbedWhen,
) -> int:
    """Read files and folders; unchanged files cost next to nothing.

    In folders, hidden files and what .gitignore names are left out. - reads names of files from
    standard input, one a line. The exit code is 1 when a file failed.
    """
    if prune and not yes:
        require_somebody("--prune", here="-" not in paths)
    names = [name for path in paths for name in _expanded(path)]
    with common.memory(create=True) as memory, _progress() as shown:
        report = memory.ingest(
            names,
            collection=collection,
            tags=tags,
            ignore=ignore,
            prune=_decision(shown, prune=prune, yes=yes),
            progress=None if shown is None else shown.update,
            embed=embed,
        )
        awaiting = memory.stats().awaiting if embed == "later" else 0
    if common.as_json:
        out_json(report)
    else:
        _show(report)
        if awaiting:
            out(f"without a vector yet: {counted(awaiting, 'chunk')}; `vstash embed` makes them")
    return VstashError.exit_code if report.failed else 0


def _expanded(path: str) -> list[str]:
    """The files that one word of the command line means."""
    if path == "-":
        lines = read_standard_input().splitlines()
        return [os.fsdecode(line) for line in lines if line]
    if os.name == "nt" and not os.path.lexists(path):
        # The shells of Windows leave patterns to the program.
        return sorted(glob.glob(path)) or [path]  # noqa: PTH207 - Path.glob takes no absolute pattern
    return [path]


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A progress bar, where somebody watches."""
    if not is_terminal(sys.stderr):
        yield None
        return
    from vstash.cli.progress import Progress

    with Progress() as shown:
        yield shown


def _decision(shown: Progress | None, *, prune: bool, yes: bool) -> PruneDecision:
    if not prune or yes:
        return prune

    def ask(keys: Sequence[str]) -> bool:
        if shown is not None:
            shown.stop()
        err("The files of these documents are gone:")
        for key in keys[:_SHOWN_KEYS]:
            err("  " + printable(key))
        if len(keys) > _SHOWN_KEYS:
            err(f"  and {len(keys) - _SHOWN_KEYS:,} more")
        return agreed(f"Remove {counted(len(keys), 'document')}?")

    return ask


def _show(report: IngestReport) -> None:
    done = report.added + report.replaced
    files = done + report.unchanged + report.skipped + report.failed
    rate = f" ({report.chunks / report.seconds:,.0f}/s)" if report.seconds and report.chunks else ""
    out(
        f"{counted(files, 'file')}: {report.added:,} added, {report.replaced:,} replaced, "
        f"{report.unchanged:,} unchanged, {report.skipped:,} skipped, {report.failed:,} failed"
    )
    out(f"{counted(report.chunks, 'chunk')} in {report.seconds:.1f} s{rate}")
    if report.pruned:
        out(f"{counted(len(report.pruned), 'document')} removed: their files are gone")
    for status in ("skipped", "failed"):
        _show_reasons(status, [each for each in report.outcomes if each.status == status])


def _show_reasons(status: str, outcomes: Sequence[FileOutcome]) -> None:
    """Group by reason; failures are listed whole because each wants to be looked at."""
    groups: dict[str, list[str]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.reason, []).append(outcome.path)
    for reason, paths in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        out(f"{status} {len(paths):,}: {printable(reason)}")
        shown = paths if status == "failed" else paths[:_SHOWN_FILES]
        for path in shown:
            out("   " + printable(path))
        if len(paths) > len(shown):
            out(f"   and {len(paths) - len(shown):,} more")
