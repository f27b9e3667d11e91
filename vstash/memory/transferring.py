"""Methods of `Memory` that move what a file holds in and out as streams."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable

from vstash.memory.base import Base, later
from vstash.transfers import ImportProgress, ImportReport, OnConflict
from vstash.types import EmbedWhen, JsonObject, Triple, TripleOrigin

__all__ = ["Transferring"]


class Transferring(Base):
    """Export, import, and training triples."""

    def export(
        self,
        *,
        collection: str | None = None,
        filter: JsonObject | None = None,
        include_vectors: bool = False,
    ) -> Generator[bytes, None, None]:
        """Stream documents as lines of JSON that `import_documents` takes; see docs/export.md.

        What is exported is the file as it is when the first line is read, whatever is written
        meanwhile. Until the last line, or until the generator is closed, the file cannot reuse its
        write-ahead log, which grows with every write. The same content gives the same bytes.

        Args:
            collection: None for all.
            filter: A filter tree, as in `search`.
            include_vectors: Add the chunks' vectors, so that a file with the same model need not
                embed again.

        Returns:
            The lines, each with its end; close it when you stop early. Expired documents, the log,
            triples and feedback are no part of it.

        Raises:
            FieldError, FilterError: When one is malformed.
            CollectionNotFoundError: When nothing was ever written to the collection.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Ada prefers tea.", key="ada")
            ...     lines = list(memory.export())
            >>> len(lines)
            3
        """
        return self._engine.exporting.export(
            collection=collection, where=filter, include_vectors=include_vectors
        )

    def import_documents(
        self,
        stream: Iterable[bytes | str],
        *,
        collection: str | None = None,
        on_conflict: OnConflict = "replace",
        dry_run: bool = False,
        embed: EmbedWhen = "now",
        progress: Callable[[ImportProgress], None] | None = None,
    ) -> ImportReport:
        """Take in the documents of an export, with their ids and times.

        A document whose key its collection has keeps the id that it has there. Some dozen documents
        are stored at a time, together; the last of them only when the export was found to be whole.
        To import the same export again changes nothing.

        Args:
            stream: The bytes of an export, cut anywhere: the lines of `export`, or a file opened to
                read bytes.
            collection: The only one that may be imported into; None for any.
            on_conflict: Of a key that is there with something else: ``replace`` it, or ``skip`` it.
            dry_run: Check everything and count what would be done; nothing is stored.
            embed: As in `add`, for chunks whose vectors do not come with the export.
            progress: Called after each batch.

        Raises:
            TransferError: When a line cannot be imported, or the export was cut or changed, naming
                the line; batches before are stored, and to import again completes them.
            CollectionForbiddenError: When there are documents of other collections; nothing was
                stored.
            FieldError: When an argument is malformed.
            StoreError, ModelError: When storing or embedding failed; the same holds.

        Example:
            >>> with Memory("notes.db", model="fake") as old, Memory("new.db", model="fake") as new:
            ...     document = old.add("Ada prefers tea.", key="ada")
            ...     (new.import_documents(old.export()).added, new.get(key="ada") == old.get(key="ada"))
            (1, True)
        """
        report = self._engine.importing.import_documents(
            stream,
            collection=collection,
            on_conflict=on_conflict,
            dry_run=dry_run,
            embed=not later(embed),
            progress=progress,
        )
        if embed == "later":
            self._engine.background.wake()
        return report

    def triples(
        self,
        *,
        collection: str | None = None,
        texts: bool = True,
        origin: TripleOrigin | None = None,
    ) -> Generator[Triple, None, None]:
        """Stream training triples: those of logged searches, then those of `mine` and `label`.

        Each begin with those of the newest query.

        As with `export`, it is the file as it is when the first one is read.

        Args:
            collection: Only of searches in it; None for all.
            texts: Put the chunks' texts into them.
            origin: ``search``, ``made`` or ``labelled``; None for all.

        Raises:
            FieldError, QueryError: When one is malformed.
            CollectionNotFoundError: When nothing was ever written to it.
        """
        return self._engine.reporting.triples(collection=collection, texts=texts, origin=origin)
