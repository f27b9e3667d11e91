"""Methods of `Memory` that take and show feedback on searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vstash.feedback import Feedback, JudgedSearch, Verdict, VerdictName
from vstash.memory.base import Base
from vstash.types import Page

if TYPE_CHECKING:
    from vstash.errors import VstashError

__all__ = ["Judging"]


class Judging(Base):
    """Feedback: which chunks answered a search."""

    def feedback(
        self,
        search_id: str,
        chunk_id: int,
        verdict: VerdictName,
        *,
        collection: str | None = None,
    ) -> Verdict:
        """Say whether a chunk answered a search; the last verdict on a chunk counts.

        It is kept as long as the log keeps the search and the file the document; replacing the
        document ends the chunk and leaves the feedback. Once the same is asked again, the id of the
        earlier search is good for two days more.

        Args:
            search_id: ``id`` of the `SearchResult` of a hybrid search that was logged.
            chunk_id: Of any chunk in the collection that was searched, found or not.
            verdict: ``helpful``, ``not_helpful``, ``cited`` for one that an answer quotes, or ``opened``
                for one that somebody went on to read; that takes the place of no other verdict.
            collection: That must have been searched; None for any.

        Returns:
            What is stored; a repetition changes nothing.

        Raises:
            SearchNotFoundError: When the log does not hold the search, or it was of another collection.
            ChunkNotFoundError: When the collection has no such chunk.
            FieldError: When a value is malformed.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Ada prefers tea.", key="ada")
            ...     result = memory.search("tea")
            ...     memory.feedback(result.id, result.hits[0].chunk.id, "helpful").document_key
            'ada'
        """
        return self._engine.judging.feedback(Feedback(search_id, chunk_id, verdict, collection))

    def feedback_batch(self, feedback: Sequence[Feedback]) -> tuple[Verdict | VstashError, ...]:
        """Give many verdicts at once, in one transaction for all that are valid.

        Args:
            feedback: Any number of `Feedback`.

        Returns:
            For each, in order, what is stored or the error that kept it out.

        Raises:
            StoreError: When the file could not be written: none was stored.
        """
        return self._engine.judging.feedback_batch(feedback)

    def judged_searches(
        self, *, collection: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[JudgedSearch]:
        """Show the searches that got feedback, newest first.

        Args:
            collection: That was searched; None for all.
            limit: Per page, 1 to 1,000.
            cursor: ``next_cursor`` of the page before.

        Raises:
            QueryError, CursorError, FieldError: When one is malformed.
        """
        return self._engine.judging.searches(collection=collection, limit=limit, cursor=cursor)
