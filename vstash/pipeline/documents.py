"""Reading documents and their chunks."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, get_args

import numpy as np

from vstash.errors import CursorError, FieldError, QueryError
from vstash.errors.missing import no_chunk, no_collection, no_document
from vstash.filters import Filter, parse
from vstash.pipeline import prepare
from vstash.pipeline.paging import decode_cursor, encode_cursor, page_limit
from vstash.reports import CollectionInfo
from vstash.store.documents import to_microseconds
from vstash.types import Chunk, ChunkWindow, Document, IncludeName, JsonObject, Page

if TYPE_CHECKING:
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.types import IdArray

__all__ = ["BEFORE_ALL", "Documents", "find", "living_texts", "require_collection"]

# A time at which nothing has expired.
BEFORE_ALL: Final = -(2**63)

MAX_NEIGHBOURS: Final = 20
_INCLUDED: Final[tuple[IncludeName, ...]] = get_args(IncludeName)


def require_collection(reader: Reader, name: str) -> None:
    """Refuse a collection that nothing was ever written to.

    Raises:
        CollectionNotFoundError: When there is none of this name.
    """
    if not reader.has_collection(name):
        raise no_collection()


def living_texts(reader: Reader, ids: Collection[int], now: int) -> dict[int, str]:
    """Texts of chunks that exist and have not expired, by chunk id."""
    found = reader.chunks(np.array(sorted(ids), dtype=np.int64))
    return {
        chunk: text.text
        for chunk, (text, document) in found.items()
        if document.expires_at is None or to_microseconds(document.expires_at) > now
    }


def find(
    reader: Reader, id: str | None, key: str | None, collection: str | None, *, now: int
) -> tuple[int, Document]:
    """The document with an id, or with a key in a collection, and its internal number.

    Raises:
        DocumentNotFoundError: When there is none, or it has expired.
        FieldError: When both or neither are given, or one is malformed.
    """
    if (id is None) == (key is None):
        raise FieldError("Give either an id or a key.", pointer="/id")
    name = prepare.checked_collection(collection)
    if key is not None:
        found = reader.document_by_key(name, prepare.checked_key(key), now=now)
    else:
        found = reader.document(prepare.checked_key(id or "", pointer="/id"), now=now)
    if found is None:
        raise no_document("id" if key is None else "key")
    return found


class Documents:
    """Reads documents, their chunks and collections.

    Args:
        store: The file.
        clock: Microseconds since the epoch.
    """

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    def get(
        self,
        id: str | None,
        *,
        key: str | None,
        collection: str | None,
        include: Sequence[IncludeName],
    ) -> Document:
        """Read one document; see `Memory.get`."""
        if isinstance(include, str) or not set(include).issubset(_INCLUDED):
            raise QueryError(f"include names any of: {', '.join(_INCLUDED)}.", pointer="/include")
        with self._store.read() as reader:
            number, document = find(reader, id, key, collection, now=self._clock())
            if "text" in include:
                document = replace(document, text=reader.text(number))
            if "chunks" in include:
                document = replace(document, chunks=_read(reader, reader.chunk_ids(document.id)))
            return document

    def chunks(
        self,
        id: str | None,
        *,
        key: str | None,
        collection: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Chunk]:
        """List the chunks of a document; see `Memory.chunks`."""
        size = page_limit(limit)
        after = None if cursor is None else decode_cursor("chunks", cursor)
        with self._store.read() as reader:
            _, document = find(reader, id, key, collection, now=self._clock())
            ids = reader.chunk_ids(document.id)
            if after is not None:
                if after not in ids:
                    raise CursorError(
                        "The document was replaced since this cursor was made: start without one.",
                        pointer="/cursor",
                    )
                ids = ids[ids > after]
            items = _read(reader, ids[:size])
        more = encode_cursor("chunks", items[-1].id) if len(ids) > size else None
        return Page(items, more)

    def get_chunk(self, chunk_id: int) -> Chunk:
        """Read one chunk; see `Memory.get_chunk`."""
        with self._store.read() as reader:
            return self._chunk(reader, chunk_id)

    def around(self, chunk_id: int, *, before: int, after: int) -> ChunkWindow:
        """Read a chunk and its neighbours; see `Memory.around`."""
        for name, count in (("before", before), ("after", after)):
            if isinstance(count, bool) or not isinstance(count, int) or count not in _NEIGHBOURS:
                raise QueryError(f"{name} is 0 to {MAX_NEIGHBOURS}.", pointer=f"/{name}")
        with self._store.read() as reader:
            chunk = self._chunk(reader, chunk_id)
            ids = reader.chunk_ids(chunk.document_id)
            near = ids[(ids >= chunk_id - before) & (ids <= chunk_id + after)]
            found = _read(reader, near)
        return ChunkWindow(
            chunk,
            tuple(each for each in found if each.id < chunk_id),
            tuple(each for each in found if each.id > chunk_id),
        )

    def _chunk(self, reader: Reader, chunk_id: int) -> Chunk:
        prepare.checked_chunk_id(chunk_id)
        found = reader.chunks(np.array([chunk_id], dtype=np.int64)).get(chunk_id)
        if found is None or reader.document(found[1].id, now=self._clock()) is None:
            raise no_chunk()
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

    def collections(self) -> tuple[CollectionInfo, ...]:
        """Say what each collection holds; see `Memory.collections`."""
        with self._store.read() as reader:
            return reader.collections()

    def collection(self, name: str) -> CollectionInfo:
        """Say what one collection holds; see `Memory.collection`."""
        prepare.checked_collection(name)
        for found in self.collections():
            if found.name == name:
                return found
        raise no_collection()


_NEIGHBOURS: Final = range(MAX_NEIGHBOURS + 1)


def _read(reader: Reader, ids: IdArray) -> tuple[Chunk, ...]:
    found = reader.chunks(ids)
    in_order: builtins.list[int] = ids.tolist()
    return tuple(found[each][0] for each in in_order if each in found)
