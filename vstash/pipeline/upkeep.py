"""Work on the whole file that a job can do: each task, and how its progress is told in steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vstash.jobs import UpkeepRequest, UpkeepTask
from vstash.upkeep import CheckLevel

if TYPE_CHECKING:
    from vstash.pipeline.backups import Backups
    from vstash.pipeline.checking import Checking
    from vstash.pipeline.compacting import Compacting
    from vstash.pipeline.learning import Learning
    from vstash.pipeline.repairing import Repairing
    from vstash.pipeline.switching import Switching

__all__ = ["Step", "Upkeep"]

# Called with the steps that are done, and how many there will be.
Step = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The parts that keep a file in order."""

    checking: Checking
    repairing: Repairing
    backups: Backups
    compacting: Compacting
    switching: Switching
    learning: Learning

    def run(self, task: UpkeepTask, request: UpkeepRequest, step: Step) -> object:
        """Do one task.

        Args:
            task: Which.
            request: Its options.
            step: Told of every step; what it raises ends the task.

        Returns:
            What the method of `Memory` with this name returns.
        """
        step(0, 0)
        if task == "check":
            level: CheckLevel = "quick" if request.quick else "full"
            return self.checking.check(
                level=level, progress=lambda told: step(told.done, told.total)
            )
        if task == "repair":
            return self.repairing.repair(
                accept_content=False, progress=lambda told: step(told.done, told.total)
            )
        if task == "backup":
            return self.backups.make(None, progress=lambda told: step(told.done, told.pages))
        if task == "reindex":
            assert request.model is not None  # noqa: S101 - it was asked for when it was queued
            return self.switching.reindex(
                request.model, progress=lambda told: step(told.done, told.chunks)
            )
        if task == "learn":
            return self.learning.learn(
                request.collection,
                learner="all",
                seed=0,
                budget_s=None,
                promote=True,
                progress=lambda told: step(told.done, told.total),
            )
        return self.compacting.compact(full=request.full, progress=lambda told: step(told.steps, 0))
