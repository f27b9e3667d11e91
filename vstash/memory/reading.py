"""Methods of `Memory` that read: search, documents, and what the file says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vstash.memory.base import Base
from vstash.pipeline.shape import MMR_LAMBDA, Shape
from vstash.reports import Stats
from vstash.types import (
    Chunk,
    ChunkWindow,
    Collapse,
    Document,
    IncludeName,
    JsonObject,
    Mmr,
    Mode,
    Page,
    SearchResult,
    StrategyName,
)

if TYPE_CHECKING:
    from vstash.contexts import Context, ContextOrder, TokenCounter
    from vstash.misses import WhyNot
    from vstash.types import AnyVector

__all__ = ["Reading"]


class Reading(Base):
    """Searching, getting and listing."""

    def search(
        self,
        query: str,
        *,
        vector: AnyVector | None = None,
        k: int = 10,
        collection: str | None = None,
        filter: JsonObject | None = None,
        mode: Mode = "hybrid",
        strategy: StrategyName | None = None,
        explain: bool = False,
        min_relevance: float | None = None,
        collapse: Collapse | None = None,
        mmr: Mmr | None = None,
        mmr_lambda: float = MMR_LAMBDA,
        fold_duplicates: bool = False,
        recency_half_life_days: float | None = None,
        log: bool = True,
        session: str | None = None,
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
            min_relevance: Leave out hits whose relevance is lower, in [0, 1]; needs ``score``. Where
                none is left, ``abstained`` says so.
            collapse: ``document`` returns one hit a document, its best chunk; k counts documents.
            mmr: Choose the hits by maximal marginal relevance: ``within`` keeps the chunks of one
                document apart, ``across`` all. Measured elsewhere (arXiv 2604.13728), it costs 20 to
                25 % of nDCG@10 for 24 % more diversity.
            mmr_lambda: 0 to 1; 1 is relevance alone.
            fold_duplicates: Leave out hits whose text equals a better one's or whose vectors are as
                near as .98. Nothing in the store changes.
            recency_half_life_days: Add to each score a quarter of what lies between the best and the
                worst candidate, halved for every so many days since the document last changed.
            log: Whether this is a real search that belongs in the disagreement log. In this process it
                adds to what is known of the collection's searches all the same (docs/fusion.md).
            session: A caller's own opaque name for what somebody is about, 1 to 200 characters: a query
                that puts an earlier one of the last ten minutes in other words is logged as its
                reformulation.

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
            min_relevance=min_relevance,
            shape=Shape(collapse, mmr, mmr_lambda, fold_duplicates, recency_half_life_days),
            log=log,
            session=session,
        )

    def why_not(
        self,
        query: str,
        *,
        document: str | None = None,
        key: str | None = None,
        chunk: int | None = None,
        vector: AnyVector | None = None,
        k: int = 10,
        collection: str | None = None,
        filter: JsonObject | None = None,
        mode: Mode = "hybrid",
        strategy: StrategyName | None = None,
        min_relevance: float | None = None,
        collapse: Collapse | None = None,
        mmr: Mmr | None = None,
        mmr_lambda: float = MMR_LAMBDA,
        fold_duplicates: bool = False,
        recency_half_life_days: float | None = None,
    ) -> WhyNot:
        """Say at which stage a search loses a document or a chunk, by how much, and what would help.

        Of a document its best chunk is followed. Nothing is logged, and later searches are not
        touched.

        Args:
            query: Any text with a visible character.
            document: Id of the document; or give ``key`` or ``chunk``.
            key: Its key, looked for in the collection that is searched first.
            chunk: As in ``hit.chunk.id``.
            vector: As in `search`, and so what follows.
            k: How many hits.
            collection: None for ``default``.
            filter: A filter tree.
            mode: Which indexes are asked.
            strategy: Of hybrid.
            min_relevance: As in `search`.
            collapse: As in `search`.
            mmr: As in `search`.
            mmr_lambda: Of MMR.
            fold_duplicates: As in `search`.
            recency_half_life_days: As in `search`.

        Raises:
            QueryError, FilterError, FieldError: When one is empty, malformed or out of range.
            CollectionNotFoundError: When nothing was ever written to the collection.
            DocumentNotFoundError, ChunkNotFoundError: When there is none in the file.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.add_batch([NewDocument("Ada prefers tea."), NewDocument("Bob.", key="bob")])
            ...     told = memory.why_not("what does Ada drink?", key="bob", k=1)
            >>> (told.stage, told.rank, told.k_needed)
            ('outscored', 2, 2)
        """
        return self._engine.misses.why_not(
            query,
            document=document,
            key=key,
            chunk=chunk,
            vector=vector,
            k=k,
            collection=collection,
            where=filter,
            mode=mode,
            strategy=strategy,
            min_relevance=min_relevance,
            shape=Shape(collapse, mmr, mmr_lambda, fold_duplicates, recency_half_life_days),
        )

    def context(
        self,
        query: str,
        *,
        vector: AnyVector | None = None,
        max_tokens: int = 2000,
        tokenizer: TokenCounter | None = None,
        k: int | None = None,
        collection: str | None = None,
        filter: JsonObject | None = None,
        mode: Mode = "hybrid",
        strategy: StrategyName | None = None,
        min_relevance: float | None = None,
        order: ContextOrder = "edges",
        widen: bool = True,
        mmr: Mmr | None = None,
        mmr_lambda: float = MMR_LAMBDA,
        fold_duplicates: bool = False,
        recency_half_life_days: float | None = None,
        log: bool = True,
        session: str | None = None,
    ) -> Context:
        """Put together the passages that answer a query, for a prompt of a known size.

        Hits are taken from the best on as long as they fit; those of one document that meet or
        overlap become one passage, and equal texts are taken once. Each passage stands under a line
        with its number, its source, and a mark that nothing stored contains.

        Args:
            query: Any text with a visible character.
            vector: As in `search`.
            max_tokens: What the whole text may take, 1 to 1,000,000.
            tokenizer: Counts tokens: the path of a ``tokenizer.json``, or a function from a text to
                their number; None for the setting, which is the embedding model's own. Special
                tokens that a model adds are not counted.
            k: How many hits to choose from, 1 to 200; None for one to every 25 tokens of
                ``max_tokens``, 30 to 200.
            collection: None for ``default``.
            filter: As in `search`.
            mode: As in `search`.
            strategy: As in `search`.
            min_relevance: As in `search`.
            order: ``edges`` puts the best passages at both ends, where models use them best (Liu et
                al. 2023); ``rank`` the best first; ``document`` keeps those of a document together.
            widen: Fill what is left with the chunks before and after the hits.
            mmr: As in `search`, and so what follows.
            mmr_lambda: Of MMR.
            fold_duplicates: Leave out what nearly repeats a better hit.
            recency_half_life_days: Raise what changed lately.
            log: Whether this is a real search that belongs in the disagreement log.
            session: As in `search`.

        Returns:
            The text, its passages, its exact size, and what had no room.

        Raises:
            QueryError, FilterError, FieldError: When one is empty, malformed or out of range.
            PathNotFoundError: When the tokenizer's file cannot be read.
            CollectionNotFoundError: When nothing was ever written to the collection.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Ada prefers tea.", key="ada")
            ...     context = memory.context("What does Ada drink?", max_tokens=200)
            >>> (context.passages[0].key, context.tokens <= 200)
            ('ada', True)
        """
        return self._engine.contexts.context(
            query,
            max_tokens=max_tokens,
            tokenizer=tokenizer,
            order=order,
            widen=widen,
            k=k,
            vector=vector,
            collection=collection,
            where=filter,
            mode=mode,
            strategy=strategy,
            min_relevance=min_relevance,
            shape=Shape(None, mmr, mmr_lambda, fold_duplicates, recency_half_life_days),
            log=log,
            session=session,
        )

    def get(
        self,
        id: str | None = None,
        *,
        key: str | None = None,
        collection: str | None = None,
        include: Sequence[IncludeName] = ("text",),
    ) -> Document:
        """Read one document with its text.

        Args:
            id: Its id; or give ``key``.
            key: Its key.
            collection: Of the key; None for ``default``.
            include: ``text``, ``chunks``, both or neither.

        Raises:
            DocumentNotFoundError: When there is none, or it has expired.
            QueryError: When something else is to be included.
        """
        return self._engine.documents.get(id, key=key, collection=collection, include=include)

    def chunks(
        self,
        id: str | None = None,
        *,
        key: str | None = None,
        collection: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Chunk]:
        """List the chunks of one document in its order.

        Args:
            id: Its id; or give ``key``.
            key: Its key.
            collection: Of the key; None for ``default``.
            limit: Chunks per page, 1 to 1,000.
            cursor: ``next_cursor`` of the page before.

        Raises:
            DocumentNotFoundError: When there is none, or it has expired.
            CursorError: When it is malformed, or the document was replaced since.
            QueryError: When the limit is out of range.
        """
        return self._engine.documents.chunks(
            id, key=key, collection=collection, limit=limit, cursor=cursor
        )

    def get_chunk(self, chunk_id: int) -> Chunk:
        """Read one chunk.

        Args:
            chunk_id: As in ``hit.chunk.id``.

        Raises:
            ChunkNotFoundError: When there is none; replacing a document ends its chunks.
        """
        return self._engine.documents.get_chunk(chunk_id)

    def around(self, chunk_id: int, *, before: int = 1, after: int = 1) -> ChunkWindow:
        """Read a chunk with its neighbours in the document.

        Args:
            chunk_id: As in ``hit.chunk.id``.
            before: How many chunks before it at most, 0 to 20.
            after: How many after it.

        Raises:
            ChunkNotFoundError: When there is none; replacing a document ends its chunks.
            QueryError: When a number is out of range.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Tea is hot.", key="tea")
            ...     memory.around(memory.chunks(key="tea").items[0].id).after
            ()
        """
        return self._engine.documents.around(chunk_id, before=before, after=after)

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
        return self._engine.documents.list(
            collection=collection, where=filter, limit=limit, cursor=cursor
        )

    def stats(self) -> Stats:
        """Say what the file holds."""
        return self._engine.reporting.stats()
