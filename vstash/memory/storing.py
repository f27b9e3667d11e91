"""Methods of `Memory` that put documents into the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from vstash.memory.base import Base, later
from vstash.reports import (
    EmbedProgress,
    EmbedReport,
    IngestReport,
    ProgressCallback,
    PruneDecision,
)
from vstash.types import Document, EmbedWhen, JsonObject, NewDocument

if TYPE_CHECKING:
    from vstash.errors import VstashError
    from vstash.types import AnyVectors

__all__ = ["Storing"]


class Storing(Base):
    """Adding, ingesting, changing and removing."""

    def add(
        self,
        text: str,
        *,
        key: str | None = None,
        title: str | None = None,
        collection: str | None = None,
        tags: Sequence[str] = (),
        metadata: JsonObject | None = None,
        expires_at: datetime | None = None,
        embed: EmbedWhen = "now",
        if_absent: bool = False,
        if_match: str | Sequence[str] | None = None,
    ) -> Document:
        """Remember a text; when this returns it is stored for good.

        Args:
            text: What to remember, at least one visible character.
            key: Your own name for it: a document that has it is replaced and keeps its id and
                creation time. None makes the new document's id its key.
            title: Put in front of every passage when it is indexed.
            collection: A hard partition; None for ``default``.
            tags: Labels to filter by.
            metadata: A JSON object to filter by.
            expires_at: From this time, with its zone, the document is hidden.
            embed: ``later`` stores text and words at once and leaves the vectors to `embed`.
            if_absent: Store nothing where the collection has a document with this key.
            if_match: Store nothing unless it has one with this etag, or one of several; ``*`` is any.

        Returns:
            The stored document, without its text.

        Raises:
            InputError: When a value cannot be stored; nothing was.
            PreconditionError: When ``if_absent`` or ``if_match`` does not hold; nothing was stored.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.add("Ada prefers tea.", key="ada", tags=["people"]).tags
            ('people',)
        """
        document = NewDocument(text, key, title, collection, tags, metadata or {}, expires_at)
        stored = self._engine.writing.add(
            document, embed=not later(embed), if_absent=if_absent, if_match=if_match
        )
        self._wake(embed)
        return stored

    def add_batch(
        self, documents: Sequence[NewDocument], *, embed: EmbedWhen = "now"
    ) -> tuple[Document | VstashError, ...]:
        """Remember many texts at once, in one transaction for all that are valid.

        Args:
            documents: Any number of `NewDocument`.
            embed: As in `add`.

        Returns:
            For each, in order, the stored document or the error that kept it out.

        Raises:
            StoreError: When the file could not be written: none was stored.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     results = memory.add_batch([NewDocument("Tea is hot."), NewDocument("")])
            >>> [type(result).__name__ for result in results]
            ['Document', 'TextError']
        """
        outcomes = self._engine.writing.add_batch(documents, embed=not later(embed))
        self._wake(embed)
        return outcomes

    def add_many(
        self,
        texts: Sequence[str],
        *,
        vectors: AnyVectors | None = None,
        keys: Sequence[str] | None = None,
        titles: Sequence[str] | None = None,
        metadata: Sequence[JsonObject] | None = None,
        collection: str | None = None,
        tags: Sequence[str] = (),
        expires_at: datetime | None = None,
        embed: EmbedWhen = "now",
    ) -> tuple[str, ...]:
        """Remember very many texts, with ready vectors where you have them.

        Everything is checked before anything is stored. Then 4,096 texts at a time are stored
        together (64, where the model has to embed them); the same call with the same keys can be
        repeated after a failure.

        Args:
            texts: Any number, shape (n,). With ``vectors`` each is one chunk, however long.
            vectors: Of the file's model, shape (n, dimension), finite and not zero; they are brought
                to length 1. None asks the model.
            keys: One for each text, all different; None makes ids the keys.
            titles: One for each text.
            metadata: One JSON object for each text.
            collection: A hard partition; None for ``default``.
            tags: Of every text.
            expires_at: Of every text.
            embed: As in `add`, where there are no vectors.

        Returns:
            The documents' ids, in order.

        Raises:
            InputError: When a value cannot be stored, naming it: nothing was.
            StoreError: When the file could not be written; batches before are stored.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     ids = memory.add_many(["Tea is hot.", "Ice is cold."], keys=["tea", "ice"])
            >>> len(ids)
            2
        """
        ids = self._engine.bulk.add_many(
            texts,
            vectors=vectors,
            keys=keys,
            titles=titles,
            metadata=metadata,
            collection=collection,
            tags=tags,
            expires_at=expires_at,
            embed=not later(embed),
        )
        self._wake(embed)
        return ids

    def ingest(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        collection: str | None = None,
        tags: Sequence[str] = (),
        ignore: Sequence[str] = (),
        prune: PruneDecision = False,
        progress: ProgressCallback | None = None,
        embed: EmbedWhen = "now",
    ) -> IngestReport:
        """Read files and folders; unchanged files cost next to nothing.

        Args:
            paths: Files and folders; in those, hidden files and what .gitignore names are left out.
            collection: None for ``default``.
            tags: Added to each document.
            ignore: Further patterns in .gitignore's language.
            prune: Remove documents of these folders whose files are gone: True, False, or a function
                that is shown their keys and returns whether to go on.
            progress: Called after each file.
            embed: As in `add`.

        Returns:
            What was added, replaced, left as it was, skipped and why.

        Raises:
            PathNotFoundError: When one of ``paths`` does not exist; nothing was read.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.ingest("notes").added
            2
        """
        several = [paths] if isinstance(paths, str | os.PathLike) else paths
        report = self._engine.ingesting.ingest(
            several,
            collection=collection,
            tags=tags,
            ignore=ignore,
            prune=prune,
            progress=progress,
            embed=not later(embed),
        )
        self._wake(embed)
        return report

    def embed(self, *, progress: Callable[[EmbedProgress], None] | None = None) -> EmbedReport:
        """Give every chunk that was stored with ``embed="later"`` its vector.

        What is done stays done when it is interrupted, and the next call goes on.

        Args:
            progress: Called after each batch of some dozen chunks.

        Raises:
            ModelError: When the model fails; the chunks wait on.
            StoreError: When the file could not be written.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Tea is hot.", embed="later")
            ...     (memory.search("tea").awaiting, memory.embed().embedded)
            (1, 1)
        """
        return self._engine.embedding.embed(progress=progress)

    def embed_in_background(self) -> None:
        """Embed what waits in a thread of its own, from now until the file is closed.

        Raises:
            ClosedError: When it is closed.
        """
        self._engine.embedding.awaiting()
        self._engine.background.start()

    def _wake(self, embed: EmbedWhen) -> None:
        if embed == "later":
            self._engine.background.wake()
