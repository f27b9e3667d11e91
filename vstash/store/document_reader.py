"""Reading documents, their chunks and collections, and queries that they are known to answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import apsw

from vstash.filters import Filter
from vstash.reports import CollectionInfo
from vstash.store import collections, documents, sources, spans
from vstash.store.connection import id_list
from vstash.store.counts import documents_by_collection
from vstash.store.filter_sql import visible
from vstash.store.made import MadeReader
from vstash.store.rows import Origin, SourceRow
from vstash.store.taught import TaughtReader
from vstash.types import Chunk, Document

if TYPE_CHECKING:
    from vstash.types import IdArray

__all__ = ["DocumentReader"]


class DocumentReader:
    """The part of a read transaction that is about documents.

    Args:
        connection: In a transaction.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def has_collection(self, name: str) -> bool:
        """Whether anything was ever written to this collection."""
        return documents.collection_number(self._connection, name) is not None

    def document(self, document_id: str, *, now: int) -> tuple[int, Document] | None:
        """A document by id with its internal number; expired ones are not seen."""
        return self._first("d.id = ?", (document_id,), now)

    def document_by_key(
        self, collection: str, key: str, *, now: int
    ) -> tuple[int, Document] | None:
        """A document by collection and key; expired ones are not seen."""
        return self._first("c.name = ? AND d.key = ?", (collection, key), now)

    def documents_with_key(self, key: str) -> list[Document]:
        """The documents of any collection that have a key, expired ones too."""
        # By collection, so that the index of keys serves.
        among = "d.collection IN (SELECT id FROM collection) AND d.key = ?"
        return [document for _, document in documents.find(self._connection, among, (key,))]

    def chunk_ids(self, document_id: str) -> IdArray:
        """The chunks of a document by id, in its order."""
        return spans.chunk_ids(self._connection, document_id)

    def _first(self, where: str, binds: tuple[str, ...], now: int) -> tuple[int, Document] | None:
        found = documents.find(
            self._connection,
            f"{where} AND (d.expires_at IS NULL OR d.expires_at > ?)",
            (*binds, now),
            1,
        )
        return found[0] if found else None

    def text(self, number: int) -> str:
        """The whole text of a document by internal number."""
        return documents.read_text(self._connection, number)

    def origin(self, number: int) -> Origin:
        """Where a document came from, by internal number."""
        return sources.origin(self._connection, number)

    def page(
        self, collection: str | None, where: Filter | None, *, after: int, limit: int, now: int
    ) -> list[tuple[int, Document]]:
        """Documents of one collection or all in the order of their creation, after a number."""
        condition, binds = visible(collection, where, now=now)
        return documents.find(
            self._connection, f"d.number > ? AND {condition}", (after, *binds), limit
        )

    def documents_by_collection(
        self, collection: str | None, where: Filter | None, *, now: int
    ) -> dict[str, int]:
        """How many documents `page` lists of each collection, by name, where there are any."""
        return documents_by_collection(self._connection, *visible(collection, where, now=now))

    def collections(self) -> tuple[CollectionInfo, ...]:
        """What each collection holds, by name."""
        return collections.infos(self._connection)

    def all_of(self, collection: str) -> list[tuple[int, Document]]:
        """Every document of a collection, expired ones too."""
        return documents.find(self._connection, "c.name = ?", (collection,))

    def below(self, source: str, collection: str | None) -> list[tuple[int, Document]]:
        """Documents whose key is a path or URL or lies below it, expired ones too; None for any collection."""
        return documents.find(
            self._connection,
            # A slash is followed by 0 in the order of characters.
            "(d.key = ? OR (d.key >= ? AND d.key < ?)) AND (? IS NULL OR c.name = ?)",
            (source, f"{source}/", f"{source}0", collection, collection),
        )

    def passages(self, ids: Sequence[int]) -> Iterator[tuple[int, str, str, str]]:
        """Chunks by id with their titles, headings and texts."""
        return documents.passages(self._connection, ids)

    def expired(self, limit: int, *, now: int) -> list[int]:
        """Internal numbers of documents that have expired by a time."""
        return collections.expired(self._connection, limit, now=now)

    def sources(self, collection: str, prefix: str) -> list[SourceRow]:
        """The files behind the documents whose key starts with a prefix."""
        return sources.sources_below(self._connection, collection, prefix)

    def chunks(self, ids: IdArray) -> dict[int, tuple[Chunk, Document]]:
        """Chunks with their documents, by chunk id."""
        return documents.chunks_by_id(self._connection, ids)

    def owners(self, ids: IdArray) -> dict[int, str]:
        """Document id of each chunk that exists."""
        rows = self._connection.execute(
            "SELECT chunk.id, d.id FROM chunk JOIN document d ON d.number = chunk.document "
            "WHERE chunk.id IN carray(?)",
            (id_list(ids),),
        )
        return {int(chunk): str(document) for chunk, document in rows}

    def updated(self, ids: IdArray) -> dict[int, int]:
        """When the document of each chunk that exists last changed, microseconds since the epoch."""
        return spans.updated_times(self._connection, ids)

    def span(self, document_id: str, start: int, end: int) -> str:
        """``text[start:end]`` of a document by id."""
        return spans.read_span(self._connection, document_id, start, end)

    @property
    def mined(self) -> MadeReader:
        """Queries of which the answer is known."""
        return MadeReader(self._connection)

    def taught(self, collection: str | None, *, now: int) -> TaughtReader:
        """The triples of a collection, None for all, to be summed up."""
        return TaughtReader(self._connection, collection, now)
