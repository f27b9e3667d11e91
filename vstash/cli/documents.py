"""Commands on documents: add, get, list, update."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from vstash.cli.chunks import chunk_block
from vstash.cli.options import (
    Common,
    common_options,
    count,
    embed_option,
    example,
    if_match_option,
    joined_text,
    parse_filter,
    parse_metadata,
    read_text_file,
)
from vstash.cli.output import err, exact, out, out_json, table_width
from vstash.cli.render import Column, fields_block, table, time_cell
from vstash.errors import RequestError
from vstash.types import UNSET, Chunk, Document, Json, Unset

if TYPE_CHECKING:
    from vstash.types import ChunkWindow, EmbedWhen, Page

__all__ = ["add", "get", "list_documents", "update"]

_WHOLE_LISTING_PAGE = 1000


def _time(text: str | None) -> datetime | None:
    from vstash.wire import parse_time

    return None if text is None else parse_time(text, pointer="/expires_at")


@click.command(
    short_help="Remember a text.",
    epilog=example(
        "vstash add The staging server listens on port 8090. --key staging --tag ops",
        "git log -1 | vstash add - --title 'Last commit' --meta branch=main",
    ),
)
@click.argument("text", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "--key", metavar="KEY", help="Your own name for it; a document that has it is replaced."
)
@click.option("--title", metavar="TITLE", help="Indexed in front of every passage.")
@click.option("--collection", metavar="NAME", help="A hard partition.  [default: default]")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A label; several are fine.")
@click.option(
    "--meta",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="Metadata to filter by, several are fine; the value is JSON, or else text.",
)
@click.option("--expires-at", metavar="TIME", help="RFC 3339; from then on it is hidden.")
@embed_option
@click.option("--if-absent", is_flag=True, help="Store nothing where there is one with this key.")
@if_match_option
@common_options
def add(
    common: Common,
    text: tuple[str, ...],
    key: str | None,
    title: str | None,
    collection: str | None,
    tags: tuple[str, ...],
    pairs: tuple[str, ...],
    expires_at: str | None,
    embed: EmbedWhen,
    if_absent: bool,
    if_match: str | None,
) -> None:
    """Remember a text; when this returns it is stored for good.

    Several words are joined with blanks. A single - reads the text from standard input. Put --
    before a text that starts with a dash.
    """
    metadata, until = parse_metadata(pairs), _time(expires_at)
    words = joined_text(text)
    with common.memory(create=True, warm=embed != "later") as memory:
        document = memory.add(
            words,
            key=key,
            title=title,
            collection=collection,
            tags=tags,
            metadata=metadata,
            expires_at=until,
            embed=embed,
            if_absent=if_absent,
            if_match=if_match,
        )
    _show_change(common, "stored", document)


@click.command(
    short_help="Print a document's text.",
    epilog=example("vstash get --key staging", "vstash get --chunk 17 --json"),
)
@click.argument("document", required=False, metavar="[ID]")
@click.option("--key", metavar="KEY", help="Its key, instead of its id.")
@click.option("--collection", metavar="NAME", help="Goes with --key.  [default: default]")
@click.option(
    "--include", metavar="NAMES", help="With --json: text, chunks, both with a comma, or ''."
)
@click.option("--chunk", type=int, metavar="N", help="Print one chunk, by its number.")
@click.option("--before", type=count("before"), metavar="N", help="With --chunk: chunks before it.")
@click.option("--after", type=count("after"), metavar="N", help="With --chunk: chunks after it.")
@common_options
def get(
    common: Common,
    document: str | None,
    key: str | None,
    collection: str | None,
    include: str | None,
    chunk: int | None,
    before: int | None,
    after: int | None,
) -> None:
    """Print the text of one document, or of one chunk.

    In a pipe the text comes exactly as it was stored. With --json all fields are printed.
    """
    if chunk is not None:
        if document is not None or key is not None or include is not None:
            raise RequestError("--chunk needs no document: leave out the id, --key and --include.")
        _get_chunk(common, chunk, before, after)
        return
    if before is not None or after is not None:
        raise RequestError("--before and --after go with --chunk.")
    if include is not None and not common.as_json:
        raise RequestError("--include goes with --json.")
    names: Any = ["text"] if include is None else include.split(",") if include else []
    with common.memory(create=False) as memory:
        found = memory.get(document, key=key, collection=collection, include=names)
    if common.as_json:
        out_json(found)
    else:
        exact(found.text or "")


def _get_chunk(common: Common, chunk: int, before: int | None, after: int | None) -> None:
    with common.memory(create=False) as memory:
        if before is None and after is None:
            found: Chunk | ChunkWindow = memory.get_chunk(chunk)
        else:
            found = memory.around(chunk, before=before or 0, after=after or 0)
    if common.as_json:
        out_json(found)
    elif isinstance(found, Chunk):
        exact(found.text)
    else:
        for each in (*found.before, found.chunk, *found.after):
            out(chunk_block(each))


@click.command(
    "list",
    short_help="List documents.",
    epilog=example(
        "vstash list --limit 20",
        """vstash list --filter '{"key": {"prefix": "/home/ada/notes"}}' --all --json""",
    ),
)
@click.option("--collection", metavar="NAME", help="Which to list.  [default: default]")
@click.option("--filter", "tree", metavar="JSON", help="Only documents that match this filter.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only documents with this tag.")
@click.option(
    "--limit",
    type=count("limit"),
    metavar="N",
    help="Documents per page, 1 to 1000.  [default: 50]",
)
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@click.option("--all", "everything", is_flag=True, help="All pages.")
@common_options
def list_documents(
    common: Common,
    collection: str | None,
    tree: str | None,
    tags: tuple[str, ...],
    limit: int | None,
    cursor: str | None,
    everything: bool,
) -> None:
    """List documents in the order in which they were created."""
    where = parse_filter(tree, tags)
    size = limit if limit is not None else _WHOLE_LISTING_PAGE if everything else 50
    items: list[Document] = []
    with common.memory(create=False) as memory:
        while True:
            page: Page[Document] = memory.list(
                collection=collection, filter=where, limit=size, cursor=cursor
            )
            cursor = page.next_cursor
            items.extend(page.items)
            if cursor is None or not everything:
                break
    if common.as_json:
        out_json({"items": items, "next_cursor": cursor})
        return
    _show_documents(items)
    if cursor is not None:
        err(f"More: add --cursor {cursor} or --all")


@click.command(
    short_help="Change some fields of a document.",
    epilog=example(
        "vstash update --key staging --text 'The staging server listens on port 9090.'",
        "vstash update --key staging --meta checked=true --unset-meta draft --never-expires",
    ),
)
@click.argument("document", required=False, metavar="[ID]")
@click.option("--key", metavar="KEY", help="Its key, instead of its id.")
@click.option("--collection", metavar="NAME", help="Goes with --key.  [default: default]")
@click.option("--text", metavar="TEXT", help="A new text.")
@click.option("--text-file", metavar="FILE", help="A new text from a file; - is standard input.")
@click.option("--title", metavar="TITLE", help="A new title; empty removes it.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="All tags from now on.")
@click.option("--no-tags", is_flag=True, help="Remove all tags.")
@click.option("--meta", "pairs", multiple=True, metavar="NAME=VALUE", help="Set this metadata.")
@click.option("--unset-meta", multiple=True, metavar="NAME", help="Remove this metadata.")
@click.option("--expires-at", metavar="TIME", help="RFC 3339; from then on it is hidden.")
@click.option("--never-expires", is_flag=True, help="Take back an earlier --expires-at.")
@if_match_option
@common_options
def update(
    common: Common,
    document: str | None,
    key: str | None,
    collection: str | None,
    text: str | None,
    text_file: str | None,
    title: str | None,
    tags: tuple[str, ...],
    no_tags: bool,
    pairs: tuple[str, ...],
    unset_meta: tuple[str, ...],
    expires_at: str | None,
    never_expires: bool,
    if_match: str | None,
) -> None:
    """Change some fields of a document; its id, key and creation time stay."""
    _refuse_both(("--text", text is not None), ("--text-file", text_file is not None))
    _refuse_both(("--tag", bool(tags)), ("--no-tags", no_tags))
    _refuse_both(("--expires-at", expires_at is not None), ("--never-expires", never_expires))
    metadata = _merge_patch(pairs, unset_meta)
    if (text, text_file, title, expires_at) == (None,) * 4 and not (
        tags or no_tags or metadata or never_expires
    ):
        raise RequestError("Nothing to change: give --text, --title, --tag, --meta or another.")
    new_text = text if text_file is None else read_text_file(text_file)
    until: datetime | Unset | None = UNSET
    if never_expires or expires_at is not None:
        until = _time(expires_at)
    with common.memory(create=False) as memory:
        changed = memory.update(
            document,
            key=key,
            collection=collection,
            text=UNSET if new_text is None else new_text,
            title=UNSET if title is None else title,
            tags=tags if tags or no_tags else UNSET,
            metadata=metadata or UNSET,
            expires_at=until,
            if_match=if_match,
        )
    _show_change(common, "updated", changed)


def _merge_patch(pairs: tuple[str, ...], unset: tuple[str, ...]) -> dict[str, Json]:
    patch = parse_metadata(pairs)
    both = sorted(set(patch) & set(unset))
    if both:
        raise RequestError(f"--meta sets and --unset-meta removes {both[0]!r}: choose one.")
    return {**patch, **dict.fromkeys(unset)}


def _refuse_both(first: tuple[str, bool], second: tuple[str, bool]) -> None:
    if first[1] and second[1]:
        raise RequestError(f"{first[0]} and {second[0]} exclude each other: choose one.")


def _show_change(common: Common, done: str, document: Document) -> None:
    if common.as_json:
        out_json(document)
        return
    fields = [("id", document.id)]
    if document.key != document.id:
        fields.append(("key", document.key))
    fields += [
        ("collection", document.collection),
        ("chunks", f"{document.chunk_count:,}"),
        ("characters", f"{document.char_count:,}"),
    ]
    if document.expires_at is not None:
        fields.append(("expires", time_cell(document.expires_at)))
    out(f"{done}\n{fields_block(fields)}")


def _show_documents(documents: list[Document]) -> None:
    if not documents:
        out("No documents.")
        return
    columns = (
        Column("ID"),
        Column("KEY", flexible=True),
        Column("TITLE", flexible=True),
        Column("CHUNKS", right=True),
        Column("UPDATED"),
    )
    rows = [
        (
            document.id,
            "" if document.key == document.id else document.key,
            document.title,
            f"{document.chunk_count:,}",
            time_cell(document.updated),
        )
        for document in documents
    ]
    out(table(columns, rows, width=table_width()))
