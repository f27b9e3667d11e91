"""Commands that move what a file holds in and out: export, import, triples."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING, Final

import click

from vstash.cli.options import Common, OneOf, common_options, embed_option, example, parse_filter
from vstash.cli.output import is_terminal, out, out_json
from vstash.cli.render import counted
from vstash.cli.targets import ndjson_line, require_file_for_json, show_written, write_lines
from vstash.errors import PathNotFoundError, RequestError

if TYPE_CHECKING:
    from vstash.transfers import ImportProgress, ImportReport, OnConflict
    from vstash.types import EmbedWhen, TripleOrigin

__all__ = ["export", "import_documents", "triples"]

_PIECE_BYTES: Final = 65_536
# The first line and the last of an export tell of no document.
_FRAME_LINES: Final = 2


@click.command(
    short_help="Write documents to a file.",
    epilog=example(
        "vstash export notes.ndjson --collection notes",
        "vstash export - | ssh host vstash import -",
    ),
)
@click.argument("file", default="-", metavar="[FILE]")
@click.option("--collection", metavar="NAME", help="Only this one.  [default: all]")
@click.option(
    "--filter", "where", metavar="JSON", help="Only documents that match this filter tree."
)
@click.option(
    "--include-vectors",
    is_flag=True,
    help="Add the vectors, so that a file with the same model need not embed again.",
)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@common_options
def export(
    common: Common,
    file: str,
    collection: str | None,
    where: str | None,
    include_vectors: bool,
    force: bool,
) -> None:
    """Write documents as lines of JSON to a new file, or to standard output.

    `vstash import` takes them, with ids and times. The file appears when it is whole; its last line
    tells that nothing is missing. The log of searches, triples and feedback are no part of it.
    """
    require_file_for_json(common, file)
    tree = parse_filter(where, ())
    with common.memory(create=False) as memory:
        lines = memory.export(collection=collection, filter=tree, include_vectors=include_vectors)
        with closing(lines):
            written = write_lines(lines, file, memory.path, force=force)
    show_written(common, written - _FRAME_LINES, file, "document")


@click.command(
    "import",
    short_help="Take in the documents of an export.",
    epilog=example("vstash import notes.ndjson", "zcat backup.gz | vstash import - --dry-run"),
)
@click.argument("file", metavar="FILE")
@click.option(
    "--collection", metavar="NAME", help="The only one that may be imported into.  [default: any]"
)
@click.option(
    "--on-conflict",
    type=OneOf(("replace", "skip")),
    default="replace",
    help="Of a key that is there with something else.  [default: replace]",
)
@click.option("--dry-run", is_flag=True, help="Check everything and store nothing.")
@embed_option
@common_options
def import_documents(
    common: Common,
    file: str,
    collection: str | None,
    on_conflict: OnConflict,
    dry_run: bool,
    embed: EmbedWhen,
) -> None:
    """Take in the documents of an export from a file, or from standard input for -.

    To import the same export again changes nothing. Some dozen documents are stored at a time; what
    was stored before an error stays, and to import again takes the rest.
    """
    with _opened(file) as pieces, common.memory(create=True) as memory, _progress() as shown:
        report = memory.import_documents(
            pieces,
            collection=collection,
            on_conflict=on_conflict,
            dry_run=dry_run,
            embed=embed,
            progress=shown,
        )
    if common.as_json:
        out_json(report)
    else:
        out(_told(report))


@contextmanager
def _progress() -> Iterator[Callable[[ImportProgress], None] | None]:
    """Shows how far it is, where somebody watches."""
    if not is_terminal(sys.stderr):
        yield None
        return
    from vstash.cli.progress import CountBar

    with CountBar("documents") as bar:
        yield lambda state: bar.update(state.done, state.documents)


@contextmanager
def _opened(path: str) -> Iterator[Iterator[bytes]]:
    """The bytes of a file, or of standard input, piece by piece."""
    if path == "-" and sys.stdin is None:
        raise RequestError("Standard input is closed: there is nothing that - could read.")
    try:
        stream = click.open_file(path, "rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with stream:
        yield _pieces(stream, path)


def _pieces(stream: IO[bytes], path: str) -> Iterator[bytes]:
    try:
        while piece := stream.read(_PIECE_BYTES):
            yield piece
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> PathNotFoundError:
    return PathNotFoundError(
        "The file to import cannot be read.", local_detail=f"{path}: {error.strerror}"
    )


def _told(report: ImportReport) -> str:
    counts = [
        f"{report.added:,} added",
        f"{report.replaced:,} replaced",
        f"{report.unchanged:,} unchanged",
        *([f"{report.skipped:,} skipped"] if report.skipped else []),
        *([f"{report.expired:,} expired"] if report.expired else []),
        *([f"{report.other_ids:,} under another id"] if report.other_ids else []),
    ]
    done = "to do, nothing stored" if report.dry_run else f"in {report.seconds:.1f} s"
    return f"{', '.join(counts)}; {counted(report.chunks, 'chunk')} {done}"


@click.command(
    short_help="Write the training triples.",
    epilog=example("vstash triples triples.ndjson --collection notes"),
)
@click.argument("file", default="-", metavar="[FILE]")
@click.option("--collection", metavar="NAME", help="Only of searches in it.  [default: all]")
@click.option(
    "--origin",
    type=OneOf(("search", "made", "labelled")),
    help="Only those of the log, of `learn mine` or of `learn label`.  [default: all]",
)
@click.option("--no-texts", is_flag=True, help="Leave out the chunks' texts.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@common_options
def triples(
    common: Common,
    file: str,
    collection: str | None,
    origin: TripleOrigin | None,
    no_texts: bool,
    force: bool,
) -> None:
    """Write training triples, one a line: those of logged searches, then those of other queries."""
    require_file_for_json(common, file)
    with (
        common.memory(create=False) as memory,
        closing(memory.triples(collection=collection, texts=not no_texts, origin=origin)) as found,
    ):
        lines = (ndjson_line(triple) for triple in found)
        written = write_lines(lines, file, memory.path, force=force)
    show_written(common, written, file)
