"""Ways to search that are compared: a name and the arguments of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from vstash.errors import EvaluationError
from vstash.types import Mode, StrategyName

__all__ = ["DEFAULT_WAYS", "Way", "known_ways", "ways_named"]

DEFAULT_WAYS: Final = ("vector", "keyword", "rrf", "adaptive-rrf", "score")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to search.

    Attributes:
        name: To show.
        arguments: Of `Memory.search`, beside the query, ``k``, ``collection``, ``filter`` and
            ``log``.

    Example:
        >>> Way("score", {"strategy": "score"}).name
        'score'
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def known_ways() -> dict[str, Way]:
    """Every mode of one leg and every strategy, by name."""
    legs = [mode for mode in get_args(Mode) if mode != "hybrid"]
    return {
        **{mode: Way(mode, {"mode": mode}) for mode in legs},
        **{name: Way(name, {"strategy": name}) for name in get_args(StrategyName)},
    }


def ways_named(ways: Sequence[str | Way]) -> tuple[Way, ...]:
    """Ways by their names; ways of your own stay as they are.

    Args:
        ways: One or more, of different names.

    Raises:
        EvaluationError: When a name is unknown or comes twice, or there is none.
    """
    known = known_ways()
    found: list[Way] = []
    for way in ways:
        if isinstance(way, str) and way not in known:
            raise EvaluationError(
                f"There is no way {way!r} to search; there is: {', '.join(known)}.",
                pointer="/ways",
            )
        found.append(known[way] if isinstance(way, str) else way)
    if not found or len({way.name for way in found}) < len(found):
        raise EvaluationError("Ways are one or more, each named once.", pointer="/ways")
    return tuple(found)
