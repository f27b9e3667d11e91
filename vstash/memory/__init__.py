"""The facade that every interface calls."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vstash.memory.backing_up import BackingUp
from vstash.memory.calibrating import Calibrating
from vstash.memory.changing import Changing
from vstash.memory.checking import Checking
from vstash.memory.collecting import Collecting
from vstash.memory.forgetting import Forgetting
from vstash.memory.granting import Granting
from vstash.memory.judging import Judging
from vstash.memory.learning import Learning
from vstash.memory.logging import Logging
from vstash.memory.mining import Mining
from vstash.memory.observing import Observing
from vstash.memory.reading import Reading
from vstash.memory.repeating import Repeating
from vstash.memory.storing import Storing
from vstash.memory.switching import Switching
from vstash.memory.transferring import Transferring
from vstash.memory.working import Working

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.settings import Settings

__all__ = ["Memory"]


class Memory(
    Storing,
    Changing,
    Forgetting,
    Reading,
    Collecting,
    Judging,
    Logging,
    Observing,
    Calibrating,
    Mining,
    Repeating,
    Granting,
    Transferring,
    Working,
    BackingUp,
    Checking,
    Switching,
    Learning,
):
    """A vstash file, open for reading and writing; safe to share between threads.

    Args:
        path: The file; None for the one in the user's data folder. A missing folder is made.
        model: None for the setting, and where that is empty for the model that the file is searched
            with, the one in the package for a new file; the name of an installed one; a model folder;
            ``"fake"``; or an object of your own that follows `vstash.embed.protocol.Embedder`.
        settings: All other settings; None reads them from vstash.toml and VSTASH_* variables.
        create: Make the file when it is missing; False raises instead.
        warm: Begin to load the model at once, beside all else, for who is about to search.

    Raises:
        StoreError: When the file is not ours, newer, damaged, or cannot be opened.
        ModelError: When the model cannot be used, or is not the one that the file was written with.
        PathNotFoundError: When ``create`` is false and there is no file.
        SettingsError: When a setting is malformed.

    Example:
        >>> from vstash import Memory
        >>> with Memory("notes.db", model="fake") as memory:
        ...     document = memory.add("The port of the staging server is 8090.", key="staging")
        ...     memory.search("which port?").hits[0].text
        'The port of the staging server is 8090.'
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        model: str | Embedder | None = None,
        settings: Settings | None = None,
        create: bool = True,
        warm: bool = False,
    ) -> None:
        warmed: Embedder | None = None
        if warm and (model is None or isinstance(model, str)):
            # First of all: what follows takes as long to import as the model takes to load.
            from vstash.embed.catalogue import open_model  # noqa: PLC0415 - see below
            from vstash.settings import load_settings  # noqa: PLC0415 - see below

            settings = load_settings() if settings is None else settings
            chosen = settings.model if model is None else model
            warmed = open_model(
                chosen, models=settings.models_path(), threads=settings.threads, warm=True
            )
            if chosen:
                model = warmed
        # Everything heavy waits until a file is opened, so that `import vstash` costs nothing.
        from vstash.pipeline.engine import open_engines  # noqa: PLC0415 - see above

        self._engines = open_engines(
            None if path is None else Path(path),
            model=model,
            warmed=warmed,
            settings=settings,
            create=create,
        )

    def __enter__(self) -> Memory:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The file, absolute."""
        return self._engines.latest.store.path

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._engines.latest.settings

    def close(self) -> None:
        """Write what the log holds back and release the file; may be called twice."""
        self._engines.latest.close()
