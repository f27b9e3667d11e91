"""Options that say how the answer to a search is shaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from vstash.cli.options import OneOf
from vstash.errors import QueryError

__all__ = ["choice_options", "collapse_option", "min_relevance_option"]

F = TypeVar("F", bound=Callable[..., object])


def _real(name: str) -> Callable[[str], float]:
    """The click type of a number whose range `Memory` checks; an error points at ``name``."""

    def convert(text: str) -> float:
        try:
            return float(text)
        except ValueError as error:
            raise QueryError(f"{name} is a number.", pointer=f"/{name}") from error

    return convert


collapse_option = click.option(
    "--collapse",
    type=OneOf(("document",)),
    help="One hit a document, its best passage; -k counts documents.",
)


min_relevance_option = click.option(
    "--min-relevance",
    type=_real("min_relevance"),
    metavar="P",
    help="Leave out hits of lower relevance, 0 to 1; needs the strategy score.",
)


def choice_options(function: F) -> F:
    """Put ``--mmr``, ``--mmr-lambda``, ``--fold-duplicates`` and ``--recency-half-life`` on a command."""
    options = (
        click.option(
            "--mmr",
            type=OneOf(("within", "across")),
            help="Choose different passages (maximal marginal relevance): within one document, or "
            "across all.",
        ),
        click.option(
            "--mmr-lambda",
            type=_real("mmr_lambda"),
            default=0.7,
            metavar="X",
            help="Of MMR, 0 to 1; 1 is relevance alone.  [default: 0.7]",
        ),
        click.option(
            "--fold-duplicates",
            is_flag=True,
            help="Leave out what says the same as a better hit, or nearly so.",
        ),
        click.option(
            "--recency-half-life",
            "recency_half_life_days",
            type=_real("recency_half_life_days"),
            metavar="DAYS",
            help="Raise what changed lately; after so many days it is raised half as much.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function
