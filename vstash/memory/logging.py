"""Methods of `Memory` about the log of searches."""

from __future__ import annotations

from vstash.log_reports import DisagreementReport, RedactReport
from vstash.memory.base import Base
from vstash.types import Disagreement, Page

__all__ = ["Logging"]


class Logging(Base):
    """Where the two indexes disagreed, and what is kept of it."""

    def disagreements(
        self,
        *,
        collection: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        texts: bool = False,
    ) -> Page[Disagreement]:
        """Show logged searches, newest first, with what each leg listed and the triples.

        Args:
            collection: That was searched; None for all.
            limit: Per page, 1 to 1,000.
            cursor: ``next_cursor`` of the page before.
            texts: Put the chunks' texts into the triples.
        """
        return self._engine.reporting.disagreements(
            collection=collection, limit=limit, cursor=cursor, texts=texts
        )

    def disagreement_report(self, *, collection: str | None = None) -> DisagreementReport:
        """Sum up the log: how far the legs disagree, where, about what, and which tends to be right.

        Words are looked for in the latest 10,000 searches.

        Args:
            collection: That was searched; None for all.

        Raises:
            FieldError: When the collection's name is malformed.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Ada prefers tea.", key="ada")
            ...     found = [memory.search("tea") for _ in range(3)]
            ...     report = memory.disagreement_report()
            >>> (report.searches, report.asked)
            (1, 3)
        """
        return self._engine.log_reporting.report(collection=collection)

    def redact_log(self, *, collection: str | None = None) -> RedactReport:
        """Put keyed hashes in the place of all queries and sessions in the log, as ``ids-only`` would.

        Their triples go. Counts, legs and feedback stay. Then the file is written anew, as by `forget`:
        writers wait for that. The setting ``log_searches`` says what is kept of later searches.

        Args:
            collection: That was searched; None for all.

        Raises:
            FieldError: When the collection's name is malformed.
            StoreError: When the file could not be written.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Ada prefers tea.", key="ada")
            ...     found = memory.search("tea")
            ...     searches = memory.redact_log().searches
            ...     (searches, memory.disagreements().items[0].query)
            (1, None)
        """
        return self._engine.log_reporting.redact(collection=collection)

    def flush_log(self) -> int:
        """Wait until every search that was answered before is in the file, or was dropped.

        What is in the file then survives kill -9. `close` does the same, and so does every method that
        shows the log or takes feedback.

        Returns:
            How many searches this `Memory` dropped since it was opened, since the file was busy.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Ada prefers tea.", key="ada")
            ...     found = memory.search("tea")
            ...     memory.flush_log()
            0
        """
        return self._engine.log_reporting.flush()
