"""A new file from a damaged one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.settings import Settings
    from vstash.upkeep import SalvageProgress, SalvageReport

__all__ = ["salvage"]


def salvage(
    path: str | os.PathLike[str] | None,
    target: str | os.PathLike[str],
    *,
    model: str | Embedder | None = None,
    settings: Settings | None = None,
    keep_damaged: bool = False,
    progress: Callable[[SalvageProgress], None] | None = None,
) -> SalvageReport:
    """Make a new file from what can still be read of a damaged one.

    Every page is read by itself, so that neither a damaged tree nor a destroyed beginning hides the rows
    behind it. A document is taken over when its content is what its hash is of: id, key, times, text,
    title, tags and metadata; its chunks under their ids and their vectors, where those can be relied
    on. Words and codes are derived anew. Access keys, jobs and stored replies are not taken over.

    Args:
        path: The damaged file, which is only read; None for the one that the settings name. Nobody should have
            it open.
        target: A new file.
        model: As in `Memory`; with another model than the file's, all chunks await a vector.
        settings: All other settings; None reads them.
        keep_damaged: Store what could be read of a damaged document under its key too, with a mark
            (U+FFFD on a line of its own) where a part is missing. What its hash was of is then not known.
        progress: Called after each batch.

    Returns:
        How much was saved, and each document that is not whole.

    Raises:
        PathNotFoundError: When there is no such file.
        OverwriteError: When the target exists.
        StoreForeignError: When nothing of a vstash file is in it.
        StoreError: When the new file cannot be written; none is left.

    Example:
        >>> import vstash
        >>> with vstash.Memory("notes.db", model="fake") as memory:
        ...     document = memory.add("The port is 8090.")
        >>> vstash.salvage("notes.db", "saved.db", model="fake").whole
        1
    """
    from vstash.pipeline import salvaging  # noqa: PLC0415 - heavy; `import vstash` costs nothing
    from vstash.settings import checked_settings, load_settings  # noqa: PLC0415 - the same

    settings = load_settings() if settings is None else checked_settings(settings)
    return salvaging.salvage(
        settings.db_path() if path is None else Path(path).absolute(),
        Path(target).absolute(),
        model=model,
        settings=settings,
        keep_damaged=keep_damaged,
        progress=progress,
    )
