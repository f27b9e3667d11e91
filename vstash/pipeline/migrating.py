"""Bringing a file to this version: a copy first, then its schema, then what is derived."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vstash.errors import (
    PathNotFoundError,
    StoreError,
    StoreForeignError,
    StoreFullError,
    StoreNewerError,
)
from vstash.pipeline.backups import backup_folder
from vstash.pipeline.placing import require_local
from vstash.store.backup import copied
from vstash.store.backup_names import kept
from vstash.store.beside import total_bytes
from vstash.store.codes import CODER_VERSION
from vstash.store.folders import free_bytes
from vstash.store.migrate import known_migrations, pending
from vstash.store.sqlite import SqliteStore
from vstash.text.normalise import NORMALISER_VERSION, indexed
from vstash.upkeep import DerivedIndex, MigrateReport, MigrationStep

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.store.writer import Writer

__all__ = ["copy_before_migration", "derive_outdated", "migrate", "outdated_indexes"]

_WAY_OUT: Final = (
    "An older vstash could not go on with the file without that copy. Once you have another, "
    "`vstash migrate --no-backup` goes on without."
)


def migrate(path: Path, settings: Settings, *, dry_run: bool, backup: bool) -> MigrateReport:
    """Bring a file up to date, or look what that would do; see `vstash.migrate`."""
    start = time.perf_counter()
    if not path.exists():
        raise PathNotFoundError("There is no such vstash file.", local_detail=str(path))
    if path.is_dir():
        raise StoreForeignError("The path is a folder: name a file in it.", local_detail=str(path))
    require_local(path, settings)
    size = total_bytes(path)
    found = pending(path, busy_timeout_s=settings.busy_timeout_s)
    made: list[str] = []
    derived = outdated_indexes(found.normaliser, found.coder) if found.version else ()
    if not dry_run and (found.steps or derived):
        _bring_up_to_date(path, settings, _copying(made, settings) if backup else _not_copying)
    return MigrateReport(
        from_version=found.version,
        to_version=known_migrations()[-1].version,
        steps=tuple(MigrationStep(step.version, step.name) for step in found.steps),
        derived=derived,
        backup=made[0] if made else None,
        bytes=size,
        seconds=round(time.perf_counter() - start, 3),
        dry_run=dry_run,
    )


def _copying(made: list[str], settings: Settings) -> Callable[[Path], object]:
    return lambda path: made.append(copy_before_migration(path, settings=settings).name)


def _not_copying(_path: Path) -> None:
    return


def _bring_up_to_date(path: Path, settings: Settings, before: Callable[[Path], object]) -> None:
    store = SqliteStore(
        path,
        create=False,
        durability=settings.durability,
        busy_timeout_s=settings.busy_timeout_s,
        before_migration=before,
    )
    with closing(store), store.write() as writer:
        derive_outdated(writer)


def outdated_indexes(
    normaliser: int | None, coder: int | None, *, of: Path | None = None
) -> tuple[DerivedIndex, ...]:
    """What was derived by the rules of an earlier version.

    Args:
        normaliser: Version of the rules of the keyword index, None where the file does not say it.
        coder: Version of the rules of the codes, None the same.
        of: The file, for who looks into the error.

    Raises:
        StoreNewerError: When the keyword index was derived by the rules of a later version.
    """
    # What is not said is for a repair to set right.
    normaliser = NORMALISER_VERSION if normaliser is None else normaliser
    if normaliser > NORMALISER_VERSION:
        raise StoreNewerError(
            "The keyword index was derived by a newer vstash. Install a newer vstash; the file was "
            "left as it is.",
            local_detail="" if of is None else str(of),
        )
    words: tuple[DerivedIndex, ...] = ("words",) if normaliser < NORMALISER_VERSION else ()
    return (*words, "codes") if coder is not None and coder < CODER_VERSION else words


def derive_outdated(writer: Writer) -> None:
    """Derive anew what was derived by the rules of an earlier version.

    No copy is made before: text and vectors stay as they are, and all else comes from them.
    """
    for index in outdated_indexes(writer.normaliser, writer.coder):
        if index == "words":
            writer.derive_words(indexed, NORMALISER_VERSION)
        elif writer.model is not None:
            writer.derive_codes()


def copy_before_migration(path: Path, *, settings: Settings) -> Path:
    """Copy a file into the folder of its backups, for an older vstash to go on with.

    Args:
        path: The file.
        settings: Where backups go.

    Raises:
        StoreFullError: When there is no room for the copy.
        StoreError: When it cannot be made.
    """
    folder = backup_folder(path, settings)
    _require_room(path, folder)
    copy = partial(copied, path, busy_timeout_s=settings.busy_timeout_s)
    try:
        return kept(path, folder, "migration", copy, now=datetime.now(timezone.utc))
    except StoreError as error:
        raise type(error)(
            f"The copy that comes before a migration cannot be made: {error.message} {_WAY_OUT}",
            local_detail=error.local_detail,
        ) from error


def _require_room(path: Path, folder: Path) -> None:
    needed, free = total_bytes(path), free_bytes(folder)
    if free is not None and free < needed:
        raise StoreFullError(
            f"The copy that comes before a migration takes {needed:,} bytes and {free:,} are "
            f"free: make room. {_WAY_OUT}"
        )
