"""Bringing a backup back, into a file that is in use or to where no file can be used."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vstash.errors import FieldError, ModelMismatchError, PathNotFoundError, StoreCorruptError
from vstash.pipeline.backups import Backups, in_pages
from vstash.store.backup import read_out, temporary
from vstash.store.sqlite import SqliteStore
from vstash.upkeep import BackupProgressCallback, RestoreReport

if TYPE_CHECKING:
    from vstash.learn.recorder import Recorder
    from vstash.pipeline.record import Logged
    from vstash.store.protocol import Store

__all__ = ["Restoring", "checked_copy"]


class Restoring:
    """Brings backups back into an open file.

    Args:
        store: The file.
        backups: Of the file.
        recorder: Of the log.
        model: The number of the model in the file.
        agree: Brings a file to this version's rules and tells its model's number, or refuses a file
            of another model.
    """

    def __init__(
        self,
        store: Store,
        backups: Backups,
        recorder: Recorder[Logged],
        model: int,
        agree: Callable[[Store], int],
    ) -> None:
        self._store = store
        self._backups = backups
        self._recorder = recorder
        self._model = model
        self._agree = agree

    def restore(
        self,
        source: str | os.PathLike[str],
        *,
        force: bool,
        progress: BackupProgressCallback | None = None,
    ) -> RestoreReport:
        """Restore; see `Memory.restore`."""
        start = time.perf_counter()
        path = self._found(source)
        self._recorder.flush()
        kept: list[str] = []

        def keep() -> None:
            with self._store.read() as reader:
                holds = reader.chunk_count or reader.counts().documents
            if holds:
                kept.append(self._backups.before("restore").name)

        with checked_copy(path, self._store.path) as (part, version):
            with closing(SqliteStore(part, create=False)) as copy:
                if self._agree(copy) != self._model:
                    raise ModelMismatchError(
                        "The backup numbers its models in another way than the file. Restore it to "
                        "a path of its own."
                    )
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

    def _found(self, source: str | os.PathLike[str]) -> Path:
        named = isinstance(source, str) and not any(
            separator in source for separator in (os.sep, os.altsep) if separator
        )
        if named:
            return self._backups.found(str(source))
        return given_path(source, self._store.path)


def given_path(source: str | os.PathLike[str], target: Path) -> Path:
    """The path of a backup, which must be another file than the one it is restored to.

    Raises:
        PathNotFoundError: When there is no such file.
        FieldError: When it is the file itself, or its home folder is none.
    """
    try:
        path = Path(source).expanduser().absolute()
    except RuntimeError:
        raise _missing(Path(source)) from None
    if not path.is_file():
        raise _missing(path)
    if target.exists() and path.samefile(target):
        raise FieldError("A file cannot be restored from itself.", pointer="/source")
    return path


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
