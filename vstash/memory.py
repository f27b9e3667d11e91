"""The facade that every interface calls."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vstash.reports import CheckReport, IngestReport, ProgressCallback, PruneDecision, Stats
from vstash.types import (
    UNSET,
    Chunk,
    Disagreement,
    Document,
    JsonObject,
    Mode,
    NewDocument,
    Page,
    SearchResult,
    StrategyName,
    Unset,
)

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.errors import VstashError
    from vstash.settings import Settings
    from vstash.types import FloatArray

__all__ = ["Memory"]


class Memory:
    """A vstash file, open for reading and writing; safe to share between threads.

    Args:
        path: The file; None for the one in the user's data folder. A missing folder is made.
        model: None for the setting, which is the model in the package; a model folder; ``"fake"``;
            or an object of your own that follows `vstash.embed.protocol.Embedder`.
        settings: All other settings; None reads them from vstash.toml and VSTASH_* variables.
        create: Make the file when it is missing; False raises instead.

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
    ) -> None:
        # Everything heavy waits until a file is opened, so that `import vstash` costs nothing.
        from vstash.pipeline.engine import open_engine  # noqa: PLC0415 - see above

        self._engine = open_engine(
            None if path is None else Path(path), model=model, settings=settings, create=create
        )

    def __enter__(self) -> Memory:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The file, absolute."""
        return self._engine.store.path

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._engine.settings

    def close(self) -> None:
        """Write what the log holds back and release the file; may be called twice."""
        self._engine.close()

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

        Returns:
            The stored document, without its text.

        Raises:
            InputError: When a value cannot be stored; nothing was.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.add("Ada prefers tea.", key="ada", tags=["people"]).tags
            ('people',)
        """
        document = NewDocument(text, key, title, collection, tags, metadata or {}, expires_at)
        return self._engine.writing.add(document)

    def add_batch(self, documents: Sequence[NewDocument]) -> tuple[Document | VstashError, ...]:
        """Remember many texts at once, in one transaction for all that are valid.

        Args:
            documents: Any number of `NewDocument`.

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
        return self._engine.writing.add_batch(documents)

    def ingest(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        collection: str | None = None,
        tags: Sequence[str] = (),
        ignore: Sequence[str] = (),
        prune: PruneDecision = False,
        progress: ProgressCallback | None = None,
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
        return self._engine.ingesting.ingest(
            several,
            collection=collection,
            tags=tags,
            ignore=ignore,
            prune=prune,
            progress=progress,
        )

    def search(
        self,
        query: str,
        *,
        vector: Sequence[float] | FloatArray | None = None,
        k: int = 10,
        collection: str | None = None,
        filter: JsonObject | None = None,
        mode: Mode = "hybrid",
        strategy: StrategyName | None = None,
        explain: bool = False,
        log: bool = True,
    ) -> SearchResult:
        """Find the passages that answer a query.

        Args:
            query: Any text with a visible character.
            vector: The query's vector where it is ready, so that no model is asked.
            k: How many hits, 1 to 1,000.
            collection: None for ``default``.
            filter: A filter tree over key, title, tags, times and metadata; applied before the cut.
            mode: ``hybrid`` asks both indexes, ``vector`` and ``keyword`` one.
            strategy: Of hybrid: ``score``, ``rrf`` or ``adaptive-rrf``; None for the setting.
            explain: Say for each hit where its score comes from.
            log: Whether this is a real search that belongs in the disagreement log.

        Returns:
            The hits, best first, with ranks, raw scores, weights and timings.

        Raises:
            QueryError, FilterError: When one is empty, malformed or out of range.
            CollectionNotFoundError: When nothing was ever written to the collection.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.add("Ada prefers tea.", key="ada", metadata={"topic": "people"})
            ...     result = memory.search("tea", filter={"metadata.topic": {"eq": "people"}})
            Document(...)
            >>> (result.hits[0].document.key, result.hits[0].keyword_rank)
            ('ada', 1)
        """
        return self._engine.searching.search(
            query,
            vector=vector,
            k=k,
            collection=collection,
            where=filter,
            mode=mode,
            strategy=strategy,
            explain=explain,
            log=log,
        )

    def get(
        self,
        id: str | None = None,
        *,
        key: str | None = None,
        collection: str | None = None,
    ) -> Document:
        """Read one document with its text.

        Args:
            id: Its id; or give ``key``.
            key: Its key.
            collection: Of the key; None for ``default``.

        Raises:
            DocumentNotFoundError: When there is none, or it has expired.
        """
        return self._engine.writing.get(id, key=key, collection=collection)

    def get_chunk(self, chunk_id: int) -> Chunk:
        """Read one chunk.

        Args:
            chunk_id: As in ``hit.chunk.id``.

        Raises:
            ChunkNotFoundError: When there is none; replacing a document ends its chunks.
        """
        return self._engine.writing.get_chunk(chunk_id)

    def list(
        self,
        *,
        collection: str | None = None,
        filter: JsonObject | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Document]:
        """List documents in the order of their creation, without their texts.

        Args:
            collection: None for ``default``.
            filter: A filter tree, as in `search`.
            limit: Documents per page, 1 to 1,000.
            cursor: ``next_cursor`` of the page before.

        Raises:
            CursorError, FilterError: When one is malformed.
            CollectionNotFoundError: When nothing was ever written to the collection.
        """
        return self._engine.writing.list(
            collection=collection, where=filter, limit=limit, cursor=cursor
        )

    def update(
        self,
        id: str | None = None,
        *,
        key: str | None = None,
        collection: str | None = None,
        text: str | Unset = UNSET,
        title: str | Unset = UNSET,
        tags: Sequence[str] | Unset = UNSET,
        metadata: JsonObject | Unset = UNSET,
        expires_at: datetime | Unset | None = UNSET,
    ) -> Document:
        """Change some fields of a document; its id, key and creation time stay.

        Args:
            id: Its id; or give ``key``.
            key: Its key.
            collection: Of the key; None for ``default``.
            text: A new text.
            title: A new title; empty removes it.
            tags: All tags from now on.
            metadata: A JSON merge patch (RFC 7396): None removes a field, others stay.
            expires_at: A new time, or None for never.

        Raises:
            DocumentNotFoundError, InputError: Nothing was changed.
        """
        return self._engine.writing.update(
            id,
            key=key,
            collection=collection,
            text=text,
            title=title,
            tags=tags,
            metadata=metadata,
            expires_at=expires_at,
        )

    def replace(
        self,
        id: str,
        text: str,
        *,
        title: str | None = None,
        tags: Sequence[str] = (),
        metadata: JsonObject | None = None,
        expires_at: datetime | None = None,
    ) -> Document:
        """Replace everything of a document but its id, key, collection and creation time.

        Args:
            id: Of an existing document.
            text: As in `add`, and so are the others.
            title: None for no title.
            tags: All tags.
            metadata: All metadata.
            expires_at: None for never.

        Raises:
            DocumentNotFoundError, InputError: Nothing was changed.
        """
        document = NewDocument(text, None, title, None, tags, metadata or {}, expires_at)
        return self._engine.writing.replace(id, document)

    def delete(
        self,
        id: str | None = None,
        *,
        key: str | None = None,
        collection: str | None = None,
    ) -> Document:
        """Remove one document with its text, words, vectors and triples.

        Args:
            id: Its id; or give ``key``.
            key: Its key.
            collection: Of the key; None for ``default``.

        Returns:
            What was removed, without its text.

        Raises:
            DocumentNotFoundError: When there is none.
        """
        return self._engine.writing.delete(id, key=key, collection=collection)

    def stats(self) -> Stats:
        """Say what the file holds."""
        return self._engine.reporting.stats()

    def check(self) -> CheckReport:
        """Compare text, words, vectors, codes, counters and log: no findings means they agree."""
        return self._engine.reporting.check()

    def disagreements(
        self, *, limit: int = 50, cursor: str | None = None, texts: bool = False
    ) -> Page[Disagreement]:
        """Show logged searches, newest first, with what each leg listed and the triples.

        Args:
            limit: Per page, 1 to 1,000.
            cursor: ``next_cursor`` of the page before.
            texts: Put the chunks' texts into the triples.
        """
        return self._engine.reporting.disagreements(limit=limit, cursor=cursor, texts=texts)
