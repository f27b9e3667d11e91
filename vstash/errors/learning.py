"""What stands in the way of learning, and of using what was learnt."""

from __future__ import annotations

from vstash.errors.inputs import InputError
from vstash.errors.missing import NotFoundError
from vstash.errors.service import ConflictError

__all__ = [
    "LearnedDamagedError",
    "LearnedNotFoundError",
    "LearnedOtherModelError",
    "LearnedRefusedError",
    "LearningError",
    "no_learned",
]


class LearningError(InputError):
    """A collection holds too little to learn from; nothing was changed."""

    code = "learning_impossible"
    status = 409


class LearnedNotFoundError(NotFoundError):
    """Nothing that was learnt has this id."""

    code = "learned_not_found"


class LearnedRefusedError(ConflictError):
    """The gate refused what was learnt, and promoting it was not forced."""

    code = "learned_refused"


class LearnedOtherModelError(ConflictError):
    """It was learnt with another model than the file is searched with."""

    code = "learned_other_model"


class LearnedDamagedError(ConflictError):
    """What was learnt cannot be read any more."""

    code = "learned_damaged"


def no_learned() -> LearnedNotFoundError:
    """The error for something learnt that is not there, or that the caller may not know of."""
    return LearnedNotFoundError(
        "Nothing that was learnt has this id: `vstash learn history` shows what there is.",
        pointer="/id",
    )
