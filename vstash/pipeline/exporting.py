"""Writing the documents of a file as a stream of lines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Final

from vstash.filters import Filter, parse
from vstash.pipeline.documents import require_collection
from vstash.pipeline.prepare import checked_collection
from vstash.pipeline.ready import digest
from vstash.pipeline.transfer import Passage, document_line, manifest_line, trailer_line
from vstash.text.chunk import passage

if TYPE_CHECKING:
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.types import Document, JsonObject, ModelInfo

__all__ = ["Exporting"]

# Documents that are listed at a time; their texts are read one by one.
_PAGE: Final = 100


class Exporting:
    """Streams documents out of a file.

    Args:
        store: The file.
        model: The file's model.
        number: Its number in the file.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self, store: Store, model: ModelInfo, number: int, clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._model = model
        self._number = number
        self._clock = clock

    def export(
        self, *, collection: str | None, where: JsonObject | None, include_vectors: bool
    ) -> Generator[bytes, None, None]:
        """Stream; see `Memory.export`."""
        name = None if collection is None else checked_collection(collection)
        condition = None if where is None else parse(where)
        if name is not None:
            with self._store.read() as reader:
                require_collection(reader, name)
        return self._lines(name, condition, vectors=include_vectors)

    def _lines(
        self, collection: str | None, where: Filter | None, *, vectors: bool
    ) -> Generator[bytes, None, None]:
        from importlib.metadata import version  # noqa: PLC0415 - 15 ms that only who asks pays

        told = hashlib.sha256()
        with self._store.read() as reader:
            now = self._clock()
            found = reader.documents_by_collection(collection, where, now=now)
            first = manifest_line(version("vstash"), found, self._model, vectors=vectors)
            told.update(first)
            yield first
            after, written = 0, 0
            while page := reader.page(collection, where, after=after, limit=_PAGE, now=now):
                for number, document in page:
                    line = self._line(reader, number, document, vectors=vectors)
                    told.update(line)
                    yield line
                after, written = page[-1][0], written + len(page)
            yield trailer_line(written, told.hexdigest())

    def _line(self, reader: Reader, number: int, document: Document, *, vectors: bool) -> bytes:
        passages = self._passages(reader, document) if vectors else None
        return document_line(document, reader.text(number), reader.origin(number), passages)

    def _passages(self, reader: Reader, document: Document) -> list[Passage]:
        ids = reader.chunk_ids(document.id)
        chunks = reader.chunks(ids)
        found, matrix = reader.vectors(self._number, ids)
        vectors = dict(zip(found.tolist(), matrix, strict=True))
        passages = []
        for each, (chunk, _) in sorted(chunks.items()):
            # What a caller brought a vector for was never counted in tokens, nor embedded.
            embedded = passage(document.title, chunk.heading, chunk.text) if chunk.tokens else None
            known = None if embedded is None else digest(embedded)
            passages.append(Passage(known, vectors.get(each)))
        return passages
