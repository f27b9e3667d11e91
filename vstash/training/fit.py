"""The steps of a training: batches, losses, the learning rate, the budget of time, and checkpoints.

PyTorch is imported with this module: only who trains imports it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import torch

from vstash.training.encoder import Encoder
from vstash.training.options import TrainOptions, TrainProgress, TrainWatcher

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["Fitted", "Objective", "fit"]

_WARM_UP: Final = 0.1
_DECAY: Final = 0.01
_LONGEST_GRADIENT: Final = 1.0
# Batches whose queries are sorted by length together, so that little is padded.
_SORTED: Final = 16
_MEASURED: Final = 8
_CHECKPOINT_S: Final = 60.0
_TOLD: Final = 20


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a training gave.

    Attributes:
        weights: Of the trained model, float32.
        steps: That were taken.
        planned: That all epochs would have taken.
        seconds: Wall time of this call's steps.
        losses: Mean loss of each tenth of the steps.
        peak_bytes: Most memory that the process, or the GPU, held.
        device: Where it ran and in what precision.
    """

    weights: Mapping[str, FloatArray]
    steps: int
    planned: int
    seconds: float
    losses: tuple[float, ...]
    peak_bytes: int | None
    device: str


class Objective(Protocol):
    """What a step minimises."""

    @property
    def lengths(self) -> Sequence[int]:
        """Of every example, by which batches are sorted."""

    def loss(self, places: Sequence[int], step: int) -> Any:
        """Of the examples at these places, ready for ``backward``."""


def fit(
    encoder: Encoder,
    objective: Objective,
    options: TrainOptions,
    *,
    budget_s: float | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    progress: TrainWatcher | None = None,
) -> Fitted:
    """Train a model.

    Args:
        encoder: The model; it is trained in place.
        objective: What to minimise.
        options: How.
        budget_s: Leave steps out so that it ends within so many seconds; None for no limit.
        checkpoint: Where to keep what a later call needs to go on, every minute.
        resume: Go on from there.
        progress: Called every 20 steps; what it raises ends the training, and a checkpoint is kept.
    """
    run = _Run(encoder, objective, options, checkpoint, budget_s)
    if resume:
        run.restore()
    started = time.monotonic()
    try:
        run.train(started, progress)
    finally:
        run.save()
    return Fitted(
        encoder.weights(),
        steps=run.step,
        planned=run.planned,
        seconds=time.monotonic() - started,
        losses=tuple(float(np.mean(part)) for part in np.array_split(run.losses, 10) if len(part)),
        peak_bytes=_peak(encoder.device),
        device=f"{encoder.device.type}, {encoder.precision}",
    )


class _Run:
    """A training under way."""

    def __init__(
        self,
        encoder: Encoder,
        objective: Objective,
        options: TrainOptions,
        checkpoint: Path | None,
        budget_s: float | None,
    ) -> None:
        self._encoder = encoder
        self._objective = objective
        self._options = options
        self._checkpoint = checkpoint
        self._budget_s = None if options.steps else budget_s
        self._parameters = [each for each in encoder.model.parameters() if each.requires_grad]
        self._optimizer = torch.optim.AdamW(
            self._parameters, lr=options.learning_rate, weight_decay=_DECAY, fused=True
        )
        self._scaler = torch.amp.GradScaler(
            encoder.device.type, enabled=encoder.precision == "float16"
        )
        per_epoch = max(len(objective.lengths) // options.batch, 1)
        self.planned = options.steps or per_epoch * options.epochs
        self.total = self.planned
        self.step = 0
        self.losses: list[float] = []

    def train(self, started: float, progress: TrainWatcher | None) -> None:
        first = self.step
        saved = started
        for places in self._batches():
            self._take(places)
            now = time.monotonic()
            if self.step - first == _MEASURED and self._budget_s is not None:
                self._fit_into(self._budget_s, now - started)
            if now - saved > _CHECKPOINT_S:
                self.save()
                saved = now
            if progress is not None and (self.step % _TOLD == 0 or self.step == self.total):
                pace = (now - started) / (self.step - first)
                left = (self.total - self.step) * pace
                loss = float(np.mean(self.losses[-_TOLD:]))
                progress(TrainProgress("train", self.step, self.total, loss, left))

    def _take(self, places: Sequence[int]) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self._options.learning_rate * self._share()
        loss = self._scaler.scale(self._objective.loss(places, self.step))
        loss.backward()
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self._parameters, _LONGEST_GRADIENT)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad(set_to_none=True)
        self.losses.append(float(loss.detach()) / self._scaler.get_scale())
        self.step += 1

    def _share(self) -> float:
        """Of the learning rate at this step: up over the first tenth, then down to nothing."""
        warm = max(math.ceil(self.total * _WARM_UP), 1)
        up = (self.step + 1) / warm
        down = (self.total - self.step) / max(self.total - warm, 1)
        return max(min(up, down, 1.0), 0.0)

    def _fit_into(self, budget_s: float, spent_s: float) -> None:
        """Leave steps out so that the budget is kept at the pace of the first ones."""
        room = int((budget_s - spent_s) / (spent_s / _MEASURED))
        self.total = min(self.planned, self.step + max(room, 1))

    def _batches(self) -> Iterator[Sequence[int]]:
        """The places of each step from this one on; the same ones whenever a run goes on."""
        lengths, size = (
            self._objective.lengths,
            min(self._options.batch, len(self._objective.lengths)),
        )
        per_epoch = max(len(lengths) // size, 1)
        while self.step < self.total:
            epoch, within = divmod(self.step, per_epoch)
            generator = np.random.default_rng([self._options.seed, epoch])
            drawn = generator.permutation(len(lengths)).tolist()
            pool = size * _SORTED
            ordered = [
                place
                for start in range(0, len(drawn), pool)
                for place in sorted(drawn[start : start + pool], key=lengths.__getitem__)
            ]
            starts = generator.permutation(per_epoch)[within:]
            for start in starts.tolist():
                if self.step >= self.total:
                    return
                yield ordered[start * size : (start + 1) * size]

    def save(self) -> None:
        """Keep everything that going on needs; whole or not at all."""
        if self._checkpoint is None:
            return
        part = self._checkpoint.with_suffix(".part")
        state = {
            "model": self._encoder.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "step": self.step,
            "total": self.total,
            "losses": self.losses,
        }
        torch.save(state, part)
        part.replace(self._checkpoint)

    def restore(self) -> None:
        """Go on from a checkpoint, where there is one."""
        if self._checkpoint is None or not self._checkpoint.is_file():
            return
        state = torch.load(self._checkpoint, map_location=self._encoder.device, weights_only=True)
        self._encoder.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])
        self.step, self.total, self.losses = state["step"], state["total"], state["losses"]


def _peak(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    # Linux counts kilobytes, macOS bytes.
    import sys  # noqa: PLC0415 - for this line alone

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
