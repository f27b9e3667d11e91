"""The context command."""

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
from vstash.cli.output import err, exact, out_json, printable
from vstash.cli.render import counted
from vstash.cli.shaping import choice_options, min_relevance_option

if TYPE_CHECKING:
    from vstash.contexts import Context, ContextOrder
    from vstash.types import Mode, StrategyName

__all__ = ["context"]


@click.command(
    short_help="Put together passages for a prompt.",
    epilog=example(
        "vstash context which port does the staging server use --max-tokens 500",
        "vstash context 'tea' --tokenizer tokenizer.json --order rank --json",
    ),
)
@click.argument("query", nargs=-1, required=True, metavar="QUERY...")
@click.option(
    "--max-tokens",
    type=count("max_tokens"),
    default=2000,
    metavar="N",
    help="What the whole text may take.  [default: 2000]",
)
@click.option(
    "--tokenizer",
    metavar="PATH",
    help="The tokenizer.json that counts; otherwise the setting `context_tokenizer`.",
)
@click.option(
    "-k",
    type=count("k"),
    metavar="N",
    help="Hits to choose from; otherwise one to every 25 tokens, 30 to 200.",
)
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
@click.option(
    "--order",
    type=OneOf(("edges", "rank", "document")),
    default="edges",
    help="The best at both ends, the best first, or by document.  [default: edges]",
)
@click.option(
    "--no-widen", is_flag=True, help="Leave room empty rather than add chunks beside hits."
)
@min_relevance_option
@choice_options
@click.option("--no-log", is_flag=True, help="Keep this search out of the disagreement log.")
@common_options
def context(
    common: Common,
    /,
    query: tuple[str, ...],
    max_tokens: int,
    tokenizer: str | None,
    k: int | None,
    collection: str | None,
    tree: str | None,
    tags: tuple[str, ...],
    mode: Mode,
    strategy: StrategyName | None,
    order: ContextOrder,
    no_widen: bool,
    no_log: bool,
    **shape: Any,
) -> None:
    """Put together the passages that answer a query, as text for the prompt of a language model.

    The text goes to standard output as it is, and never takes more than --max-tokens. Each passage
    stands under a line with its number, its source, and a mark that nothing stored contains.

    Several words are joined with blanks. A single - reads the query from standard input.
    """
    where = parse_filter(tree, tags)
    question = joined_query(query).rstrip("\r\n")
    with common.memory(create=False, warm=mode != "keyword") as memory:
        made = memory.context(
            question,
            max_tokens=max_tokens,
            tokenizer=tokenizer,
            k=k,
            collection=collection,
            filter=where,
            mode=mode,
            strategy=strategy,
            order=order,
            widen=not no_widen,
            log=not no_log,
            **shape,
        )
    if common.as_json:
        out_json(made)
    else:
        _show(made)


def _show(made: Context) -> None:
    exact(made.text)
    left = f"; {counted(made.left_out.count, 'hit')} left out" if made.left_out.count else ""
    err(
        f"note: {counted(len(made.passages), 'passage')}, {made.tokens:,} of {made.max_tokens:,} "
        f"tokens{left}"
    )
    for reason in (made.abstained, *made.degraded):
        if reason:
            err(f"note: {printable(reason)}")
