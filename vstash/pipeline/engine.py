"""Opening a file and its model, and holding the parts together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vstash.embed.catalogue import open_model
from vstash.errors import FieldError, MisuseError, ModelMismatchError, StoreError
from vstash.learn.recorder import Recorder
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
from vstash.pipeline.migrating import (
    copy_before_migration,
    derive_outdated,
    outdated_indexes,
)
from vstash.pipeline.misses import Misses
from vstash.pipeline.observing import Observing
from vstash.pipeline.once import Once
from vstash.pipeline.placing import require_local
from vstash.pipeline.ready import Readying
from vstash.pipeline.record import Logged, search_row
from vstash.pipeline.removing import Removing
from vstash.pipeline.repairing import Repairing
from vstash.pipeline.report import Reporting
from vstash.pipeline.restoring import Restoring
from vstash.pipeline.schedule import BackgroundBackups, Schedule
from vstash.pipeline.search import Searching
from vstash.pipeline.upkeep import Upkeep
from vstash.pipeline.write import Writing
from vstash.settings import checked_settings, load_settings
from vstash.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.types import ModelInfo

__all__ = ["Engine", "absolute", "open_engine"]

# A search must never wait for its own log.
_LOG_PATIENCE_S = 0.05
_DAY_US = 86_400_000_000


def wall_clock() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def steady(clock: Callable[[], int]) -> Callable[[], int]:
    """A clock for what is forgotten by age: where the given one jumps forward, it does not.

    Args:
        clock: Microseconds since the epoch.
    """
    ahead = clock() - time.monotonic_ns() // 1000
    return lambda: min(clock(), time.monotonic_ns() // 1000 + ahead)


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts under one `Memory`."""

    store: Store
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
    observing: Observing
    judging: Judging
    calibrating: Calibrating
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

    def close(self) -> None:
        """Write what the log holds back and release the file."""
        self.backing_up.close()
        self.jobs.runner.close()
        self.background.close()
        self.recorder.close()
        self.store.close()


def open_engine(
    path: Path | None,
    *,
    model: str | Embedder | None = None,
    settings: Settings | None = None,
    create: bool = True,
    clock: Callable[[], int] | None = None,
    crash_point: Callable[[str], None] | None = None,
) -> Engine:
    """Open a file with everything that `Memory` needs.

    Args:
        path: The file, None for the setting.
        model: Name, folder or embedder, None for the setting.
        settings: None reads them.
        create: Make the file when it is missing.
        clock: Microseconds since the epoch, None for the system's; tests turn it.
        crash_point: For fault tests: called by name between the steps of a write.

    Raises:
        StoreError: When the file cannot be used.
        ModelError: When the model cannot be used or is another than the file's.
    """
    settings = load_settings() if settings is None else checked_settings(settings)
    chosen = settings.model if model is None else model
    embedder = open_model(chosen, threads=settings.threads) if isinstance(chosen, str) else chosen
    target = settings.db_path() if path is None else absolute(path)
    require_local(target, settings)
    store = SqliteStore(
        target,
        create=create,
        durability=settings.durability,
        busy_timeout_s=settings.busy_timeout_s,
        before_migration=partial(copy_before_migration, settings=settings),
        **({} if crash_point is None else {"crash_point": crash_point}),
    )
    try:
        model_number = _agree(store, embedder.info)
    except BaseException:
        store.close()
        raise
    aging = steady(wall_clock) if clock is None else clock
    return _assembled(store, embedder, model_number, settings, clock or wall_clock, aging)


def _assembled(
    store: Store,
    embedder: Embedder,
    model_number: int,
    settings: Settings,
    clock: Callable[[], int],
    aging: Callable[[], int],
) -> Engine:
    recorder = Recorder(_log_writer(store, settings, aging))
    agree = partial(_agree, info=embedder.info)
    backups, schedule, backing_up = _backups(store, settings, clock)
    readying = Readying(store, embedder, model_number, settings)
    writing = Writing(store, readying, settings, clock)
    embedding = Embedding(store, readying)
    background = BackgroundEmbedding(embedding)
    ingesting = Ingesting(store, writing, settings)
    searching = Searching(store, embedder, model_number, settings, recorder.record, clock)
    upkeep = _upkeep(store, readying, recorder, embedding, backups, clock)
    return Engine(
        store=store,
        settings=settings,
        recorder=recorder,
        documents=Documents(store, clock),
        writing=writing,
        removing=Removing(store, recorder, clock),
        forgetting=Forgetting(store, recorder, backups),
        bulk=Bulk(writing, embedder, settings),
        ingesting=ingesting,
        embedding=embedding,
        background=background,
        searching=searching,
        contexts=Contexts(store, searching, embedder, settings),
        misses=Misses(store, searching, model_number, embedder.info.dimension, settings, clock),
        reporting=Reporting(store, embedder.info, settings, recorder),
        observing=Observing(store, embedder, recorder, backups, backing_up),
        judging=Judging(store, recorder, clock),
        calibrating=Calibrating(store, searching, embedder.info, model_number, settings, clock),
        once=Once(store, aging),
        keys=Keys(store, clock),
        exporting=Exporting(store, embedder.info, model_number, clock),
        importing=Importing(store, readying, embedder.info, settings, clock),
        jobs=Jobs(store, JobRunner(store, ingesting, upkeep, background, clock), clock),
        backups=backups,
        schedule=schedule,
        backing_up=backing_up,
        restoring=Restoring(store, backups, recorder, model_number, agree),
        upkeep=upkeep,
    )


def _upkeep(
    store: Store,
    readying: Readying,
    recorder: Recorder[Logged],
    embedding: Embedding,
    backups: Backups,
    clock: Callable[[], int],
) -> Upkeep:
    checking = Checking(store, derivation(readying), recorder)
    repairing = Repairing(store, checking, embedding, backups, clock)
    return Upkeep(checking, repairing, backups, Compacting(store, recorder, clock))


def _backups(
    store: Store, settings: Settings, clock: Callable[[], int]
) -> tuple[Backups, Schedule, BackgroundBackups]:
    backups = Backups(store, settings, clock)
    schedule = Schedule(store, backups, clock)
    return backups, schedule, BackgroundBackups(schedule, settings)


def absolute(path: Path) -> Path:
    """A path that does not depend on the working folder.

    Raises:
        FieldError: When it names a home that there is not.
    """
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise FieldError(
            "The path names the home of a user who does not exist.", local_detail=str(path)
        ) from error


def _agree(store: Store, info: ModelInfo) -> int:
    """Bring what is derived to this version's rules and settle the file's model; returns its number."""
    with store.read() as reader:
        known = reader.model
        outdated = outdated_indexes(reader.normaliser, reader.coder, of=store.path)
    _require_same_model(store, known, info)
    # Without codes sqlite-vec searches; without words of these rules nothing is found.
    if known is not None and (not outdated or (store.immutable and outdated == ("codes",))):
        return known[0]
    with store.write() as writer:
        # Another process may have been faster.
        known = writer.model or (writer.use_model(info), info)
        derive_outdated(writer)
    _require_same_model(store, known, info)
    return known[0]


def _require_same_model(store: Store, known: tuple[int, ModelInfo] | None, info: ModelInfo) -> None:
    if known is None:
        return
    theirs = known[1]
    if (theirs.sha256, theirs.dimension) != (info.sha256, info.dimension):
        raise ModelMismatchError(
            f"The file was written with the model {theirs.name} ({theirs.dimension} dimensions, "
            f"sha256 {theirs.sha256[:12]}), not with {info.name} ({info.dimension} dimensions, "
            f"sha256 {info.sha256[:12]}). Open it with {theirs.name}, or use another file for "
            f"{info.name}.",
            local_detail=str(store.path),
        )


def _log_writer(
    store: Store, settings: Settings, aging: Callable[[], int]
) -> Callable[[Sequence[Logged]], int]:
    keep_us = settings.log_max_days * _DAY_US

    def write(several: Sequence[Logged]) -> int:
        oldest = aging() - keep_us
        try:
            with store.read() as reader:
                compared = [logged.candidates.ids[logged.compared()] for logged in several]
                owners = reader.owners(np.unique(np.concatenate(compared)))
                rows = [search_row(logged, owners) for logged in several]
            with store.write(timeout_s=_LOG_PATIENCE_S) as writer:
                for row in rows:
                    writer.log(row)
                writer.trim_log(keep_rows=settings.log_max_rows, oldest=oldest)
        except (StoreError, MisuseError):
            # A log that cannot be written must not disturb a search: it is counted instead.
            return 0
        return len(rows)

    return write
