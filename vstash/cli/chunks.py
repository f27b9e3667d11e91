"""The chunks command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vstash.cli.options import Common, common_options, count, example
from vstash.cli.output import bold, printable, show_page

if TYPE_CHECKING:
    from vstash.types import Chunk

__all__ = ["chunk_block", "chunks"]


@click.command(
    short_help="Show the chunks of a document.",
    epilog=example("vstash chunks --key staging", "vstash chunks --key staging --limit 5 --json"),
)
@click.argument("document", required=False, metavar="[ID]")
@click.option("--key", metavar="KEY", help="Its key, instead of its id.")
@click.option("--collection", metavar="NAME", help="Goes with --key.  [default: default]")
@click.option(
    "--limit",
    type=count("limit"),
    default=100,
    metavar="N",
    help="Chunks, 1 to 1000.  [default: 100]",
)
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@common_options
def chunks(
    common: Common,
    document: str | None,
    key: str | None,
    collection: str | None,
    limit: int,
    cursor: str | None,
) -> None:
    """Show the chunks of one document in its order."""
    with common.memory(create=False) as memory:
        page = memory.chunks(document, key=key, collection=collection, limit=limit, cursor=cursor)
    show_page(page, chunk_block, as_json=common.as_json, nothing="No chunks.")


def chunk_block(chunk: Chunk) -> str:
    """A chunk to read: its number, headings and text."""
    lines = [bold(f"chunk {chunk.id}") + f"  ({chunk.start:,} to {chunk.end:,})"]
    if chunk.heading:
        lines.append(printable(" > ".join(chunk.heading)))
    return "\n".join([*lines, printable(chunk.text, lines=True)])
