"""The why-not command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vstash.cli.asking import Asked, asking, collapse_option, question_options
from vstash.cli.options import Common, common_options, count, example
from vstash.cli.output import bold, err, out, out_json, printable
from vstash.cli.render import fields_block

if TYPE_CHECKING:
    from vstash.misses import WhyNot
    from vstash.types import Collapse, Explanation

__all__ = ["why_not"]


@click.command(
    "why-not",
    short_help="Say why a search does not return something.",
    epilog=example(
        "vstash why-not which port does the staging server use --key staging",
        "vstash why-not 'tea' --chunk 17 -k 3 --tag people --json",
    ),
)
@question_options
@click.option("--key", metavar="KEY", help="Key of the document that should be found.")
@click.option("--id", "document", metavar="ID", help="Its id instead.")
@click.option("--chunk", type=int, metavar="N", help="One chunk instead, by its number.")
@click.option("-k", type=count("k"), default=10, metavar="N", help="How many hits.  [default: 10]")
@collapse_option
@common_options
@asking
def why_not(
    common: Common,
    asked: Asked,
    /,
    key: str | None,
    document: str | None,
    chunk: int | None,
    k: int,
    collapse: Collapse | None,
) -> None:
    """Say at which stage a search loses a document or a chunk, by how much, and what would help.

    Of a document its best chunk is followed. Nothing is logged.

    Several words are joined with blanks. A single - reads the query from standard input.
    """
    with common.memory(create=False, warm=asked.warm) as memory:
        told = memory.why_not(
            asked.question,
            document=document,
            key=key,
            chunk=chunk,
            k=k,
            collapse=collapse,
            **asked.arguments,
        )
    if common.as_json:
        out_json(told)
    else:
        _show(told)


def _show(told: WhyNot) -> None:
    out(f"{bold(told.stage)}  {printable(told.why)}")
    for line in told.advice:
        out(f"   - {printable(line)}")
    out("\n" + fields_block(_fields(told)))
    for reason in told.degraded:
        err(f"note: {printable(reason)}")


def _fields(told: WhyNot) -> list[tuple[str, str]]:
    fields = [("document", f"{told.document_id}  {told.key}")]
    if told.chunk_id is not None:
        fields.append(("chunk", str(told.chunk_id)))
    if told.rank is not None:
        fields.append(("rank", f"{told.rank}, of {told.k} asked for"))
    fields += _measure("score", None, None, told.score, told.score_needed)
    fields += _measure(
        "vector",
        told.vector_rank,
        told.vector_deeper_than,
        told.vector_score,
        told.vector_needed,
    )
    fields += _measure("keyword", told.keyword_rank, None, told.keyword_score, told.keyword_needed)
    if told.relevance is not None:
        fields.append(("relevance", f"{told.relevance:.2f}"))
    for name, explanation in (
        ("parts", told.explanation),
        ("of the last", told.explanation_of_last),
    ):
        if explanation is not None:
            fields.append((name, _parts(explanation)))
    if told.missing_words:
        words = (f"{each.word} ({each.idf:.2f})" for each in told.missing_words)
        fields.append(("lacks", ", ".join(words)))
    return fields


def _measure(
    name: str, rank: int | None, deeper: int | None, score: float | None, needed: float | None
) -> list[tuple[str, str]]:
    if score is None:
        return []
    place = f"#{rank}, " if rank else f"beyond #{deeper}, " if deeper else ""
    return [(name, f"{place}{score:.3f}{'' if needed is None else f', needed {needed:.3f}'}")]


def _parts(explanation: Explanation) -> str:
    parts = (
        ("vector", explanation.vector_part),
        ("keyword", explanation.keyword_part),
        ("best hits", explanation.feedback_part),
        ("exact", explanation.exact_part),
        ("recency", explanation.recency_part),
    )
    return ", ".join(f"{name} {value:.3f}" for name, value in parts)
