"""The search command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vstash.cli.asking import Asked, asking, collapse_option, question_options, session_option
from vstash.cli.options import Common, common_options, count, example
from vstash.cli.output import err, out, out_json, printable
from vstash.cli.render import counted, hit_block

if TYPE_CHECKING:
    from vstash.types import Collapse, SearchResult

__all__ = ["search"]


@click.command(
    short_help="Find the passages that answer a query.",
    epilog=example(
        "vstash search which port does the staging server use",
        "vstash search 'tea' -k 3 --tag people --explain",
        "vstash search - --json < question.txt",
    ),
)
@question_options
@click.option("-k", type=count("k"), default=10, metavar="N", help="How many hits.  [default: 10]")
@collapse_option
@click.option("--explain", is_flag=True, help="Say for each hit where its score comes from.")
@click.option("--no-log", is_flag=True, help="Keep this search out of the disagreement log.")
@session_option
@common_options
@asking
def search(
    common: Common,
    asked: Asked,
    /,
    k: int,
    collapse: Collapse | None,
    explain: bool,
    no_log: bool,
    session: str | None,
) -> None:
    """Find the passages that answer a query, best first.

    Several words are joined with blanks. A single - reads the query from standard input.

    A filter is a tree over key, title, tags, created, updated, expires_at and metadata, such as
    {"and": [{"metadata.author": {"eq": "Ada"}}, {"key": {"prefix": "/notes"}}]}.
    """
    with common.memory(create=False, warm=asked.warm) as memory:
        result = memory.search(
            asked.question,
            k=k,
            collapse=collapse,
            # The words to emphasise come with the explanation.
            explain=explain or not common.as_json,
            log=not no_log,
            session=session,
            **asked.arguments,
        )
    if common.as_json:
        out_json(result)
    else:
        _show(result, explain=explain)


def _show(result: SearchResult, *, explain: bool) -> None:
    for rank, hit in enumerate(result.hits, start=1):
        words = [word.word for word in hit.explanation.matched] if hit.explanation else []
        block = hit_block(rank, hit, words, explain=explain)
        out(block if rank == 1 else f"\n{block}")
    if not result.hits:
        out("No hits.")
    if result.abstained:
        err(f"note: {printable(result.abstained)}")
    if result.hits and not result.calibrated and result.hits[0].relevance is not None:
        err("note: relevance was not calibrated for this model: see docs/calibrate.md")
    if explain:
        stages = ", ".join(f"{name} {spent:.1f}" for name, spent in result.timings_ms.items())
        weights = f"vector {result.weights.vector:.3g}, keyword {result.weights.keyword:.3g}"
        out(f"\n{result.mode}, {result.strategy}; weights: {weights}\nmilliseconds: {stages}")
        out(f"search {result.id}")
        for learnt in result.learned:
            out(f"with what was learnt: {learnt}")
    for reason in result.degraded:
        err(f"note: {printable(reason)}")
    if result.awaiting:
        err(
            f"note: without a vector yet, and found by words alone: "
            f"{counted(result.awaiting, 'chunk')}; `vstash embed` makes them"
        )
