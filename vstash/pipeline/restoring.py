"""Bringing a backup back, into a file that is in use or to where no file can be used."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from vstash.errors import (
    FieldError,
    ModelMissingError,
    OverwriteError,
    PathNotFoundError,
    StoreCorruptError,
)
from vstash.pipeline.agreeing import agree, require_same_model
from vstash.pipeline.backups import Backups, backup_folder, found_backup, in_pages
from vstash.store.backup import read_out
from vstash.store.replacing import put_in_place
from vstash.store.sqlite import SqliteStore
from vstash.store.temporary import temporary
from vstash.upkeep import BackupProgressCallback, RestoreReport

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.learn.recorder import Recorder
    from vstash.pipeline.record import Logged
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.types import ModelInfo

__all__ = ["Restoring", "checked_copy", "found_source", "replace_file"]


class Restoring:
    """Brings backups back into an open file.

    Args:
        store: The file.
        backups: Of the file.
        recorder: Of the log.
        info: The file's model.
        found: Opens a model by what a file says of it, or refuses.
    """

    def __init__(
        self,
        store: Store,
        backups: Backups,
        recorder: Recorder[Logged],
        info: ModelInfo,
        found: Callable[[ModelInfo], Embedder],
    ) -> None:
        self._store = store
        self._backups = backups
        self._recorder = recorder
        self._info = info
        self._found = found

    def restore(
        self,
        source: str | os.PathLike[str],
        *,
        force: bool,
        progress: BackupProgressCallback | None = None,
    ) -> RestoreReport:
        """Restore; see `Memory.restore`."""
        start = time.perf_counter()
        with self._store.read():
            path = found_source(source, self._backups.folder, self._store.path)
        self._recorder.flush()
        kept: list[str] = []

        def keep() -> None:
            with self._store.read() as reader:
                holds = reader.chunk_count or reader.counts().documents
            if holds:
                kept.append(self._backups.before("restore").name)

        with checked_copy(path, self._store.path) as (part, version):
            with closing(SqliteStore(part, create=False)) as copy:
                agree(copy, self._model_of(copy))
                with copy.read() as reader:
                    counts = reader.counts()
            self._store.restore(part, keep=keep, force=force, progress=in_pages(progress))
        return RestoreReport(
            documents=counts.documents,
            chunks=counts.chunks,
            schema_version=version,
            kept=kept[0] if kept else None,
            seconds=round(time.perf_counter() - start, 3),
        )

    def _model_of(self, copy: Store) -> ModelInfo:
        """The model that a backup is searched with, which must be one that can be opened here."""
        with copy.read() as reader:
            known = reader.model
        if known is None or known[1].sha256 == self._info.sha256:
            return self._info
        try:
            return self._found(known[1]).info
        except ModelMissingError:
            require_same_model(copy, known[1], self._info)
            raise


def found_source(source: str | os.PathLike[str], folder: Path, target: Path) -> Path:
    """The backup that is meant: by its name in the folder, or by its path.

    Args:
        source: A name where it is text without a separator, else a path.
        folder: Where the backups are.
        target: The file that it is restored to.

    Raises:
        BackupNotFoundError, PathNotFoundError: When there is none.
        FieldError: When it is the file itself.
    """
    separators = [each for each in (os.sep, os.altsep) if each]
    if isinstance(source, str) and not any(each in source for each in separators):
        return found_backup(source, folder, target)
    return _given_path(Path(source), target)


def _given_path(path: Path, target: Path) -> Path:
    try:
        path = path.expanduser().absolute()
        there = path.is_file()
    except (RuntimeError, OSError):
        raise _missing(path) from None
    if not there:
        raise _missing(path)
    if target.exists() and path.samefile(target):
        raise FieldError("A file cannot be restored from itself.", pointer="/source")
    return path


def replace_file(
    source: str | os.PathLike[str], target: Path, settings: Settings, *, force: bool
) -> RestoreReport:
    """Restore a backup to where no file can be opened; see `vstash.restore`.

    Args:
        source: As for `Memory.restore`.
        target: Where it is restored to, absolute.
        settings: Where backups are.
        force: Whether what is there may go to another name.
    """
    start = time.perf_counter()
    path = found_source(source, backup_folder(target, settings), target)
    if target.exists() and not force:
        raise OverwriteError(
            "There is a file that cannot be opened. Restoring puts another one in its place: say so "
            "with force; what is there is kept beside it."
        )
    with checked_copy(path, target) as (part, version):
        documents, chunks, kept = put_in_place(part, target, now=datetime.now(timezone.utc))
    return RestoreReport(
        documents, chunks, version, kept, seconds=round(time.perf_counter() - start, 3)
    )


def _missing(path: Path) -> PathNotFoundError:
    return PathNotFoundError("There is no such backup.", local_detail=str(path))


@contextmanager
def checked_copy(source: Path, target: Path) -> Iterator[tuple[Path, int]]:
    """Copy a backup to beside where it is restored, and check the copy.

    Args:
        source: The backup.
        target: Where it is restored to.

    Returns:
        The copy, gone when the block ends unless it was renamed, and its schema version.

    Raises:
        StoreError: When it is damaged, of another program or newer, or there is no room for it.
    """
    with temporary(target) as part:
        try:
            version = read_out(source, part)
        except StoreCorruptError as error:
            raise StoreCorruptError(
                "The backup is damaged: nothing was restored. Take another one.",
                local_detail=str(source),
            ) from error
        yield part, version
