"""What those who keep a file in order get back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from vstash.reports import Finding

__all__ = ["LEVELS", "CheckLevel", "CheckProgress", "CheckProgressCallback", "RepairReport"]

CheckLevel = Literal["quick", "full"]
LEVELS: Final[tuple[CheckLevel, ...]] = get_args(CheckLevel)


# check and repair


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """How far a check or a repair is.

    Attributes:
        part: What is looked at or done, in a word or two.
        done: How much of it, of ``total``; what is counted depends on the part.
        total: 0 where it is not known.
    """

    part: str
    done: int
    total: int


CheckProgressCallback = Callable[[CheckProgress], None]


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What `Memory.repair` did.

    Attributes:
        found: What a full check found before.
        repaired: The codes of what it does not find any more.
        left: What it still finds: the message says what to do.
        accepted: Ids of documents whose hash was made anew from what is stored, the first 100.
        awaiting: Chunks that await a vector now, since the model could not be used.
        backup: Name of the backup that was made first, None where nothing was to be repaired.
        seconds: Wall time.
    """

    found: tuple[Finding, ...]
    repaired: tuple[str, ...]
    left: tuple[Finding, ...]
    accepted: tuple[str, ...]
    awaiting: int
    backup: str | None
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether nothing wrong is left."""
        return not self.left
