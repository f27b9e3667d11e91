"""Bringing a file up to date before it is opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.upkeep import MigrateReport

__all__ = ["migrate"]


def migrate(
    path: str | os.PathLike[str] | None = None,
    *,
    dry_run: bool = False,
    backup: bool = True,
    settings: Settings | None = None,
) -> MigrateReport:
    """Bring a file to the schema of this version, as opening it would; a copy is made first.

    Args:
        path: The file; None for the one that the settings name.
        dry_run: Only look what would happen; the file is opened for reading and nothing is changed.
        backup: Make the copy, ``NAME-TIME-migration.db`` in the folder of the backups. Without it
            there is no way back to an older vstash.
        settings: None reads them.

    Returns:
        The steps, what was derived anew, and the copy's name.

    Raises:
        PathNotFoundError: When there is no file.
        StoreFullError: When there is no room for the copy; nothing was changed.
        StoreNewerError: When a newer vstash wrote the file; nothing was changed.
        StoreForeignError: When the file is not ours, or its schema was made by other steps.
        StoreBusyError: When another process writes for longer than ``busy_timeout_s``.

    Example:
        >>> import vstash
        >>> with vstash.Memory("notes.db", model="fake") as memory:
        ...     document = memory.add("The port is 8090.")
        >>> vstash.migrate("notes.db", dry_run=True).steps
        ()
    """
    from vstash.pipeline import migrating  # noqa: PLC0415 - heavy; `import vstash` costs nothing
    from vstash.settings import checked_settings, load_settings  # noqa: PLC0415 - the same

    settings = load_settings() if settings is None else checked_settings(settings)
    target = settings.db_path() if path is None else Path(path).absolute()
    return migrating.migrate(target, settings, dry_run=dry_run, backup=backup)
