"""The feedback command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vstash.cli.options import Common, OneOf, common_options, count, example
from vstash.cli.output import bold, out, out_json, printable, show_page
from vstash.cli.render import query_cell, time_cell
from vstash.errors import FieldError, RequestError
from vstash.feedback import VERDICTS

if TYPE_CHECKING:
    from vstash.feedback import JudgedSearch, Verdict, VerdictName

__all__ = ["feedback"]


def _chunk_id(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise FieldError("A chunk's id is a positive integer.", pointer="/chunk_id") from error


@click.command(
    short_help="Say whether a chunk answered a search.",
    epilog=example(
        "vstash feedback 019b2d0c-1a2b-7c3d-8e4f-5a6b7c8d9e0f 17 helpful",
        "vstash feedback --list --json",
    ),
)
@click.argument("search_id", required=False, metavar="[SEARCH_ID")
@click.argument("chunk_id", required=False, type=_chunk_id, metavar="CHUNK_ID")
@click.argument("verdict", required=False, type=OneOf(VERDICTS), metavar="VERDICT]")
@click.option("--collection", metavar="NAME", help="That was searched.  [default: any]")
@click.option("--list", "listing", is_flag=True, help="Show the searches that got feedback.")
@click.option(
    "--limit",
    type=count("limit"),
    default=50,
    metavar="N",
    help="With --list: searches, 1 to 1000.  [default: 50]",
)
@click.option("--cursor", metavar="CURSOR", help="With --list: go on after an earlier page.")
@common_options
def feedback(
    common: Common,
    search_id: str | None,
    chunk_id: int | None,
    verdict: VerdictName | None,
    collection: str | None,
    listing: bool,
    limit: int,
    cursor: str | None,
) -> None:
    """Say of a chunk that a search returned: helpful, not_helpful, cited in an answer, or opened.

    The search's id is in its --json and at the end of its --explain; each hit shows its chunk's. The
    last verdict on a chunk counts; opened says least, and takes the place of no other.
    """
    if listing:
        if search_id is not None:
            raise RequestError("--list needs no search: leave out the ids and the verdict.")
        _list(common, collection, limit, cursor)
        return
    if search_id is None or chunk_id is None or verdict is None:
        raise RequestError("Give a search's id, a chunk's id and a verdict, or --list.")
    with common.memory(create=False) as memory:
        stored = memory.feedback(search_id, chunk_id, verdict, collection=collection)
    if common.as_json:
        out_json(stored)
    else:
        out(_line(stored))


def _list(common: Common, collection: str | None, limit: int, cursor: str | None) -> None:
    with common.memory(create=False) as memory:
        page = memory.judged_searches(collection=collection, limit=limit, cursor=cursor)
    show_page(page, _block, as_json=common.as_json, nothing="No search got feedback.")


def _block(item: JudgedSearch) -> str:
    head = f"{time_cell(item.at)}  {item.search_id}  {bold(query_cell(item.query))}"
    return "\n".join([head, *(f"   {_line(verdict)}" for verdict in item.verdicts)])


def _line(verdict: Verdict) -> str:
    chunk = "a chunk since replaced" if verdict.chunk_id is None else f"chunk {verdict.chunk_id}"
    return f"{verdict.verdict}: {chunk} of {printable(verdict.document_key)}"
