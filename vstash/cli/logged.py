"""The command about the log of searches: to read it, sum it up, write it out, and remove its texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from vstash.cli.confirming import agreed, require_somebody
from vstash.cli.log_report import report_text
from vstash.cli.options import Common, common_options, count, example
from vstash.cli.output import err, out, out_json, show_page
from vstash.cli.render import disagreement_block, fields_block
from vstash.cli.targets import ndjson_line, require_file_for_json, show_written, write_lines
from vstash.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vstash.memory import Memory
    from vstash.types import Disagreement

__all__ = ["disagreements"]

_EXPORT_PAGE: Final = 1000
_UNFINISHED: Final = 1


@click.command(
    short_help="Show where the two indexes disagreed.",
    epilog=example(
        "vstash disagreements --limit 5 --texts",
        "vstash disagreements --report --picture log.png",
        "vstash disagreements --export triples.jsonl --texts",
        "vstash disagreements --redact --yes",
    ),
)
@click.option(
    "--limit",
    type=count("limit"),
    default=50,
    metavar="N",
    help="Searches, 1 to 1000.  [default: 50]",
)
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@click.option("--collection", metavar="NAME", help="That was searched.  [default: all]")
@click.option("--texts", is_flag=True, help="Show the chunks' texts with the triples.")
@click.option(
    "--export",
    metavar="FILE",
    help="Write all logged searches to a new file as JSON Lines; - is standard output.",
)
@click.option("--report", is_flag=True, help="Sum the log up instead.")
@click.option("--picture", metavar="FILE", help="Draw the report into a .png or .svg file.")
@click.option(
    "--redact",
    is_flag=True,
    help="Put keyed hashes in the place of all queries in the log, and remove their triples.",
)
@click.option("--yes", is_flag=True, help="Redact without asking.")
@common_options
def disagreements(
    common: Common,
    limit: int,
    cursor: str | None,
    collection: str | None,
    texts: bool,
    export: str | None,
    report: bool,
    picture: str | None,
    redact: bool,
    yes: bool,
) -> int:
    """Show logged searches, newest first, with their training triples.

    --report says instead how far the two indexes disagree over time, in each collection and for which
    words, and which of them tends to be right. --redact removes what was asked; with exit code 1 it is
    gone for everybody, but not yet all that it left: what is said then helps, or `vstash compact` later.
    """
    report = report or picture is not None
    if sum((export is not None, report, redact)) > 1:
        raise RequestError("Choose one of --export, --report and --redact.")
    if report:
        _report(common, collection, picture)
    elif redact:
        return _redact(common, collection, yes=yes)
    elif export is not None:
        require_file_for_json(common, export)
        with common.memory(create=False) as memory:
            lines = (ndjson_line(item) for item in _every(memory, collection, texts=texts))
            written = write_lines(lines, export, memory.path)
        show_written(common, written, export)
    else:
        with common.memory(create=False) as memory:
            page = memory.disagreements(
                collection=collection, limit=limit, cursor=cursor, texts=texts
            )
        show_page(
            page, disagreement_block, as_json=common.as_json, nothing="No searches are logged."
        )
    return 0


def _report(common: Common, collection: str | None, picture: str | None) -> None:
    if picture is not None:
        from vstash.evaluation.picture import checked_picture

        checked_picture(picture)
    with common.memory(create=False) as memory:
        found = memory.disagreement_report(collection=collection)
    if picture is not None:
        from vstash.evaluation.log_picture import draw_log

        draw_log(found, picture)
    if common.as_json:
        out_json(found)
    else:
        out(report_text(found))


def _redact(common: Common, collection: str | None, *, yes: bool) -> int:
    if not yes:
        require_somebody("--redact")
        if not agreed("Remove what was asked from the log? This cannot be undone."):
            return 0
    with common.memory(create=False) as memory:
        found = memory.redact_log(collection=collection)
    if common.as_json:
        out_json(found)
    else:
        fields = [("redacted", f"{found.searches:,}"), ("triples removed", f"{found.triples:,}")]
        out(fields_block(fields))
        if found.remedy:
            err(found.remedy)
    return _UNFINISHED if found.remedy else 0


def _every(memory: Memory, collection: str | None, *, texts: bool) -> Iterator[Disagreement]:
    cursor = None
    while True:
        page = memory.disagreements(
            collection=collection, limit=_EXPORT_PAGE, cursor=cursor, texts=texts
        )
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
