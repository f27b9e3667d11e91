"""Methods of `Memory` that put one model in the place of another."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vstash.memory.base import Base, later
from vstash.switching import ModelState, ReindexReport, ReindexWatcher
from vstash.types import EmbedWhen

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder

__all__ = ["Switching"]


class Switching(Base):
    """Models: which there are, and switching from one to another while the file is in use."""

    def models(self) -> tuple[ModelState, ...]:
        """List the models that the file has an index of, and then those that are only installed.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     [state.name for state in memory.models() if state.active]
            ['fake']
        """
        return self._engine.switching.states()

    def reindex(
        self,
        model: str | os.PathLike[str] | Embedder,
        *,
        progress: ReindexWatcher | None = None,
    ) -> ReindexReport:
        """Build the index of another model beside the one in use, then switch to it in one transaction.

        Searches and writes go on meanwhile, also those of other processes, with the model in use; what
        they write is caught up with before the switch. One that was cut short, even by a kill, goes on
        where it was when it is called again. The index before is kept: `use_model` goes back to it, and
        `remove_model` gives its room back. Chunks stay as they are.

        Args:
            model: The name of an installed model or ``"fake"``; a model folder as a `Path`; or an
                embedder. Other processes follow the switch where the model is installed.
            progress: Called before the first batch, with the room that is needed, and after each; what
                it raises leaves the rest for the next call.

        Returns:
            What was done; nothing is where the model is the active one already.

        Raises:
            ModelNotFoundError: When no model of this name is installed.
            ModelInvalidError: When its files cannot be used.
            ModelTooShortError: When it reads fewer tokens than a chunk has.
            ModelIncompleteError: When the index of a third model is still being built.
            ModelExistsError: When the file knows another model by this name.
            StoreFullError: When there is no room for the index; nothing was changed.
            StoreError: When the file could not be written; what was stored so far stays.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Tea is hot.")
            ...     memory.reindex("fake-32").model
            'fake-32'
        """
        return self._engine.switching.reindex(model, progress=progress)

    def use_model(
        self, name: str, *, embed: EmbedWhen = "now", progress: ReindexWatcher | None = None
    ) -> ReindexReport:
        """Switch to a model whose index is in the file already, such as the one before the last switch.

        Args:
            name: As in `models`.
            embed: ``now`` first embeds what was written since its index was in use; ``later`` switches
                at once, and leaves that to `embed` or to a service: until then keywords alone find it.
            progress: As in `reindex`.

        Raises:
            ModelNotFoundError: When the file has no index of such a model.
            ModelIncompleteError: When its index was never complete.
            ModelMissingError: When the model is not installed here.
            StoreError: When the file could not be written.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     report = memory.reindex("fake-32")
            ...     memory.use_model("fake").before
            'fake-32'
        """
        return self._engine.switching.use(name, later=later(embed), progress=progress)

    def remove_model(self, name: str) -> ModelState:
        """Remove the index of a model that is not in use, in steps that let others write in between.

        The model itself stays installed.

        Args:
            name: As in `models`.

        Returns:
            The model as it was; its room is free in the file, and given back as far as it can be in
            steps: `compact` gives back the rest.

        Raises:
            ModelNotFoundError: When the file has no index of such a model.
            ModelInUseError: When the file is searched with it.
            StoreError: When the file could not be written; it can be repeated.
        """
        return self._engine.switching.remove(name)
