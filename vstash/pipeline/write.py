"""Documents in and out: chunk, embed and store them; read, change and remove them."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from vstash.errors import (
    ChunkNotFoundError,
    CollectionNotFoundError,
    DocumentNotFoundError,
    FieldError,
    StoreBusyError,
    VstashError,
)
from vstash.filters import Filter, parse
from vstash.pipeline import prepare
from vstash.pipeline.once import settle
from vstash.pipeline.paging import decode_cursor, encode_cursor, page_limit
from vstash.pipeline.ready import Ready, Readying, document_row
from vstash.types import (
    UNSET,
    Chunk,
    Document,
    Json,
    JsonObject,
    NewDocument,
    Page,
    Unset,
)

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.store.rows import DocumentRow
    from vstash.store.session import Reader
    from vstash.store.writer import Writer

__all__ = ["BEFORE_ALL", "Writing", "require_collection"]

Outcome = TypeVar("Outcome")

# An update that others keep overtaking gives up after as many rounds.
_ROUNDS: Final = 5
# A time at which nothing has expired.
BEFORE_ALL: Final = -(2**63)


def require_collection(reader: Reader, name: str) -> None:
    """Refuse a collection that nothing was ever written to.

    Raises:
        CollectionNotFoundError: When there is none of this name.
    """
    if not reader.has_collection(name):
        raise CollectionNotFoundError(
            "There is no such collection: it exists from the first document written to it.",
            pointer="/collection",
        )


class Writing:
    """Stores, reads, changes and removes documents.

    Args:
        store: The file.
        readying: Chunks and embeds.
        settings: Limits.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self, store: Store, readying: Readying, settings: Settings, clock: Callable[[], int]
    ) -> None:
        self._store = store
        self.readying = readying
        self._settings = settings
        self._clock = clock

    def add(self, document: NewDocument, *, embed: bool = True) -> Document:
        """Store one document; see `Memory.add`."""
        prepared = prepare.prepare(document, self._settings)
        unchanged = self._unchanged(prepared)
        if unchanged is not None:
            return unchanged
        ready = self.readying.make_ready([(prepared, None)], embed=embed)
        return self._settled(ready, lambda stored: stored[0])

    def add_batch(
        self, documents: Sequence[NewDocument], *, embed: bool = True
    ) -> tuple[Document | VstashError, ...]:
        """Store many documents; see `Memory.add_batch`."""
        outcomes: dict[int, Document | VstashError] = {}
        fresh: list[tuple[int, prepare.Prepared]] = []
        places: set[tuple[str, str | None]] = set()
        for position, document in enumerate(documents):
            try:
                prepared = prepare.prepare(document, self._settings)
            except VstashError as error:
                outcomes[position] = error
                continue
            place = (prepared.collection, prepared.key)
            # What the file holds now is not what it will hold once the batch is stored.
            unchanged = None if place in places else self._unchanged(prepared)
            if unchanged is None:
                places.add(place)
                fresh.append((position, prepared))
            else:
                outcomes[position] = unchanged
        ready = self.readying.make_ready([(prepared, None) for _, prepared in fresh], embed=embed)
        places_of_stored = [position for position, _ in fresh]

        def in_order(stored: Sequence[Document]) -> tuple[Document | VstashError, ...]:
            found = outcomes | dict(zip(places_of_stored, stored, strict=True))
            return tuple(found[position] for position in range(len(documents)))

        return self._settled(ready, in_order) if ready else in_order(())

    def _unchanged(self, prepared: prepare.Prepared) -> Document | None:
        if prepared.key is None:
            return None
        with self._store.read() as reader:
            found = reader.document_by_key(prepared.collection, prepared.key, now=self._clock())
            if found is None:
                return None
            document = found[1]
        same_expiry = _expiry(document) == prepared.expires_at
        return document if document.content_hash == prepared.content_hash and same_expiry else None

    def store(self, ready: Sequence[Ready]) -> builtins.list[Document]:
        """Store documents in one transaction, each whole.

        Args:
            ready: Chunked and embedded documents.

        Returns:
            The stored documents in order, without text.
        """
        if not ready:
            return []
        with self._store.write() as writer:
            return self._put(writer, ready)

    def _put(self, writer: Writer, ready: Sequence[Ready]) -> builtins.list[Document]:
        now = self._clock()
        return [writer.put(item.row, item.chunks, now=now) for item in ready]

    def _settled(
        self, ready: Sequence[Ready], outcome: Callable[[Sequence[Document]], Outcome]
    ) -> Outcome:
        """Store documents together with what the caller is told of them."""
        with self._store.write() as writer:
            found = outcome(self._put(writer, ready))
            settle(writer, found)
            return found

    def _stored(self, writer: Writer, row: DocumentRow) -> Document:
        # A document that is stored already expired is still what the caller is told about.
        found = writer.document_by_key(row.collection, row.key, now=BEFORE_ALL)
        if found is None:
            raise DocumentNotFoundError("The document vanished while it was stored; try again.")
        return found[1]

    def get(self, id: str | None, *, key: str | None, collection: str | None) -> Document:
        """Read one document with its text; see `Memory.get`."""
        with self._store.read() as reader:
            number, document = self._find(reader, id, key, collection)
            return replace(document, text=reader.text(number))

    def _find(
        self,
        reader: Reader,
        id: str | None,
        key: str | None,
        collection: str | None,
    ) -> tuple[int, Document]:
        if (id is None) == (key is None):
            raise FieldError("Give either an id or a key.", pointer="/id")
        name = prepare.checked_collection(collection)
        now = self._clock()
        if key is not None:
            found = reader.document_by_key(name, prepare.checked_key(key), now=now)
        else:
            found = reader.document(prepare.checked_key(id or "", pointer="/id"), now=now)
        if found is None:
            word = "id" if key is None else "key"
            raise DocumentNotFoundError(
                f"There is no document with this {word}.", pointer=f"/{word}"
            )
        return found

    def get_chunk(self, chunk_id: int) -> Chunk:
        """Read one chunk; see `Memory.get_chunk`."""
        prepare.checked_chunk_id(chunk_id)
        with self._store.read() as reader:
            found = reader.chunks(np.array([chunk_id], dtype=np.int64)).get(chunk_id)
            hidden = found is None or reader.document(found[1].id, now=self._clock()) is None
        if found is None or hidden:
            raise ChunkNotFoundError(
                "There is no chunk with this id: replacing a document ends its chunks.",
                pointer="/chunk_id",
            )
        return found[0]

    def list(
        self,
        *,
        collection: str | None,
        where: JsonObject | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Document]:
        """List documents; see `Memory.list`."""
        name = prepare.checked_collection(collection)
        condition: Filter | None = None if where is None else parse(where)
        size = page_limit(limit)
        after = 0 if cursor is None else decode_cursor("documents", cursor)
        with self._store.read() as reader:
            require_collection(reader, name)
            found = reader.page(name, condition, after=after, limit=size + 1, now=self._clock())
        more = encode_cursor("documents", found[size - 1][0]) if len(found) > size else None
        return Page(tuple(document for _, document in found[:size]), more)

    def update(
        self,
        id: str | None,
        *,
        key: str | None,
        collection: str | None,
        text: str | Unset,
        title: str | Unset,
        tags: Sequence[str] | Unset,
        metadata: JsonObject | Unset,
        expires_at: datetime | Unset | None,
    ) -> Document:
        """Change some fields of a document; see `Memory.update`."""
        for _ in range(_ROUNDS):
            with self._store.read() as reader:
                number, old = self._find(reader, id, key, collection)
                old_text = reader.text(number)
                media_type = reader.origin(number).media_type
            document = NewDocument(
                text=old_text if isinstance(text, Unset) else text,
                key=old.key,
                title=old.title if isinstance(title, Unset) else title,
                collection=old.collection,
                tags=old.tags if isinstance(tags, Unset) else tags,
                metadata=old.metadata
                if isinstance(metadata, Unset)
                else merged(old.metadata, metadata),
                expires_at=old.expires_at if isinstance(expires_at, Unset) else expires_at,
            )
            prepared = prepare.prepare(document, self._settings, media_type=media_type)
            same_chunks = text is UNSET and prepared.title == old.title
            changed = self._change(number, old, prepared, same_chunks=same_chunks)
            if changed is not None:
                return changed
        raise StoreBusyError("Others keep changing this document; nothing was changed. Try again.")

    def replace(self, id: str, document: NewDocument) -> Document:
        """Replace a document; see `Memory.replace`."""
        for _ in range(_ROUNDS):
            with self._store.read() as reader:
                number, old = self._find(reader, id, None, None)
            full = replace(document, key=old.key, collection=old.collection)
            prepared = prepare.prepare(full, self._settings)
            changed = self._change(number, old, prepared, same_chunks=False)
            if changed is not None:
                return changed
        raise StoreBusyError("Others keep changing this document; nothing was changed. Try again.")

    def _change(
        self, number: int, old: Document, prepared: prepare.Prepared, *, same_chunks: bool
    ) -> Document | None:
        """Store a change of a document, or return None when somebody else was faster."""
        if prepared.content_hash == old.content_hash and prepared.expires_at == _expiry(old):
            return old
        now = self._clock()
        ready = None if same_chunks else self.readying.make_ready([(prepared, None)])[0]
        with self._store.write() as writer:
            found = writer.document(old.id, now=now)
            if found is None:
                raise DocumentNotFoundError("There is no document with this id.", pointer="/id")
            if (found[1].content_hash, found[1].updated) != (old.content_hash, old.updated):
                return None
            if ready is None:
                writer.put_fields(number, document_row(prepared, None), now=now)
                return self._stored(writer, document_row(prepared, None))
            return writer.put(ready.row, ready.chunks, now=now)

    def delete(self, id: str | None, *, key: str | None, collection: str | None) -> Document:
        """Remove one document; see `Memory.delete`."""
        with self._store.write() as writer:
            number, document = self._find(writer, id, key, collection)
            writer.delete(number)
            return document

    def delete_many(self, document_ids: Sequence[str]) -> None:
        """Remove documents by id in one transaction; those already gone are passed over."""
        with self._store.write() as writer:
            for document_id in document_ids:
                found = writer.document(document_id, now=BEFORE_ALL)
                if found is not None:
                    writer.delete(found[0])


def merged(target: JsonObject, patch: JsonObject) -> JsonObject:
    """A JSON merge patch applied to an object (RFC 7396, section 2).

    Args:
        target: The object as it is.
        patch: Fields to set; None removes one.

    Example:
        >>> merged({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
        {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        raise FieldError("Metadata is a JSON object.", pointer="/metadata")
    result: dict[str, Json] = dict(target)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            below = result.get(name)
            result[name] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def _expiry(document: Document) -> int | None:
    return prepare.checked_expiry(document.expires_at)
