"""The commands about queries of which the answer is known: to make, to give, to show and to remove them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vstash.cli.options import Common, OneOf, common_options, count, example
from vstash.cli.output import bold, err, is_terminal, out, out_json, printable, show_page
from vstash.cli.render import fields_block
from vstash.errors import RequestError
from vstash.mining import FORMS, MADE_FORMS, LanguageModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vstash.memory import Memory
    from vstash.mining import Form, LabelReport, MadeQuery, MineProgress, MineReport

__all__ = ["label", "made_queries", "mine"]

_COLLECTION: Final = click.option(
    "--collection", metavar="NAME", help="Of the documents.  [default: default]"
)


@click.command(
    short_help="Make queries from the corpus, and triples from them.",
    epilog=example(
        "vstash learn mine --collection notes",
        "vstash learn mine --form keyphrase --form cloze --limit 2000",
        "vstash learn mine --asked-by http://127.0.0.1:11434/v1 --asked-model qwen3:4b",
    ),
)
@_COLLECTION
@click.option(
    "--form",
    "forms",
    multiple=True,
    type=OneOf(MADE_FORMS),
    help="How queries are made; may be repeated.  [default: all]",
)
@click.option(
    "--per-document",
    type=count("per_document"),
    default=3,
    metavar="N",
    help="Queries of each form from one document, 1 to 20.  [default: 3]",
)
@click.option(
    "--limit", type=count("limit"), metavar="N", help="Queries at most.  [default: no limit]"
)
@click.option(
    "--seed", type=count("seed"), default=0, metavar="N", help="Which queries.  [default: 0]"
)
@click.option(
    "--asked-by",
    metavar="URL",
    help="Send passages to a language model at this address of OpenAI's protocol, to be asked about.",
)
@click.option("--asked-model", metavar="NAME", help="The language model, as the address knows it.")
@common_options
def mine(
    common: Common,
    collection: str | None,
    forms: Sequence[Form],
    per_document: int,
    limit: int | None,
    seed: int,
    asked_by: str | None,
    asked_model: str | None,
) -> None:
    """Make queries from documents, each with a passage that answers it in other words.

    Where one of the two indexes finds that passage and the other does not, a training triple follows.
    What is made is kept when this is interrupted: the same command goes on, and makes queries from
    documents that were added since.
    """
    if (asked_by is None) != (asked_model is None):
        raise RequestError("Give --asked-by and --asked-model together.")
    model = None
    if asked_by is not None and asked_model is not None:
        model = LanguageModel(asked_by, asked_model)
    with common.memory(create=False, warm=True) as memory:
        report = _mined(
            memory,
            collection=collection,
            forms=forms or MADE_FORMS,
            per_document=per_document,
            limit=limit,
            seed=seed,
            asked_by=model,
        )
    if common.as_json:
        out_json(report)
    else:
        out(_mine_text(report))


def _mined(memory: Memory, **options: object) -> MineReport:
    if not is_terminal(sys.stderr):
        return memory.mine(**options)  # type: ignore[arg-type]
    from vstash.cli.progress import CountBar

    with CountBar("documents") as shown:

        def show(state: MineProgress) -> None:
            shown.update(state.done, state.documents)

        return memory.mine(progress=show, **options)  # type: ignore[arg-type]


def _counts(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts) or "none"


def _mine_text(report: MineReport) -> str:
    left = f", {report.left:,} left" if report.left else ""
    disagreement = report.disagreement
    fields = [
        ("documents", f"{report.documents:,}, once for each form{left}"),
        ("queries", _counts(report.queries.items())),
        ("triples", _counts(report.triples.items())),
        ("passed over", _counts(report.masked.items())),
        ("disagreement", "none yet" if disagreement is None else f"{100 * disagreement:.1f} %"),
    ]
    return fields_block(fields)


@click.command(
    short_help="Take queries with judgements, and triples from them.",
    epilog=example("vstash learn label queries.jsonl qrels/train.tsv --collection papers"),
)
@click.argument("queries", metavar="QUERIES", type=click.Path(path_type=Path))
@click.argument("qrels", metavar="QRELS", type=click.Path(path_type=Path))
@_COLLECTION
@common_options
def label(common: Common, queries: Path, qrels: Path, collection: str | None) -> None:
    """Take queries with judgements, in the layout of BEIR.

    QUERIES has a line of JSON for each, with `_id` and `text`. QRELS is tab-separated with a head:
    query-id, corpus-id, score; corpus-id is a document's key, and a score above 0 says that it answers.
    """
    from vstash.evaluation.beir import read_queries

    texts, judgements = read_queries(queries, qrels)
    with common.memory(create=False, warm=True) as memory:
        report = memory.label(texts, judgements, collection=collection)
    if common.as_json:
        out_json(report)
    else:
        out(_label_text(report))


def _label_text(report: LabelReport) -> str:
    share = report.false_negatives
    fields = [
        ("queries", f"{report.queries:,} used, {report.unanswered:,} without an answer here"),
        ("unknown documents", f"{report.unknown:,}"),
        ("stored", f"{report.stored:,} queries with an answer that a leg lists"),
        ("triples", _counts(report.triples.items())),
        ("passed over", _counts(report.masked.items())),
        ("false negatives", "none to tell" if share is None else f"{100 * share:.1f} %"),
    ]
    return fields_block(fields)


@click.command(
    "queries",
    short_help="Show, or remove, queries of which the answer is known.",
    epilog=example(
        "vstash learn queries --form cloze --limit 5",
        "vstash learn queries --remove --collection notes",
    ),
)
@click.option("--collection", metavar="NAME", help="Of the documents.  [default: all]")
@click.option("--form", type=OneOf(FORMS), help="How they were made.  [default: any]")
@click.option(
    "--limit",
    type=count("limit"),
    default=50,
    metavar="N",
    help="Queries, 1 to 1000.  [default: 50]",
)
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@click.option("--remove", is_flag=True, help="Remove all of them instead; triples go along.")
@common_options
def made_queries(
    common: Common,
    collection: str | None,
    form: Form | None,
    limit: int,
    cursor: str | None,
    remove: bool,
) -> None:
    """Show queries that `learn mine` made and `learn label` took, newest first, with their triples."""
    with common.memory(create=False) as memory:
        if remove:
            removed = memory.remove_made(collection=collection, form=form)
        else:
            page = memory.made_queries(collection=collection, form=form, limit=limit, cursor=cursor)
    if not remove:
        show_page(page, _block, as_json=common.as_json, nothing="No queries were made.")
    elif common.as_json:
        out_json({"removed": removed})
    else:
        err(f"{removed:,} queries were removed")


def _block(query: MadeQuery) -> str:
    fields = [
        ("form", query.form),
        ("answer", f"chunk {query.positive_chunk_id} of {query.document_id}"),
        ("disagreement", f"{query.disagreement:.2f}"),
        *((triple.kind, f"chunk {triple.negative_chunk_id} instead") for triple in query.triples),
    ]
    return f"{bold(printable(query.query))}\n{fields_block(fields)}"
