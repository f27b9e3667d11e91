"""Whether one query of a session puts an earlier one in other words."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

__all__ = ["WITHIN_US", "reformulates"]

# Later than this, people ask about something else more often than again.
WITHIN_US: Final = 10 * 60 * 1_000_000
# Of the shorter query's informative words, the share that both have.
_SHARED_WORDS: Final = 0.5
# Two queries whose vectors are near have most of the nearest chunks in common.
_NEAREST: Final = 3
_COMMON: Final = 2


def reformulates(
    words: AbstractSet[str],
    nearest: Sequence[int],
    earlier_words: AbstractSet[str] | None,
    earlier_nearest: Sequence[int],
) -> bool:
    """Whether a query overlaps an earlier one of its session in words or in vectors.

    Vectors are compared by what they are near to, which the log holds.

    Args:
        words: Informative words of the query.
        nearest: Its vector leg, best first.
        earlier_words: Of the earlier query; None where they were not kept.
        earlier_nearest: The earlier vector leg.

    Example:
        >>> reformulates({"port", "staging"}, [], {"staging", "server", "listen"}, [])
        True
        >>> reformulates({"port"}, [1, 2, 3], {"tea"}, [2, 3, 9])
        True
        >>> reformulates({"port"}, [1, 2, 3], {"tea"}, [7, 8, 9])
        False
    """
    if words and earlier_words:
        shorter = min(len(words), len(earlier_words))
        if len(words & earlier_words) >= _SHARED_WORDS * shorter:
            return True
    return len({*nearest[:_NEAREST]} & {*earlier_nearest[:_NEAREST]}) >= _COMMON
