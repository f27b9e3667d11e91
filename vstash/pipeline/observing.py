"""Whether a file and its model can be used, and what to watch of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from vstash.errors import MisuseError, ModelError, VstashError
from vstash.pipeline.placing import doubts
from vstash.reports import Gauges, Health
from vstash.store.beside import log_bytes
from vstash.store.folders import free_bytes

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.learn.recorder import Recorder
    from vstash.pipeline.backups import Backups
    from vstash.pipeline.record import Logged
    from vstash.pipeline.schedule import BackgroundBackups
    from vstash.store.protocol import Store

__all__ = ["Observing"]

# A write of one document, its log and the file's growth fit into this.
_LEAST_FREE_BYTES: Final = 16 * 2**20
_PENDING: Final = (
    "forget_pending: a forgetting was cut short, and the file still holds what documents left that are "
    "gone; `vstash compact` finishes it"
)
# Any text that every tokenizer reads.
_PROBE: Final = "ready"


class Observing:
    """Looks after a file and its model.

    Args:
        store: The file.
        embedder: Its model.
        recorder: Of the disagreement log.
        backups: Of the file.
        backing_up: Those that are made by themselves.
    """

    def __init__(
        self,
        store: Store,
        embedder: Embedder,
        recorder: Recorder[Logged],
        backups: Backups,
        backing_up: BackgroundBackups,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._recorder = recorder
        self._backups = backups
        self._backing_up = backing_up

    def health(self) -> Health:
        """Try it; see `Memory.health`."""
        try:
            with self._store.read() as reader:
                pending = reader.leftovers.pending
        except VstashError as error:
            return Health("unavailable", (f"{error.code}: {error.message}",))
        reasons = (
            *self._disk(),
            *doubts(self._store.path),
            *self._model(),
            *self._backup(),
            *((_PENDING,) if pending else ()),
        )
        return Health("degraded" if reasons else "ready", reasons)

    def gauges(self) -> Gauges:
        """Read counters; see `Memory.gauges`."""
        with self._store.read() as reader:
            found = reader.gauges()
            chunks, awaiting = reader.chunk_count, reader.awaiting_count
        return Gauges(
            documents=found.documents,
            chunks=chunks,
            awaiting=awaiting,
            disagreement=found.disagreement,
            log_dropped=self._recorder.dropped,
            jobs_open=found.jobs_open,
            file_bytes=found.file_bytes,
            wal_bytes=log_bytes(self._store.path),
            free_bytes=free_bytes(self._store.path.parent),
            backup_age_s=self._backups.age_s(),
        )

    def _disk(self) -> tuple[str, ...]:
        if self._store.immutable or not os.access(self._store.path, os.W_OK):
            return ("read_only: the file or its folder cannot be written; nothing can be stored",)
        free = free_bytes(self._store.path.parent)
        if free is not None and free < _LEAST_FREE_BYTES:
            return (
                f"disk_full: {free / 2**20:.0f} MiB are left where the file is; writes will fail",
            )
        return ()

    def _model(self) -> tuple[str, ...]:
        try:
            self._embedder.embed_queries([_PROBE])
        except (ModelError, MisuseError) as error:
            return (f"{error.code}: {error.message} Searches are answered from keywords alone.",)
        except Exception as error:  # noqa: BLE001 - an embedder of the user's may raise anything
            return (f"model_error: the embedding model fails with {type(error).__name__}",)
        return ()

    def _backup(self) -> tuple[str, ...]:
        problem = self._backing_up.problem
        if problem is None:
            return ()
        return (f"backup_failed: the last scheduled backup was not made: {problem.message}",)
