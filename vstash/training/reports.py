"""What a training tells when it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vstash.evaluation.bootstrap import Interval
from vstash.training.options import TrainOptions

__all__ = ["Measured", "TrainReport"]


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric before and after a training, over the same queries.

    Attributes:
        base: Mean of the model before.
        tuned: Mean of the model after.
        difference: With the ends of its 95 % interval, by the paired bootstrap.
        queries: How many.
    """

    base: float
    tuned: float
    difference: Interval
    queries: int


@dataclass(frozen=True, slots=True)
class TrainReport:
    """A trained model, and whether it is better; the same stands in decision.json beside it.

    Attributes:
        name: Of the model.
        folder: Where it lies.
        sha256: Of the model, as vstash names it in files.
        base: Name of the model before.
        base_sha256: Of that one.
        data_sha256: Of the examples, in order.
        options: How it was trained.
        examples: That it learnt from.
        held_out: That it was judged by.
        evidence: ``known`` where the held-out answers were known beforehand, ``log`` where they follow from the
            disagreements, as what was learnt does: then the difference says less.
        steps: That were taken.
        planned: That all epochs would have taken.
        losses: Mean loss of each tenth of the steps.
        seconds: Of the steps.
        peak_bytes: Most memory that was held, None where nobody can tell.
        device: Where it ran and in what precision.
        cosine: Mean cosine of the int8 model's vectors with the float model's, of queries or of passages, the
            lower one.
        own: nDCG@10 and MRR@10 on the held-out examples.
        general: The same on a fixed set of general questions, against forgetting.
        recommended: Whether the model is worth installing.
        reason: Why, or why not.
    """

    name: str
    folder: str
    sha256: str
    base: str
    base_sha256: str
    data_sha256: str
    options: TrainOptions
    examples: int
    held_out: int
    evidence: str
    steps: int
    planned: int
    losses: tuple[float, ...]
    seconds: float
    peak_bytes: int | None
    device: str
    cosine: float
    own: Mapping[str, Measured]
    general: Mapping[str, Measured]
    recommended: bool
    reason: str
