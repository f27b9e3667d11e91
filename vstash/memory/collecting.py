"""Methods of `Memory` on whole collections and the whole file."""

from __future__ import annotations

from vstash.memory.base import Base
from vstash.reports import CollectionInfo, DeleteReport
from vstash.upkeep import CompactReport, CompactWatcher

__all__ = ["Collecting"]


class Collecting(Base):
    """Collections, and what keeps the file in order."""

    def collections(self) -> tuple[CollectionInfo, ...]:
        """Say what each collection holds, by name.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Tea is hot.", collection="drinks")
            ...     [(each.name, each.documents) for each in memory.collections()]
            [('default', 0), ('drinks', 1)]
        """
        return self._engine.documents.collections()

    def collection(self, name: str) -> CollectionInfo:
        """Say what one collection holds.

        Args:
            name: Of the collection.

        Raises:
            CollectionNotFoundError: When nothing was ever written to it.
            FieldError: When the name is malformed.
        """
        return self._engine.documents.collection(name)

    def delete_collection(self, name: str, *, dry_run: bool = False) -> DeleteReport:
        """Remove a collection with all its documents, logged searches and triples.

        It is one transaction. ``default`` is emptied and stays.

        Args:
            name: Of the collection.
            dry_run: Only say what would be removed.

        Returns:
            How many documents, expired ones included, and which the first of them are.

        Raises:
            CollectionNotFoundError: When nothing was ever written to it.
            FieldError: When the name is malformed.
        """
        return self._engine.removing.delete_collection(name, dry_run=dry_run)

    def compact(
        self, *, full: bool = False, progress: CompactWatcher | None = None
    ) -> CompactReport:
        """Remove documents that have expired, and tidy up the file.

        Merges are finished, the words and codes of what was removed leave every index, and the
        write-ahead log is emptied. It is done in steps of some hundredths of a second: others search
        meanwhile, and write in between. Stopped at any moment it loses nothing, and the next one goes
        on; so it does with a `forget` that was cut short.

        Args:
            full: Also write the file anew, which gives free room back to the system. Readers go on
                meanwhile, writers wait; it needs twice the size of what the file holds as free room.
            progress: Called after each step.

        Returns:
            How many documents had expired, and the file's size before and after.

        Raises:
            StoreReadOnlyError: When the file cannot be written.
            StoreBusyError: When others did not finish writing in time; it can be repeated.
            StoreFullError: When there is too little room to write the file anew.
        """
        return self._engine.upkeep.compacting.compact(full=full, progress=progress)
