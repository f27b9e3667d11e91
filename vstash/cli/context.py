"""The context command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vstash.cli.asking import Asked, asking, question_options, session_option
from vstash.cli.options import Common, OneOf, common_options, count, example
from vstash.cli.output import err, exact, out_json, printable
from vstash.cli.render import counted

if TYPE_CHECKING:
    from vstash.contexts import Context, ContextOrder

__all__ = ["context"]


@click.command(
    short_help="Put together passages for a prompt.",
    epilog=example(
        "vstash context which port does the staging server use --max-tokens 500",
        "vstash context 'tea' --tokenizer tokenizer.json --order rank --json",
    ),
)
@question_options
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
@click.option(
    "--order",
    type=OneOf(("edges", "rank", "document")),
    default="edges",
    help="The best at both ends, the best first, or by document.  [default: edges]",
)
@click.option(
    "--no-widen", is_flag=True, help="Leave room empty rather than add chunks beside hits."
)
@click.option("--no-log", is_flag=True, help="Keep this search out of the disagreement log.")
@session_option
@common_options
@asking
def context(
    common: Common,
    asked: Asked,
    /,
    max_tokens: int,
    tokenizer: str | None,
    k: int | None,
    order: ContextOrder,
    no_widen: bool,
    no_log: bool,
    session: str | None,
) -> None:
    """Put together the passages that answer a query, as text for the prompt of a language model.

    The text goes to standard output as it is, and never takes more than --max-tokens. Each passage
    stands under a line with its number, its source, and a mark that nothing stored contains.

    Several words are joined with blanks. A single - reads the query from standard input.
    """
    with common.memory(create=False, warm=asked.warm) as memory:
        made = memory.context(
            asked.question,
            max_tokens=max_tokens,
            tokenizer=tokenizer,
            k=k,
            order=order,
            widen=not no_widen,
            log=not no_log,
            session=session,
            **asked.arguments,
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
