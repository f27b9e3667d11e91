"""The search command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vstash.cli.options import (
    Common,
    OneOf,
    common_options,
    count,
    example,
    joined_query,
    parse_filter,
)
from vstash.cli.output import err, out, out_json, printable
from vstash.cli.render import counted, hit_block
from vstash.cli.shaping import choice_options, collapse_option, min_relevance_option

if TYPE_CHECKING:
    from vstash.types import Mode, SearchResult, StrategyName

__all__ = ["search"]


@click.command(
    short_help="Find the passages that answer a query.",
    epilog=example(
        "vstash search which port does the staging server use",
        "vstash search 'tea' -k 3 --tag people --explain",
        "vstash search - --json < question.txt",
    ),
)
@click.argument("query", nargs=-1, required=True, metavar="QUERY...")
@click.option("-k", type=count("k"), default=10, metavar="N", help="How many hits.  [default: 10]")
@click.option("--collection", metavar="NAME", help="Which to search.  [default: default]")
@click.option("--filter", "tree", metavar="JSON", help="Only documents that match this filter.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only documents with this tag.")
@click.option(
    "--mode",
    type=OneOf(("hybrid", "vector", "keyword")),
    default="hybrid",
    help="Ask both indexes or one.  [default: hybrid]",
)
@click.option(
    "--strategy",
    type=OneOf(("score", "rrf", "adaptive-rrf")),
    help="How hybrid fuses the two; otherwise the setting `strategy`.",
)
@min_relevance_option
@collapse_option
@choice_options
@click.option("--explain", is_flag=True, help="Say for each hit where its score comes from.")
@click.option("--no-log", is_flag=True, help="Keep this search out of the disagreement log.")
@common_options
def search(
    common: Common,
    /,
    query: tuple[str, ...],
    k: int,
    collection: str | None,
    tree: str | None,
    tags: tuple[str, ...],
    mode: Mode,
    strategy: StrategyName | None,
    explain: bool,
    no_log: bool,
    **shape: Any,
) -> None:
    """Find the passages that answer a query, best first.

    Several words are joined with blanks. A single - reads the query from standard input.

    A filter is a tree over key, title, tags, created, updated, expires_at and metadata, such as
    {"and": [{"metadata.author": {"eq": "Ada"}}, {"key": {"prefix": "/notes"}}]}.
    """
    where = parse_filter(tree, tags)
    question = joined_query(query).rstrip("\r\n")
    with common.memory(create=False, warm=mode != "keyword") as memory:
        result = memory.search(
            question,
            k=k,
            collection=collection,
            filter=where,
            mode=mode,
            strategy=strategy,
            # The words to emphasise come with the explanation.
            explain=explain or not common.as_json,
            log=not no_log,
            **shape,
        )
    if common.as_json:
        out_json(result)
    else:
        _show(result, explain=explain)


def _show(result: SearchResult, *, explain: bool) -> None:
    for rank, hit in enumerate(result.hits, start=1):
        words = [word.word for word in hit.explanation.matched] if hit.explanation else []
        out(hit_block(rank, hit, words, explain=explain) + "\n")
    if not result.hits:
        out("No hits.")
    if result.abstained:
        err(f"note: {printable(result.abstained)}")
    if result.hits and not result.calibrated and result.hits[0].relevance is not None:
        err("note: relevance was not calibrated for this model: see docs/calibrate.md")
    if explain:
        stages = ", ".join(f"{name} {spent:.1f}" for name, spent in result.timings_ms.items())
        weights = f"vector {result.weights.vector:.3g}, keyword {result.weights.keyword:.3g}"
        out(f"{result.mode}, {result.strategy}; weights: {weights}\nmilliseconds: {stages}")
        out(f"search {result.id}")
    for reason in result.degraded:
        err(f"note: {printable(reason)}")
    if result.awaiting:
        err(
            f"note: without a vector yet, and found by words alone: "
            f"{counted(result.awaiting, 'chunk')}; `vstash embed` makes them"
        )
