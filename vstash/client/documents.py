"""Methods of `Client` about documents."""

from __future__ import annotations

from dataclasses import asdict

from vstash.client.base import Arguments, Base, like, plain, segment, with_filter
from vstash.client.decoding import decoded, told
from vstash.errors import VstashError
from vstash.memory import Memory
from vstash.types import Chunk, Document, NewDocument, Page

__all__ = ["Documents"]


class Documents(Base):
    """Storing, reading, changing and removing."""

    @like(Memory.add)
    def add(self, given: Arguments) -> Document:
        """Store a document."""
        return decoded(Document, self._service.send("POST", "/v1/documents", body=given, once=True))

    @like(Memory.add_batch)
    def add_batch(self, given: Arguments) -> tuple[Document | VstashError, ...]:
        """Store many documents."""
        body = given | {"documents": [_new(item) for item in given["documents"]]}
        answer = self._service.send("POST", "/v1/documents:batch", body=body, once=True)
        return tuple(told(result, "document", Document) for result in answer["results"])

    @like(Memory.get)
    def get(self, given: Arguments) -> Document:
        """Read a document with its text."""
        return decoded(Document, self._service.send("GET", self._place(given)))

    @like(Memory.get_chunk)
    def get_chunk(self, given: Arguments) -> Chunk:
        """Read a chunk."""
        place = f"/v1/chunks/{segment(given['chunk_id'])}"
        return decoded(Chunk, self._service.send("GET", place))

    @like(Memory.list)
    def list(self, given: Arguments) -> Page[Document]:
        """List documents."""
        answer = self._service.send("GET", "/v1/documents", query=with_filter(given))
        return decoded(Page[Document], answer)

    @like(Memory.update)
    def update(self, given: Arguments) -> Document:
        """Change some fields of a document."""
        return decoded(Document, self._service.send("PATCH", self._place(given), body=given))

    @like(Memory.replace)
    def replace(self, given: Arguments) -> Document:
        """Replace a document."""
        return decoded(Document, self._service.send("PUT", self._place(given), body=given))

    @like(Memory.delete)
    def delete(self, given: Arguments) -> Document:
        """Remove a document."""
        headers = {"Prefer": "return=representation"}
        return decoded(Document, self._service.send("DELETE", self._place(given), headers=headers))


def _new(item: NewDocument) -> dict[str, object]:
    return {name: plain(name, value) for name, value in asdict(item).items() if value is not None}
