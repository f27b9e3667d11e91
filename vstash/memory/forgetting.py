"""The method of `Memory` that leaves no trace of documents."""

from __future__ import annotations

import os

from vstash.memory.base import Base
from vstash.types import JsonObject
from vstash.upkeep import CompactWatcher, ForgetReport

__all__ = ["Forgetting"]


class Forgetting(Base):
    """Forgetting."""

    def forget(
        self,
        document_id: str | None = None,
        *,
        key: str | None = None,
        collection: str | None = None,
        where: JsonObject | None = None,
        source: str | os.PathLike[str] | None = None,
        dry_run: bool = False,
        progress: CompactWatcher | None = None,
    ) -> ForgetReport:
        """Remove documents so that the file holds nothing of them any more.

        One transaction removes them with their vectors, triples and feedback, with logged searches that
        listed them or asked for words that only they had, with stored replies and ended jobs that tell
        of them. Then their leftovers go from every index in steps, as in `compact`, and the file is
        written anew: writers wait for that, readers go on. Last the write-ahead log is emptied. When
        that is cut short, `compact`, the next `forget` or a service that starts goes on with it.

        Backups, exports and what else was copied keep what they hold.

        Args:
            document_id: Its id; exactly one of ``document_id``, ``key``, ``where`` and ``source``.
            key: Its key.
            collection: Of the key or filter, None for ``default``; of the source, None for all.
            where: A filter tree, as in `search`; expired documents are meant as well.
            source: A path or URL: every document whose key is it or lies below it. A path object is
                made absolute first, as `ingest` does.
            dry_run: Only say what would be removed.
            progress: Called after each step.

        Returns:
            How much went, whether all that they left is gone, and what to do where it is not.

        Raises:
            DocumentNotFoundError: When there is none with this id or key.
            CollectionNotFoundError: When nothing was ever written to the collection.
            FilterError, FieldError: When what names them is malformed; nothing was removed.
            StoreError: When they could not be removed.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("My number is 5550123.", key="number")
            ...     report = memory.forget(key="number")
            >>> report.documents, report.purged, report.log_emptied
            (1, True, True)
            >>> from pathlib import Path
            >>> b"5550123" in Path("notes.db").read_bytes()
            False
        """
        return self._engine.forgetting.forget(
            document_id,
            key=key,
            where=where,
            source=source,
            collection=collection,
            dry_run=dry_run,
            progress=progress,
        )
