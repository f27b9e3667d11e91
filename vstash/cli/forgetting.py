"""The forget command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from vstash.cli.compacting import watched
from vstash.cli.confirming import agreed, require_somebody
from vstash.cli.options import Common, common_options, example, parse_filter
from vstash.cli.output import err, out, out_json, printable
from vstash.cli.render import counted, fields_block

if TYPE_CHECKING:
    from vstash.memory import Memory
    from vstash.upkeep import ForgetReport

__all__ = ["forget"]

_DONE: Final = 0
_UNFINISHED: Final = 1


@click.command(
    short_help="Remove documents without a trace.",
    epilog=example(
        "vstash forget --key people/ada --dry-run", "vstash forget --source ~/notes/2019 --yes"
    ),
)
@click.argument("document_id", required=False, metavar="[ID]")
@click.option("--key", metavar="KEY", help="Its key.")
@click.option("--where", "tree", metavar="JSON", help="All documents that match this filter.")
@click.option(
    "--source",
    metavar="PATH|URL",
    help="All whose key is this or lies below it; what exists as a path is made absolute.",
)
@click.option(
    "--collection",
    metavar="NAME",
    help="Of --key and --where  [default: default], or of --source  [default: all].",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@common_options
def forget(
    common: Common,
    document_id: str | None,
    key: str | None,
    tree: str | None,
    source: str | None,
    collection: str | None,
    dry_run: bool,
    yes: bool,
) -> int:
    """Remove documents so that neither the file nor its log holds anything of them any more.

    With them go logged searches, stored replies and ended jobs that tell of them. Backups keep what
    they hold: their names are shown. The exit code is 1 when the documents are gone for everybody, but
    not yet all that they left: what is said then helps, or `vstash compact` later.
    """
    given: dict[str, Any] = {
        "key": key,
        "where": parse_filter(tree, name="where"),
        "source": _source(source),
        "collection": collection,
    }
    if not dry_run and not yes:
        require_somebody("forget")
    with common.memory(create=False) as memory:
        report = None
        if dry_run or not yes:
            report = memory.forget(document_id, **given, dry_run=True)
            if not dry_run and not common.as_json:
                out(_told(report))
        if not dry_run and (yes or _agreed(report)):
            report = _forgotten(memory, document_id, given)
    if report is None:  # pragma: no cover - one of the two was asked for
        return _DONE
    if common.as_json:
        out_json(report)
    elif dry_run or not report.dry_run:
        out(_told(report))
    return _UNFINISHED if report.remedy else _DONE


def _source(given: str | None) -> str | Path | None:
    # Empty would be the folder that somebody happens to be in.
    if not given:
        return given
    path = Path(given)
    return path if path.exists() else given


def _agreed(report: ForgetReport | None) -> bool:
    count = 0 if report is None else report.documents
    return agreed(f"Forget {counted(count, 'document')}? This cannot be undone.")


def _forgotten(memory: Memory, document_id: str | None, given: dict[str, Any]) -> ForgetReport:
    report = watched(lambda tell: memory.forget(document_id, **given, progress=tell))
    if report.remedy:
        err(report.remedy)
    return report


def _told(report: ForgetReport) -> str:
    verb = "would forget" if report.dry_run else "forgot"
    lines = [f"{verb} {counted(report.documents, 'document')}, {counted(report.chunks, 'chunk')}"]
    lines += [f"   {each.id}  {printable(each.key)}" for each in report.sample]
    rest = (
        ("searches", f"{report.searches:,} logged ones that tell of them"),
        ("queries", f"{report.made_queries:,} made or given ones that tell of them"),
        ("replies", f"{report.replies:,} stored ones that tell of them"),
        ("jobs", f"{report.jobs:,} ended ones that name them"),
    )
    lines.append(fields_block(list(rest)))
    if not report.dry_run:
        lines.append(
            fields_block([("size", f"{report.bytes_before:,} -> {report.bytes_after:,} bytes")])
        )
    if report.jobs_open:
        lines.append("cancel first, or they come back: " + ", ".join(report.jobs_open))
    if report.backups:
        lines.append("backups keep what they hold; remove with `vstash backups --delete NAME`:")
        lines += [f"   {printable(name)}" for name in report.backups]
    return "\n".join(lines)
