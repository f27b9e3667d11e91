"""What tells of learning from a collection's searches: what was learnt, how it was judged, what is in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

from vstash.types import JsonObject

__all__ = [
    "LEARNERS",
    "LEARNER_CHOICES",
    "AutoLearning",
    "LearnOutcome",
    "LearnProgress",
    "LearnWatcher",
    "Learned",
    "LearnedSwitch",
    "LearnerChoice",
    "LearnerName",
    "LearningDecision",
    "LearningDue",
    "LearningFigure",
    "RollbackReport",
    "SwitchReason",
]

LearnerName = Literal["fusion", "adapter"]
LEARNERS: Final[tuple[LearnerName, ...]] = get_args(LearnerName)
LearnerChoice = Literal["all", "fusion", "adapter"]
LEARNER_CHOICES: Final[tuple[LearnerChoice, ...]] = get_args(LearnerChoice)
SwitchReason = Literal["gate", "promote", "rollback"]


@dataclass(frozen=True, slots=True)
class LearningFigure:
    """One measure, before and after, on queries that nothing was learnt from.

    Attributes:
        name: What was measured and on which queries, such as ``held-out mrr@10``.
        queries: How many.
        before: With the built-in.
        after: With what was learnt.
        low: Lower end of the 95 % interval of the difference.
        high: Its upper end.
    """

    name: str
    queries: int
    before: float
    after: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LearningDecision:
    """Why the gate took or refused what was learnt.

    Attributes:
        accepted: Whether it did.
        reasons: In sentences, at least one.
        figures: What it went by.
        examples: Queries that were learnt from, and those that were held out, by origin.
        data_sha256: Of all examples: the same data, seed, settings and versions learn the same.
        seed: Of splits and starts.
        settings: Of learner and gate.
        versions: Of vstash and of what computes.
        seconds: That learning and judging took.
    """

    accepted: bool
    reasons: tuple[str, ...]
    figures: tuple[LearningFigure, ...] = ()
    examples: Mapping[str, int] = field(default_factory=dict)
    data_sha256: str = ""
    seed: int = 0
    settings: JsonObject = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Learned:
    """Something that was learnt of a collection.

    Attributes:
        learner: ``fusion``: how far keywords and feedback count; ``adapter``: a small map on the vector
            of a query.
        model: Name of the model whose vectors it was learnt with, and with which alone it is used.
        made: When.
        accepted: Whether the gate took it.
        active: Whether searches of the collection use it, while its model is the active one.
        decision: Why the gate took or refused it.
    """

    id: str
    learner: LearnerName
    collection: str
    model: str
    made: datetime
    accepted: bool
    active: bool
    decision: LearningDecision


@dataclass(frozen=True, slots=True)
class LearnedSwitch:
    """One thing that was learnt took the place of another.

    Attributes:
        before: Id of what was in use, None for the built-in.
        after: Id of what is in use now, None for the built-in.
    """

    learner: LearnerName
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """What a rollback changed: nothing where the built-in was in use."""

    collection: str
    switched: tuple[LearnedSwitch, ...]


@dataclass(frozen=True, slots=True)
class LearnProgress:
    """Where learning stands: its stage, and how much of that is done; ``total`` is 0 where not known."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class LearningDue:
    """What there is to learn of a collection.

    Attributes:
        searches: Logged since something was last learnt of it, counted up to what it takes.
        last: When that was, None for never.
        due: Whether learning by itself would begin, once nobody searches.
    """

    collection: str
    searches: int
    last: datetime | None
    due: bool


@dataclass(frozen=True, slots=True)
class AutoLearning:
    """Whether a service learns by itself, and of what.

    Attributes:
        on: The setting ``learn_auto`` of whoever tells it.
        cpu_percent: Of one core, at most.
        searches: New ones of a collection that it takes.
    """

    on: bool
    cpu_percent: int
    searches: int
    collections: tuple[LearningDue, ...]


LearnWatcher = Callable[[LearnProgress], None]


@dataclass(frozen=True, slots=True)
class LearnOutcome:
    """What `Memory.learn` did.

    Attributes:
        learned: One for each learner, with its decision; those that were taken are active, unless
            ``promote`` was false.
        examples: Queries that were learnt from and judged by, by origin.
        cut: Whether ``budget_s`` was used up before all was learnt.
        seconds: Wall time.
    """

    collection: str
    learned: tuple[Learned, ...]
    examples: Mapping[str, int]
    cut: bool
    seconds: float
