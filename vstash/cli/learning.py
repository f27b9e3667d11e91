"""The commands that learn from searches, and use or leave what was learnt."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from vstash.cli.options import Common, OneOf, common_options, count, example
from vstash.cli.output import bold, is_terminal, out, out_json, printable, show_page
from vstash.cli.render import time_cell
from vstash.errors import QueryError
from vstash.learning import LEARNER_CHOICES, LEARNERS

if TYPE_CHECKING:
    from vstash.learning import (
        Learned,
        LearnedSwitch,
        LearnerChoice,
        LearnerName,
        LearningFigure,
        LearnOutcome,
        LearnProgress,
    )
    from vstash.memory import Memory

__all__ = ["auto", "history", "promote", "rollback", "run"]

_collection = click.option(
    "--collection", metavar="NAME", help="Which collection.  [default: default]"
)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise QueryError("budget_s is a number of seconds.", pointer="/budget_s") from error


@click.command(
    short_help="Learn from disagreements, and use what is better.",
    epilog=example("vstash learn run", "vstash learn run --learner fusion --no-promote --json"),
)
@_collection
@click.option(
    "--learner", type=OneOf(LEARNER_CHOICES), default="all", help="Which.  [default: all]"
)
@click.option(
    "--seed",
    type=count("seed"),
    default=0,
    metavar="N",
    help="Of splits and starts: the same file and seed learn the same.  [default: 0]",
)
@click.option(
    "--budget", type=_seconds, metavar="SECONDS", help="At most about so long.  [default: no bound]"
)
@click.option(
    "--no-promote", is_flag=True, help="Store what the gate takes, and do not use it yet."
)
@common_options
def run(
    common: Common,
    collection: str | None,
    learner: LearnerChoice,
    seed: int,
    budget: float | None,
    no_promote: bool,
) -> None:
    """Learn from where the two indexes disagreed, and use it where it is better on queries held out.

    What was learnt is stored with the evidence by which the gate took or refused it: `vstash learn
    history` shows it, and `vstash learn rollback` goes back to what was in use before.
    """
    with common.memory(create=False) as memory:
        outcome = _learnt(memory, collection, learner, seed, budget, promote=not no_promote)
    if common.as_json:
        out_json(outcome)
        return
    for each in outcome.learned:
        out(_block(each))
    examples = ", ".join(f"{number:,} {origin}" for origin, number in outcome.examples.items())
    out(f"{examples or 'no'} examples, {outcome.seconds:.1f} s")
    if outcome.cut:
        out("the budget was used up before all was learnt")


def _learnt(
    memory: Memory,
    collection: str | None,
    learner: LearnerChoice,
    seed: int,
    budget: float | None,
    *,
    promote: bool,
) -> LearnOutcome:
    def learnt(tell: object = None) -> LearnOutcome:
        return memory.learn(
            collection,
            learner=learner,
            seed=seed,
            budget_s=budget,
            promote=promote,
            progress=tell,  # type: ignore[arg-type]  # a watcher or None
        )

    if not is_terminal(sys.stderr):
        return learnt()
    from vstash.cli.progress import CountBar

    with CountBar("steps") as shown:

        def show(state: LearnProgress) -> None:
            shown.update(state.done, state.total)

        return learnt(show)


@click.command(
    short_help="Show what was learnt, and why it was taken or refused.",
    epilog=example("vstash learn history", "vstash learn history --collection notes --json"),
)
@click.option("--collection", metavar="NAME", help="Which collection.  [default: all]")
@click.option(
    "--limit",
    type=count("limit"),
    default=50,
    metavar="N",
    help="How many, 1 to 1000.  [default: 50]",
)
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@common_options
def history(common: Common, collection: str | None, limit: int, cursor: str | None) -> None:
    """Show what was learnt, newest first, with the figures by which the gate decided."""
    with common.memory(create=False) as memory:
        page = memory.learned(collection, limit=limit, cursor=cursor)
    show_page(page, _block, as_json=common.as_json, nothing="Nothing was learnt.")


@click.command(
    short_help="Use something that was learnt.",
    epilog=example("vstash learn promote 019b2d0c-1a2b-7c3d-8e4f-5a6b7c8d9e0f"),
)
@click.argument("learned_id", metavar="ID")
@click.option("--collection", metavar="NAME", help="That it was learnt of.  [default: any]")
@click.option("--force", is_flag=True, help="Use it although the gate refused it.")
@common_options
def promote(common: Common, learned_id: str, collection: str | None, force: bool) -> None:
    """Use something that was learnt in the place of what is in use, from the next search on."""
    with common.memory(create=False) as memory:
        promoted = memory.promote(learned_id, collection=collection, force=force)
    if common.as_json:
        out_json(promoted)
    else:
        out(_block(promoted))


@click.command(
    short_help="Go back to what was in use before.",
    epilog=example("vstash learn rollback", "vstash learn rollback --learner adapter"),
)
@_collection
@click.option("--learner", type=OneOf(LEARNERS), help="Of which.  [default: each]")
@common_options
def rollback(common: Common, collection: str | None, learner: LearnerName | None) -> None:
    """Go one step back, to the built-in at last; searches follow at once, in all processes."""
    with common.memory(create=False) as memory:
        report = memory.rollback(collection, learner=learner)
    if common.as_json:
        out_json(report)
        return
    for each in report.switched:
        out(_switch(each))
    if not report.switched:
        out("nothing to go back from: the built-in is in use")


@click.command(
    short_help="Say whether a service learns by itself.",
    epilog=example("vstash learn auto", "VSTASH_LEARN_AUTO=true vstash serve"),
)
@common_options
def auto(common: Common) -> None:
    """Say whether a service with these settings learns by itself, and what there is to learn.

    The settings learn_auto, learn_auto_cpu_percent and learn_auto_searches say so, in vstash.toml or
    as variables: `vstash settings` shows where they come from. It is off unless they do.
    """
    with common.memory(create=False) as memory:
        state = memory.auto_learning()
    if common.as_json:
        out_json(state)
        return
    out(
        f"on, with {state.cpu_percent} % of a core while nobody searches"
        if state.on
        else "off: set learn_auto = true for `vstash serve` to learn by itself"
    )
    for each in state.collections:
        last = "never" if each.last is None else time_cell(each.last)
        due = "due" if each.due else f"takes {state.searches:,} new searches, and a day"
        out(f"{printable(each.collection)}: {each.searches:,} new searches, learnt {last}; {due}")


def _switch(each: LearnedSwitch) -> str:
    return f"{each.learner}: {each.before or 'built-in'} -> {each.after or 'built-in'}"


def _block(item: Learned) -> str:
    taken = "in use" if item.active else "taken" if item.accepted else "refused"
    head = (
        f"{time_cell(item.made)}  {item.id}  {bold(item.learner)} of {printable(item.collection)}"
    )
    said = [printable(reason) for reason in item.decision.reasons]
    said += [printable(_figure(each)) for each in item.decision.figures]
    return "\n   ".join([f"{head}: {taken}", *said])


def _figure(figure: LearningFigure) -> str:
    return (
        f"{figure.name}: {figure.before:.3f} -> {figure.after:.3f}, by {figure.low:+.3f} to "
        f"{figure.high:+.3f} in 95 of 100 cases; {figure.queries:,} queries"
    )
