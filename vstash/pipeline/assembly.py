"""The parts under one `Memory`, put together around a file and its active model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vstash.learn.recorder import Recorder
from vstash.pipeline.automatic import BackgroundLearning
from vstash.pipeline.backups import Backups
from vstash.pipeline.bulk import Bulk
from vstash.pipeline.calibrating import Calibrating
from vstash.pipeline.checking import Checking, derivation
from vstash.pipeline.compacting import Compacting
from vstash.pipeline.context import Contexts
from vstash.pipeline.documents import Documents
from vstash.pipeline.embedding import BackgroundEmbedding, Embedding
from vstash.pipeline.exporting import Exporting
from vstash.pipeline.forgetting import Forgetting
from vstash.pipeline.importing import Importing
from vstash.pipeline.ingest import Ingesting
from vstash.pipeline.job_runner import JobRunner
from vstash.pipeline.jobs import Jobs
from vstash.pipeline.judging import Judging
from vstash.pipeline.keys import Keys
from vstash.pipeline.labelling import Labelling
from vstash.pipeline.learn_report import LearnReporting
from vstash.pipeline.learning import Learning
from vstash.pipeline.log_report import LogReporting
from vstash.pipeline.logging import LogWriter
from vstash.pipeline.mining import Mining
from vstash.pipeline.misses import Misses
from vstash.pipeline.observing import Observing
from vstash.pipeline.once import Once
from vstash.pipeline.ready import Readying
from vstash.pipeline.record import Logged
from vstash.pipeline.removing import Removing
from vstash.pipeline.repairing import Repairing
from vstash.pipeline.report import Reporting
from vstash.pipeline.restoring import Restoring
from vstash.pipeline.schedule import BackgroundBackups, Schedule
from vstash.pipeline.search import Searching
from vstash.pipeline.switching import Switching
from vstash.pipeline.teaching import Teaching
from vstash.pipeline.upkeep import Upkeep
from vstash.pipeline.write import Writing

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.pipeline.switching import Named
    from vstash.settings import Settings
    from vstash.store.models import Served
    from vstash.store.protocol import Store
    from vstash.types import ModelInfo

__all__ = ["Engine", "Shared", "assembled", "shared_parts"]


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts under one `Memory`."""

    store: Store
    embedder: Embedder
    served: Served
    settings: Settings
    recorder: Recorder[Logged]
    documents: Documents
    writing: Writing
    removing: Removing
    forgetting: Forgetting
    bulk: Bulk
    ingesting: Ingesting
    embedding: Embedding
    background: BackgroundEmbedding
    searching: Searching
    contexts: Contexts
    misses: Misses
    reporting: Reporting
    log_reporting: LogReporting
    learn_reporting: LearnReporting
    observing: Observing
    judging: Judging
    calibrating: Calibrating
    mining: Mining
    labelling: Labelling
    once: Once
    keys: Keys
    exporting: Exporting
    importing: Importing
    jobs: Jobs
    backups: Backups
    schedule: Schedule
    backing_up: BackgroundBackups
    restoring: Restoring
    upkeep: Upkeep
    switching: Switching
    learning: Learning
    background_learning: BackgroundLearning

    def close(self) -> None:
        """Write what the log holds back and release the file."""
        self.background_learning.close()
        self.backing_up.close()
        self.jobs.runner.close()
        self.background.close()
        self.recorder.close()
        self.store.close()


@dataclass(frozen=True, slots=True)
class Shared:
    """What stays when another model becomes the active one.

    Attributes:
        current: The engine as the file's active model has it now.
        found: Opens a model by what a file says of it, or refuses.
        opened: Opens a model that a caller names, or refuses.
        left: Embeds chunks that were written for a model that is not the active one any more.
    """

    store: Store
    settings: Settings
    clock: Callable[[], int]
    recorder: Recorder[Logged]
    once: Once
    background: BackgroundEmbedding
    jobs: Jobs
    backups: Backups
    schedule: Schedule
    backing_up: BackgroundBackups
    background_learning: BackgroundLearning
    current: Callable[[], Engine]
    found: Callable[[ModelInfo], Embedder]
    opened: Callable[[Named], Embedder]
    left: Callable[[Sequence[int]], None]


def shared_parts(
    store: Store,
    settings: Settings,
    clock: Callable[[], int],
    aging: Callable[[], int],
    *,
    current: Callable[[], Engine],
    found: Callable[[ModelInfo], Embedder],
    opened: Callable[[Named], Embedder],
    left: Callable[[Sequence[int]], None],
) -> Shared:
    """Make what every engine of a file shares.

    Args:
        store: The file.
        settings: In force.
        clock: Microseconds since the epoch.
        aging: The same, for what is forgotten by age.
        current: As in `Shared`, and so the rest.
        found: As there.
        opened: As there.
        left: As there.
    """
    backups = Backups(store, settings, clock)
    schedule = Schedule(store, backups, clock)
    background = BackgroundEmbedding(lambda: current().embedding)
    runner = JobRunner(
        store, lambda: current().ingesting, lambda: current().upkeep, background, clock
    )
    return Shared(
        store=store,
        settings=settings,
        clock=clock,
        recorder=Recorder(LogWriter(store, settings, aging).write),
        once=Once(store, aging),
        background=background,
        jobs=Jobs(store, runner, clock, opened),
        backups=backups,
        schedule=schedule,
        backing_up=BackgroundBackups(schedule, settings),
        background_learning=BackgroundLearning(store, current, settings, clock),
        current=current,
        found=found,
        opened=opened,
        left=left,
    )


def assembled(shared: Shared, embedder: Embedder, served: Served) -> Engine:
    """Put the parts together for a model.

    Args:
        shared: What they have in common with those for other models.
        embedder: The model.
        served: Which one it is in the file.
    """
    store, settings, clock = shared.store, shared.settings, shared.clock
    recorder, number, info = shared.recorder, served.number, embedder.info
    readying = Readying(store, embedder, served, settings)
    writing = Writing(store, readying, settings, clock, shared.left)
    embedding = Embedding(store, readying)
    searching = Searching(store, embedder, number, settings, recorder.record, clock)
    switching = Switching(store, settings, shared.found, shared.opened, shared.current)
    teaching = Teaching(store, searching, embedder, settings)
    learning = Learning(store, teaching, served, info.name, info.dimension, clock)
    return Engine(
        store=store,
        embedder=embedder,
        served=served,
        settings=settings,
        recorder=recorder,
        documents=Documents(store, clock),
        writing=writing,
        removing=Removing(store, recorder, clock),
        forgetting=Forgetting(store, recorder, shared.backups),
        bulk=Bulk(writing, embedder, settings),
        ingesting=Ingesting(store, writing, settings),
        embedding=embedding,
        background=shared.background,
        searching=searching,
        contexts=Contexts(store, searching, embedder, settings),
        misses=Misses(store, searching, number, info.dimension, settings, clock),
        reporting=Reporting(store, info, settings, recorder, clock),
        log_reporting=LogReporting(store, recorder, clock),
        learn_reporting=LearnReporting(store, info, recorder, clock),
        observing=Observing(store, embedder, recorder, shared.backups, shared.backing_up),
        judging=Judging(store, recorder, clock),
        calibrating=Calibrating(store, searching, info, number, settings, clock),
        mining=Mining(store, searching, embedder, settings, clock),
        labelling=Labelling(store, searching, embedder, settings, clock),
        once=shared.once,
        keys=Keys(store, clock),
        exporting=Exporting(store, info, number, clock),
        importing=Importing(store, readying, info, settings, clock, shared.left),
        jobs=shared.jobs,
        backups=shared.backups,
        schedule=shared.schedule,
        backing_up=shared.backing_up,
        restoring=Restoring(store, shared.backups, recorder, info, shared.found),
        upkeep=_upkeep(shared, readying, embedding, switching, learning),
        switching=switching,
        learning=learning,
        background_learning=shared.background_learning,
    )


def _upkeep(
    shared: Shared,
    readying: Readying,
    embedding: Embedding,
    switching: Switching,
    learning: Learning,
) -> Upkeep:
    store, recorder, clock = shared.store, shared.recorder, shared.clock
    checking = Checking(store, derivation(readying), recorder)
    repairing = Repairing(store, checking, embedding, shared.backups, clock)
    compacting = Compacting(store, recorder, clock)
    return Upkeep(checking, repairing, shared.backups, compacting, switching, learning)
