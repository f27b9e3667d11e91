"""Methods of `Memory` that make queries of which the answer is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from vstash.memory.base import Base
from vstash.mining import (
    MADE_FORMS,
    Form,
    LabelReport,
    LanguageModel,
    LearnReport,
    MadeQuery,
    MineReport,
    MineWatcher,
)
from vstash.types import Page

__all__ = ["Mining"]


class Mining(Base):
    """Queries made from the corpus, or given with judgements, and the triples that follow."""

    def mine(
        self,
        *,
        collection: str | None = None,
        forms: Sequence[Form] = MADE_FORMS,
        per_document: int = 3,
        limit: int | None = None,
        seed: int = 0,
        progress: MineWatcher | None = None,
        asked_by: LanguageModel | None = None,
    ) -> MineReport:
        """Make queries from the documents of a collection, and triples where the two indexes disagree.

        For a corpus that nobody searches yet. Each query comes with the passage that answers it, and
        neither holds the other word for word. Nothing is logged. What is made is stored every few
        documents: a call after one that was interrupted goes on where that one ended, and one after
        documents were added goes through these.

        Args:
            collection: Whose documents; None for ``default``.
            forms: How queries are made: ``title`` and ``heading`` ask for a passage of which these are
                masked, ``first_sentence`` for one of the document's other passages, ``keyphrase`` by some
                informative words, ``cloze`` by a sentence for the passage beside its own, or by a sentence
                of which a third is left out.
            per_document: How many of each form at most from one document, 1 to 20.
            limit: How many in this call at most; None for all.
            seed: Which ones: the same file and seed give the same queries.
            progress: Called before the first batch and after each; what it raises leaves the rest.
            asked_by: Have a language model ask a question for each of some passages, too, as form
                ``asked``. Passages are sent to its address.

        Returns:
            How many were made, and how many documents are left.

        Raises:
            FieldError, QueryError: When an option is malformed or out of range.
            CollectionNotFoundError: When nothing was ever written to the collection.
            LanguageModelError: When the language model does not answer; what was made is kept.
            StoreReadOnlyError: When the file cannot be written.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("The port is 8090. Ada prefers tea.", title="On staging servers")
            ...     memory.mine(forms=["title"]).queries
            {'title': 1}
        """
        return self._engine.mining.mine(
            collection=collection,
            forms=forms,
            per_document=per_document,
            limit=limit,
            seed=seed,
            progress=progress,
            asked_by=asked_by,
        )

    def label(
        self,
        queries: Mapping[str, str],
        judgements: Mapping[str, Mapping[str, int]],
        *,
        collection: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> LabelReport:
        """Take queries with judgements, and make triples where the two indexes disagree about an answer.

        Nothing is logged. Other documents that are judged relevant are never negatives.

        Args:
            queries: Texts by ids of your own.
            judgements: For each of these ids, grades by the keys of documents; above 0 is relevant.
            collection: Of the documents; None for ``default``.
            progress: Called after each batch with queries done and queries in all.

        Returns:
            How many were used, and how many negatives turned out to be relevant.

        Raises:
            FieldError: When one is malformed; nothing was stored.
            CollectionNotFoundError: When nothing was ever written to the collection.
            StoreReadOnlyError: When the file cannot be written.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Ada prefers tea.", key="ada")
            ...     memory.label({"q1": "what does Ada drink"}, {"q1": {"ada": 1}}).stored
            1
        """
        return self._engine.labelling.label(
            queries, judgements, collection=collection, progress=progress
        )

    def learn_report(self, *, collection: str | None = None, samples: int = 5) -> LearnReport:
        """Sum up what there is to learn from: triples of the log, of `mine` and of `label`.

        Args:
            collection: Only of queries in it; None for all.
            samples: How many triples to show with their texts, 0 to 100.

        Returns:
            Counts, how hard and how sure the triples are, how much of the collection they cover, how many
            negatives may be answers, and what all of it is worth to a learner.

        Raises:
            FieldError, QueryError: When one is malformed or out of range.
            CollectionNotFoundError: When nothing was ever written to the collection.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.learn_report().effective
            0.0
        """
        return self._engine.learn_reporting.report(collection=collection, samples=samples)

    def made_queries(
        self,
        *,
        collection: str | None = None,
        form: Form | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[MadeQuery]:
        """List queries that `mine` made or `label` took, newest first, with their triples.

        Args:
            collection: None for all.
            form: None for all.
            limit: Per page, 1 to 1,000.
            cursor: ``next_cursor`` of the page before.

        Raises:
            FieldError, QueryError, CursorError: When one is malformed.
            CollectionNotFoundError: When nothing was ever written to the collection.
        """
        return self._engine.mining.made_queries(
            collection=collection, form=form, limit=limit, cursor=cursor
        )

    def remove_made(self, *, collection: str | None = None, form: Form | None = None) -> int:
        """Remove queries that `mine` made or `label` took, with their triples; `mine` begins anew then.

        Args:
            collection: None for all.
            form: None for all.

        Returns:
            How many queries there were.

        Raises:
            FieldError: When one is malformed.
            CollectionNotFoundError: When nothing was ever written to the collection.
            StoreReadOnlyError: When the file cannot be written.
        """
        return self._engine.mining.remove(collection=collection, form=form)
