"""The jobs and job commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from vstash.cli.options import Common, OneOf, common_options, count, example
from vstash.cli.output import bold, out, out_json, printable, show_page
from vstash.cli.render import counted, time_cell
from vstash.errors import RequestError
from vstash.jobs import JOB_STATES

if TYPE_CHECKING:
    from vstash.jobs import Job, JobRequest, JobState

__all__ = ["job", "jobs"]


@click.command(
    short_help="List work in the background, or cancel some.",
    epilog=example(
        "vstash jobs --state running", "vstash jobs --cancel 019b2d0c-1a2b-7c3d-8e4f-5a6b7c8d9e0f"
    ),
)
@click.option("--collection", metavar="NAME", help="Only its jobs.")
@click.option("--state", type=OneOf(JOB_STATES), help="Only jobs in this state.")
@click.option(
    "--limit",
    type=count("limit"),
    default=50,
    metavar="N",
    help="Jobs, 1 to 1000.  [default: 50]",
)
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@click.option("--cancel", metavar="ID", help="Ask this job to stop; what it finished stays.")
@common_options
def jobs(
    common: Common,
    collection: str | None,
    state: JobState | None,
    limit: int,
    cursor: str | None,
    cancel: str | None,
) -> None:
    """List the jobs that a service or a program works on, newest first.

    A job stops between two batches of files, or two steps, when it is cancelled.
    """
    if cancel is not None:
        if (collection, state, cursor) != (None, None, None):
            raise RequestError("--cancel names one job: leave out what chooses several.")
        with common.memory(create=False) as memory:
            _show(memory.cancel_job(cancel), as_json=common.as_json)
        return
    with common.memory(create=False) as memory:
        page = memory.jobs(collection=collection, state=state, limit=limit, cursor=cursor)
    show_page(page, _block, as_json=common.as_json, nothing="There are no jobs.")


@click.command(
    short_help="Show work in the background.",
    epilog=example("vstash job 019b2d0c-1a2b-7c3d-8e4f-5a6b7c8d9e0f"),
)
@click.argument("id")
@common_options
def job(common: Common, id: str) -> None:
    """Show how far a job is, or how it ended."""
    with common.memory(create=False) as memory:
        _show(memory.job(id), as_json=common.as_json)


def _show(found: Job, *, as_json: bool) -> None:
    if as_json:
        out_json(found)
    else:
        out(_block(found, whole=True))


def _block(found: Job, *, whole: bool = False) -> str:
    lines = [f"{time_cell(found.created)}  {found.id}  {bold(found.state)}"]
    lines += _upkeep(found) if found.request is None else _ingest(found, found.request, whole=whole)
    if found.error is not None:
        lines.append(f"{found.error.code}: {printable(found.error.detail)}")
    if whole and found.report is not None:
        lines += [
            f"{printable(each.path)}: {printable(each.reason)}" for each in found.report.problems
        ]
        if found.report.more_problems:
            lines.append(f"and {found.report.more_problems:,} more")
    return "\n   ".join(lines)


def _upkeep(found: Job) -> list[str]:
    done = found.progress
    named = [name for name in ("quick", "full") if getattr(found.upkeep, name)]
    steps = f"step {done.steps_done:,} of {done.steps:,}" if done.steps else "not begun"
    if found.outcome is None:
        return [" ".join([found.kind, *named]), steps]
    return [
        " ".join([found.kind, *named]),
        printable(json.dumps(found.outcome, ensure_ascii=False)),
    ]


def _ingest(found: Job, request: JobRequest, *, whole: bool) -> list[str]:
    paths = [printable(path) for path in request.paths]
    if not whole and len(paths) > 1:
        paths[1:] = [f"{len(paths) - 1:,} more"]
    done = found.progress
    counts = (
        f"{done.files_done:,} of {counted(done.files_found, 'file')}: {done.added:,} added, "
        f"{done.replaced:,} replaced, {done.unchanged:,} unchanged, {done.skipped:,} skipped, "
        f"{done.failed:,} failed; {counted(done.chunks, 'chunk')}"
    )
    return [*paths, counts]
