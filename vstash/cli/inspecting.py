"""Commands that say what a file holds: stats, check, disagreements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from vstash.cli.options import Common, common_options, count, example
from vstash.cli.output import out, out_json, printable, show_page
from vstash.cli.render import disagreement_block, fields_block
from vstash.cli.targets import ndjson_line, require_file_for_json, show_written, write_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vstash.memory import Memory
    from vstash.reports import Stats
    from vstash.types import Disagreement

__all__ = ["disagreements", "stats"]

_EXPORT_PAGE = 1000
_CALIBRATED: Final = {
    "shipped": "calibrated for the model",
    "own": "calibrated for this file",
    None: "not calibrated for this model",
}


@click.command(short_help="Say what the file holds.", epilog=example("vstash stats --json"))
@common_options
def stats(common: Common) -> None:
    """Say what the file holds: documents, chunks, model, log, size, versions."""
    with common.memory(create=False) as memory:
        found = memory.stats()
    if common.as_json:
        out_json(found)
    else:
        out(_stats_text(found))


def _stats_text(found: Stats) -> str:
    model = found.model
    mean = found.mean_disagreement
    fields = [
        ("file", found.path),
        ("size", f"{found.file_bytes:,} bytes"),
        ("documents", f"{found.documents:,}"),
        *((f"  in {name}", f"{count:,}") for name, count in sorted(found.collections.items())),
        ("chunks", f"{found.chunks:,}"),
        ("vectors", f"{found.vectors:,} ({found.awaiting:,} awaited)"),
        ("model", f"{model.name} ({model.dimension} dimensions, sha256 {model.sha256[:12]})"),
        ("relevance", _CALIBRATED[found.calibrated]),
        ("searches logged", f"{found.searches_logged:,} ({found.log_dropped:,} dropped)"),
        ("triples", f"{found.triples:,}"),
        ("feedback", f"{found.feedback:,}"),
        ("mean disagreement", "none yet" if mean is None else f"{mean:.3f}"),
        ("durability", found.durability),
        ("schema", str(found.schema_version)),
        ("versions", f"vstash {found.vstash_version}, SQLite {found.sqlite_version}"),
    ]
    return fields_block([(printable(name), value) for name, value in fields])


@click.command(
    short_help="Show where the two indexes disagreed.",
    epilog=example(
        "vstash disagreements --limit 5 --texts",
        "vstash disagreements --export triples.jsonl --texts",
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
@common_options
def disagreements(
    common: Common,
    limit: int,
    cursor: str | None,
    collection: str | None,
    texts: bool,
    export: str | None,
) -> None:
    """Show logged searches, newest first, with their training triples."""
    if export is not None:
        require_file_for_json(common, export)
        with common.memory(create=False) as memory:
            lines = (ndjson_line(item) for item in _every(memory, collection, texts=texts))
            written = write_lines(lines, export, memory.path)
        show_written(common, written, export)
        return
    with common.memory(create=False) as memory:
        page = memory.disagreements(collection=collection, limit=limit, cursor=cursor, texts=texts)
    show_page(page, disagreement_block, as_json=common.as_json, nothing="No searches are logged.")


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
