"""How the answer to a search is to be shaped, once its candidates have their scores."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, get_args

from vstash.errors import QueryError
from vstash.types import Collapse, Mmr

__all__ = ["MMR_LAMBDA", "PLAIN", "Shape", "checked_shape"]

MMR_LAMBDA: Final = 0.7
# A thousand years of days: what a half-life may be at most, so that ages stay finite.
_LONGEST_DAYS: Final = 365_250


@dataclass(frozen=True, slots=True)
class Shape:
    """What becomes of the ordered candidates; the fields mean what they mean in `Memory.search`."""

    collapse: Collapse | None = None
    mmr: Mmr | None = None
    mmr_lambda: float = MMR_LAMBDA
    fold_duplicates: bool = False
    recency_half_life_days: float | None = None

    @property
    def plain(self) -> bool:
        """Whether the best k are returned as they are."""
        return not self.selects and self.recency_half_life_days is None

    @property
    def selects(self) -> bool:
        """Whether some candidates give way to others, so that more than k are needed."""
        return self.collapse is not None or self.mmr is not None or self.fold_duplicates


PLAIN: Final = Shape()


def checked_shape(shape: Shape) -> Shape:
    """The same shape, with every field of its type and in its range.

    Raises:
        QueryError: When one is not.
    """
    for name, value, known in (
        ("collapse", shape.collapse, get_args(Collapse)),
        ("mmr", shape.mmr, get_args(Mmr)),
    ):
        if value is not None and value not in known:
            raise QueryError(f"{name} is one of: {', '.join(known)}.", pointer=f"/{name}")
    if not isinstance(shape.fold_duplicates, bool):
        raise QueryError("fold_duplicates is true or false.", pointer="/fold_duplicates")
    if not _is_number(shape.mmr_lambda) or not 0 <= shape.mmr_lambda <= 1:
        raise QueryError("mmr_lambda is a number from 0 to 1.", pointer="/mmr_lambda")
    days = shape.recency_half_life_days
    if days is not None and not (_is_number(days) and 0 < days <= _LONGEST_DAYS):
        raise QueryError(
            f"recency_half_life_days is a number above 0, at most {_LONGEST_DAYS:,}.",
            pointer="/recency_half_life_days",
        )
    return shape


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
