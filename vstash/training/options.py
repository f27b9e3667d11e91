"""How a model is trained: what can be chosen, with its bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal, get_args

from vstash.errors import QueryError

__all__ = ["Objective", "Stage", "TrainOptions", "TrainProgress", "TrainWatcher"]

Objective = Literal["distil", "contrast"]
Stage = Literal["read", "embed", "train", "export", "compare"]
_MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How a model is trained.

    Attributes:
        objective: ``distil`` moves the model's scores of a query's passages towards those of the fused list,
            where there is one; ``contrast`` is MultipleNegativesRankingLoss over positives and negatives.
        epochs: Times that every example is seen, 1 to 100.
        learning_rate: Of AdamW at its highest, above 0 and at most .01; it rises over the first tenth of the
            steps and falls to 0.
        batch: Queries per step, 2 to 4,096.
        minutes: End within them, 0 for no limit: steps are left out, and their number is in the record.
        steps: Take exactly so many, 0 for what epochs and minutes give.
        seed: Of all that is drawn, 0 or more.
        share: How much of the way from the old weights to the trained ones is gone, above 0 to 1 (Wortsman et
            al. 2022, https://arxiv.org/abs/2109.01903).
        query_tokens: Longest query, 8 to 512.
        passage_tokens: Longest passage, 8 to 512.
        negatives: For ``contrast``: passages per query beside its positive, at most; 0 to 64.
        anchors: For ``distil``: passages per step that are held where they are, 0 to 1,024.
        mini_batch: Texts that are in memory at a time with what their gradient needs, 1 to 4,096.
        checkpointing: Compute activations twice rather than keep them.
        held_out: Share of the examples that nothing is learnt from, .05 to .5.
    """

    objective: Objective = "distil"
    epochs: int = 3
    learning_rate: float = 3e-5
    batch: int = 32
    minutes: float = 0.0
    steps: int = 0
    seed: int = 0
    share: float = 1.0
    query_tokens: int = 64
    passage_tokens: int = 192
    negatives: int = 4
    anchors: int = 6
    mini_batch: int = 32
    checkpointing: bool = False
    held_out: float = 0.2

    def checked(self) -> TrainOptions:
        """The same, when every value is in its bounds.

        Raises:
            QueryError: When one is not.
        """
        if self.objective not in get_args(Objective):
            raise QueryError(
                f"objective is one of {', '.join(get_args(Objective))}.", pointer="/objective"
            )
        for field in fields(self):
            if field.name in _BOUNDS:
                low, high = _BOUNDS[field.name]
                if not low <= getattr(self, field.name) <= high:
                    raise QueryError(
                        f"{field.name} is {low:g} to {high:g}.", pointer=f"/{field.name}"
                    )
        return self


_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "epochs": (1, 100),
    "learning_rate": (1e-9, 1e-2),
    "batch": (2, 4096),
    "minutes": (0, _MOST),
    "steps": (0, _MOST),
    "seed": (0, 2**32 - 1),
    "share": (0.01, 1),
    "query_tokens": (8, 512),
    "passage_tokens": (8, 512),
    "negatives": (0, 64),
    "anchors": (0, 1024),
    "mini_batch": (1, 4096),
    "held_out": (0.05, 0.5),
}


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """How far a training is.

    Attributes:
        stage: ``read``, ``embed``, ``train``, ``export`` or ``compare``.
        done: Examples, passages or steps, by the stage.
        total: Of how many.
        loss: Mean over the latest steps, None before there is one.
        seconds_left: Of the stage, at the pace so far; None before there is one.
    """

    stage: Stage
    done: int
    total: int
    loss: float | None = None
    seconds_left: float | None = None


TrainWatcher = Callable[[TrainProgress], None]
