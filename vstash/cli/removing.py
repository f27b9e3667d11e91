"""Commands that remove: single documents, those of a filter, collections."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from vstash.cli.confirming import agreed, require_somebody
from vstash.cli.options import Common, common_options, example, if_match_option, parse_filter
from vstash.cli.output import out, out_json, printable, table_width
from vstash.cli.render import Column, counted, table
from vstash.errors import DocumentNotFoundError, RequestError
from vstash.types import Document

if TYPE_CHECKING:
    from vstash.memory import Memory
    from vstash.reports import CollectionInfo, DeleteReport

__all__ = ["collections", "delete"]


@click.command(
    short_help="Remove documents.",
    epilog=example(
        "vstash delete --key staging",
        """vstash delete --filter '{"metadata.draft": {"eq": true}}' --dry-run""",
    ),
)
@click.argument("documents", nargs=-1, metavar="[ID]...")
@click.option("--key", "keys", multiple=True, metavar="KEY", help="A key; several are fine.")
@click.option(
    "--collection", metavar="NAME", help="Goes with --key and --filter.  [default: default]"
)
@if_match_option
@click.option("--filter", "tree", metavar="JSON", help="All documents that match this filter.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="All documents with this tag.")
@click.option("--dry-run", is_flag=True, help="With --filter: only say what would be removed.")
@click.option("--yes", is_flag=True, help="With --filter: remove without asking.")
@common_options
def delete(
    common: Common,
    documents: tuple[str, ...],
    keys: tuple[str, ...],
    collection: str | None,
    if_match: str | None,
    tree: str | None,
    tags: tuple[str, ...],
    dry_run: bool,
    yes: bool,
) -> None:
    """Remove documents with their texts, words, vectors and triples.

    With --json the removed documents are printed as {"deleted": [...]}; with --filter or --tag, how
    many they are and which the first of them were.
    """
    named = len(documents) + len(keys)
    where = parse_filter(tree, tags)
    if (where is None) == (named == 0):
        raise RequestError("Name what to delete: ids and --key, or --filter and --tag.")
    if if_match is not None and named != 1:
        raise RequestError("--if-match goes with one document.")
    if where is None:
        if dry_run or yes:
            raise RequestError("--dry-run and --yes go with --filter or --tag.")
        _delete_named(common, documents, keys, collection, if_match)
        return
    tree_given = where
    _remove(
        common,
        "--filter",
        lambda memory, dry: memory.delete_many(tree_given, collection=collection, dry_run=dry),
        dry_run=dry_run,
        yes=yes,
    )


def _delete_named(
    common: Common,
    ids: tuple[str, ...],
    keys: tuple[str, ...],
    collection: str | None,
    if_match: str | None,
) -> None:
    """Go on after a document that is already gone: the wish for it to be gone is fulfilled."""
    deleted: list[Document] = []
    missing: dict[str, DocumentNotFoundError] = {}
    with common.memory(create=False) as memory:
        for document_id, key in [*((each, None) for each in ids), *((None, each) for each in keys)]:
            try:
                found = memory.delete(
                    document_id, key=key, collection=collection, if_match=if_match
                )
                deleted.append(found)
            except DocumentNotFoundError as error:  # noqa: PERF203 - each deletion fails on its own
                missing[document_id or key or ""] = error
    if common.as_json:
        if deleted or not missing:
            out_json({"deleted": deleted})
    else:
        for document in deleted:
            out(f"deleted {document.id}  {printable(document.key)}")
    if missing:
        first = next(iter(missing.values()))
        raise DocumentNotFoundError(
            first.message, pointer=first.pointer, local_detail=", ".join(missing)
        )


def _remove(
    common: Common,
    option: str,
    action: Callable[[Memory, bool], DeleteReport],
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    """Remove many documents, after a look at them where nobody said --yes."""
    if not dry_run and not yes:
        require_somebody(option)
    with common.memory(create=False) as memory:
        report = action(memory, dry_run or not yes)
        if not dry_run and not yes:
            if not common.as_json:
                out(_told(report))
            if agreed(f"Remove {counted(report.documents, 'document')}?"):
                report = action(memory, False)
    if common.as_json:
        out_json(report)
    elif dry_run or not report.dry_run:
        out(_told(report))


def _told(report: DeleteReport) -> str:
    verb = "would delete" if report.dry_run else "deleted"
    lines = [f"{verb} {counted(report.documents, 'document')}, {counted(report.chunks, 'chunk')}"]
    lines += [f"   {each.id}  {printable(each.key)}" for each in report.sample]
    if report.documents > len(report.sample):
        lines.append(f"   and {report.documents - len(report.sample):,} more")
    return "\n".join(lines)


@click.command(
    short_help="List collections, or remove one.",
    epilog=example("vstash collections", "vstash collections notes --delete --dry-run"),
)
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--delete", "deleting", is_flag=True, help="Remove it with all its documents.")
@click.option("--dry-run", is_flag=True, help="With --delete: only say what would be removed.")
@click.option("--yes", is_flag=True, help="With --delete: remove without asking.")
@common_options
def collections(common: Common, name: str | None, deleting: bool, dry_run: bool, yes: bool) -> None:
    """Say what each collection holds, or one of them; or remove one.

    Its logged searches and triples go with it. `default` is emptied and stays.
    """
    if not deleting:
        if dry_run or yes:
            raise RequestError("--dry-run and --yes go with --delete.")
        _show(common, name)
        return
    if name is None:
        raise RequestError("Name the collection to remove.")
    _remove(
        common,
        "--delete",
        lambda memory, dry: memory.delete_collection(name, dry_run=dry),
        dry_run=dry_run,
        yes=yes,
    )


def _show(common: Common, name: str | None) -> None:
    with common.memory(create=False) as memory:
        found = memory.collections() if name is None else (memory.collection(name),)
    if common.as_json:
        out_json({"collections": found} if name is None else found[0])
    else:
        out(table(_COLUMNS, [_row(each) for each in found], width=table_width()))


_COLUMNS = (
    Column("COLLECTION", flexible=True),
    Column("DOCUMENTS", right=True),
    Column("CHUNKS", right=True),
    Column("AWAITING", right=True),
)


def _row(found: CollectionInfo) -> tuple[str, ...]:
    numbers = (found.documents, found.chunks, found.awaiting)
    return (found.name, *(f"{number:,}" for number in numbers))
