"""Opening a file and its model, and following the file where another model becomes the active one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vstash.embed.catalogue import model_name, named_model, open_model
from vstash.errors import FieldError, ModelError, ModelMissingError, VstashError
from vstash.pipeline.agreeing import agree, require_same_model
from vstash.pipeline.assembly import Engine, assembled, shared_parts
from vstash.pipeline.migrating import copy_before_migration
from vstash.pipeline.placing import require_local
from vstash.pipeline.unopened import UnopenedModel
from vstash.settings import checked_settings, load_settings
from vstash.store.models import Served
from vstash.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.types import ModelInfo

__all__ = ["Engine", "Engines", "absolute", "open_engine", "open_engines"]


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


class Engines:
    """The engine of an open file, which is another one once another model is the active one.

    Args:
        store: The file.
        embedder: Its active model.
        served: Which one it is in the file.
        settings: In force.
        clock: Microseconds since the epoch, None for the system's.
    """

    def __init__(
        self,
        store: Store,
        embedder: Embedder,
        served: Served,
        settings: Settings,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._lock = threading.Lock()
        self._opened = {embedder.info.sha256: embedder}
        self._shared = shared_parts(
            store,
            settings,
            clock or wall_clock,
            steady(wall_clock) if clock is None else clock,
            current=self.current,
            found=self.found,
            opened=self.opened,
            left=self._embed_left,
        )
        self.latest = assembled(self._shared, embedder, served)

    def current(self) -> Engine:
        """The engine for the file's active model, whoever made it that."""
        engine = self.latest
        try:
            with self._store.read() as reader:
                served = reader.served
        except VstashError:
            # Whatever is wrong with the file, who asked is about to meet it.
            return engine
        unopened = isinstance(engine.embedder, UnopenedModel)
        if served is None or (served == engine.served and not unopened):
            return engine
        return self._followed()

    def _followed(self) -> Engine:
        with self._lock:
            with self._store.read() as reader:
                known = reader.model
            if known is None:
                return self.latest
            number, info = known
            served = Served(number, info.sha256)
            embedder: Embedder
            try:
                embedder = self.found(info)
            except ModelError as error:
                # Documents and keywords need no model; what does says what is missing.
                embedder = UnopenedModel(info, error)
            if served != self.latest.served or not isinstance(embedder, UnopenedModel):
                self.latest = assembled(self._shared, embedder, served)
            return self.latest

    def found(self, info: ModelInfo) -> Embedder:
        """Open a model by what a file says of it.

        Raises:
            ModelMissingError: When it is not on this machine.
            ModelInvalidError: When its files are not complete and sound.
        """
        if info.sha256 not in self._opened:
            self._opened[info.sha256] = opened_by(info, self._settings)
        return self._opened[info.sha256]

    def opened(self, model: str | os.PathLike[str] | Embedder) -> Embedder:
        """Open a model that a caller names, and know it from then on.

        Args:
            model: A name, which is never taken for a path; the path of a model folder; or an embedder.

        Raises:
            ModelNotFoundError: When there is no model of this name.
            ModelInvalidError: When its files are not complete and sound.
        """
        folder, threads = self._settings.models_path(), self._settings.threads
        embedder: Embedder
        if isinstance(model, str):
            embedder = named_model(model, folder, threads=threads)
        elif isinstance(model, os.PathLike):
            embedder = open_model(str(absolute(Path(model))), threads=threads)
        else:
            embedder = model
        return self._opened.setdefault(embedder.info.sha256, embedder)

    def _embed_left(self, chunks: Sequence[int]) -> None:
        # They wait in the queue: where it fails, whoever embeds next finds them.
        with suppress(VstashError):
            self.current().embedding.embed_chunks(chunks)


def opened_by(info: ModelInfo, settings: Settings) -> Embedder:
    """Open the model of a file, as it is installed on this machine.

    Raises:
        ModelMissingError: When it is not.
    """
    folder = settings.models_path()
    name = model_name(info.sha256, info.dimension, folder)
    if name is None:
        raise ModelMissingError(
            f"The file is searched with the model {info.name} ({info.dimension} dimensions, sha256 "
            f"{info.sha256[:12]}), which is not installed here: `vstash model add` installs it from its "
            "folder.",
        )
    return open_model(name, models=folder, threads=settings.threads)


def open_engines(
    path: Path | None,
    *,
    model: str | Embedder | None = None,
    warmed: Embedder | None = None,
    settings: Settings | None = None,
    create: bool = True,
    clock: Callable[[], int] | None = None,
    crash_point: Callable[[str], None] | None = None,
) -> Engines:
    """Open a file with everything that `Memory` needs.

    Args:
        path: The file, None for the setting.
        model: Name, folder or embedder, None for the setting; where that is empty, the file's.
        warmed: The packaged model, where it is about to be loaded already.
        settings: None reads them.
        create: Make the file when it is missing.
        clock: Microseconds since the epoch, None for the system's; tests turn it.
        crash_point: For fault tests: called by name between the steps of a write.

    Raises:
        StoreError: When the file cannot be used.
        ModelError: When the model cannot be used or is another than the file's.
    """
    settings = load_settings() if settings is None else checked_settings(settings)
    chosen = (settings.model or None) if model in {None, ""} else model
    embedder = _opened(chosen, settings)
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
        embedder = embedder or _of_file(store, settings, warmed)
        served = agree(store, embedder.info)
    except BaseException:
        store.close()
        raise
    return Engines(store, embedder, served, settings, clock)


def open_engine(
    path: Path | None,
    *,
    model: str | Embedder | None = None,
    settings: Settings | None = None,
    create: bool = True,
    clock: Callable[[], int] | None = None,
    crash_point: Callable[[str], None] | None = None,
) -> Engine:
    """Open a file as by `open_engines`, for as long as its active model stays that."""
    return open_engines(
        path, model=model, settings=settings, create=create, clock=clock, crash_point=crash_point
    ).latest


def _opened(chosen: str | Embedder | None, settings: Settings) -> Embedder | None:
    if isinstance(chosen, str):
        return open_model(chosen, models=settings.models_path(), threads=settings.threads)
    return chosen


def _of_file(store: Store, settings: Settings, warmed: Embedder | None) -> Embedder:
    """The file's active model, or the packaged one for a file without any."""
    with store.read() as reader:
        known = reader.model
    packaged = warmed or open_model(threads=settings.threads)
    if known is None or known[1].sha256 == packaged.info.sha256:
        return packaged
    try:
        return opened_by(known[1], settings)
    except ModelMissingError:
        require_same_model(store, known[1], packaged.info)
        raise


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
