"""What every command that asks a question takes: the question, where to look, how to fuse and choose."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import click

from vstash.cli.options import Common, OneOf, joined_query, parse_filter
from vstash.errors import QueryError

__all__ = ["Asked", "asking", "collapse_option", "question_options", "session_option"]

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Asked:
    """A question from the command line.

    Attributes:
        question: Its text.
        warm: Whether vectors are asked, so that the model may be loaded at once.
        arguments: What the methods of `Memory` that search have in common, by name.
    """

    question: str
    warm: bool
    arguments: dict[str, Any]


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

session_option = click.option(
    "--session",
    metavar="ID",
    help="Your own name for what you are about, so that queries put anew are known as such.",
)

_OPTIONS: Final = (
    click.argument("query", nargs=-1, required=True, metavar="QUERY..."),
    click.option("--collection", metavar="NAME", help="Which to search.  [default: default]"),
    click.option("--filter", "tree", metavar="JSON", help="Only documents that match this filter."),
    click.option(
        "--tag", "tags", multiple=True, metavar="TAG", help="Only documents with this tag."
    ),
    click.option(
        "--mode",
        type=OneOf(("hybrid", "vector", "keyword")),
        default="hybrid",
        help="Ask both indexes or one.  [default: hybrid]",
    ),
    click.option(
        "--strategy",
        type=OneOf(("score", "rrf", "adaptive-rrf")),
        help="How hybrid fuses the two; otherwise the setting `strategy`.",
    ),
    click.option(
        "--min-relevance",
        type=_real("min_relevance"),
        metavar="P",
        help="Leave out hits of lower relevance, 0 to 1; needs the strategy score.",
    ),
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
_HANDED_ON: Final = (
    *("collection", "mode", "strategy", "min_relevance"),
    *("mmr", "mmr_lambda", "fold_duplicates", "recency_half_life_days"),
)


def asking(
    function: Callable[Concatenate[Common, Asked, P], R],
) -> Callable[Concatenate[Common, P], R]:
    """Hand what `question_options` took to a command, together, as its second argument.

    It stands right above the function, below ``common_options``.
    """

    @functools.wraps(function)
    def call(common: Common, /, *args: P.args, **kwargs: P.kwargs) -> R:
        given: dict[str, Any] = kwargs
        question = joined_query(given.pop("query")).rstrip("\r\n")
        arguments = {name: given.pop(name) for name in _HANDED_ON}
        arguments["filter"] = parse_filter(given.pop("tree"), given.pop("tags"))
        asked = Asked(question, arguments["mode"] != "keyword", arguments)
        return function(common, asked, *args, **kwargs)

    return call


def question_options(function: F) -> F:
    """Put the question and the options of every search on a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
