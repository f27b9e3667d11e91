"""Methods of `Client` about documents."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Final

from vstash.client.base import Arguments, Base, like, plain, segment, with_filter
from vstash.client.decoding import decoded, told
from vstash.errors import FieldError, PreconditionError, VstashError
from vstash.memory import Memory
from vstash.reports import DeleteReport
from vstash.types import Chunk, ChunkWindow, Document, NewDocument, Page

__all__ = ["Documents"]

_ANY: Final = "*"
_ETAG: Final = re.compile("[!#-~]*")


class Documents(Base):
    """Storing, reading, changing and removing."""

    @like(Memory.add)
    def add(self, given: Arguments) -> Document:
        """Store a document."""
        headers = _if_match(given)
        if given.pop("if_absent", False):
            headers["If-None-Match"] = "*"
        if "If-Match" in headers:
            query = {name: given.pop(name, None) for name in ("key", "collection")}
            if query["key"] is None:
                raise PreconditionError("There is no document with this key, so no etag matches.")
            answer = self._service.send(
                "PUT", "/v1/documents", body=given, query=query, headers=headers, once=True
            )
        else:
            answer = self._service.send(
                "POST", "/v1/documents", body=given, headers=headers, once=True
            )
        return decoded(Document, answer)

    @like(Memory.add_batch)
    def add_batch(self, given: Arguments) -> tuple[Document | VstashError, ...]:
        """Store many documents."""
        body = given | {"documents": [_new(item) for item in given["documents"]]}
        answer = self._service.send("POST", "/v1/documents:batch", body=body, once=True)
        return tuple(told(result, "document", Document) for result in answer["results"])

    @like(Memory.get)
    def get(self, given: Arguments) -> Document:
        """Read a document with its text."""
        place = self._place(given)
        include = given.get("include")
        query = given | {"include": ",".join(include)} if isinstance(include, list) else given
        return decoded(Document, self._service.send("GET", place, query=query))

    @like(Memory.chunks)
    def chunks(self, given: Arguments) -> Page[Chunk]:
        """List the chunks of a document."""
        place = f"{self._place(given)}/chunks"
        return decoded(Page[Chunk], self._service.send("GET", place, query=given))

    @like(Memory.get_chunk)
    def get_chunk(self, given: Arguments) -> Chunk:
        """Read a chunk."""
        place = f"/v1/chunks/{segment(given['chunk_id'])}"
        return decoded(Chunk, self._service.send("GET", place))

    @like(Memory.around)
    def around(self, given: Arguments) -> ChunkWindow:
        """Read a chunk with its neighbours."""
        place = f"/v1/chunks/{segment(given.pop('chunk_id'))}/around"
        return decoded(ChunkWindow, self._service.send("GET", place, query=given))

    @like(Memory.list)
    def list(self, given: Arguments) -> Page[Document]:
        """List documents."""
        answer = self._service.send("GET", "/v1/documents", query=with_filter(given))
        return decoded(Page[Document], answer)

    @like(Memory.update)
    def update(self, given: Arguments) -> Document:
        """Change some fields of a document."""
        headers, place = _if_match(given), self._place(given)
        answer = self._service.send("PATCH", place, body=given, headers=headers, once=True)
        return decoded(Document, answer)

    @like(Memory.replace)
    def replace(self, given: Arguments) -> Document:
        """Replace a document."""
        headers, place = _if_match(given), self._place(given)
        answer = self._service.send("PUT", place, body=given, headers=headers, once=True)
        return decoded(Document, answer)

    @like(Memory.delete)
    def delete(self, given: Arguments) -> Document:
        """Remove a document."""
        headers = {"Prefer": "return=representation", **_if_match(given)}
        return decoded(Document, self._service.send("DELETE", self._place(given), headers=headers))

    @like(Memory.delete_many)
    def delete_many(self, given: Arguments) -> DeleteReport:
        """Remove what a filter matches."""
        answer = self._service.send("POST", "/v1/documents:delete", body=given, once=True)
        return decoded(DeleteReport, answer)


def _new(item: NewDocument) -> dict[str, object]:
    return {name: plain(name, value) for name, value in asdict(item).items() if value is not None}


def _if_match(given: Arguments) -> dict[str, str]:
    """The header for ``if_match``, which is taken out of the arguments."""
    etags = given.pop("if_match", None)
    if etags is None:
        return {}
    several = [etags] if isinstance(etags, str) else etags
    if not isinstance(several, list) or not all(isinstance(each, str) for each in several):
        raise FieldError("if_match is an etag, or a list of etags.", pointer="/if_match")
    if _ANY in several:
        return {"If-Match": _ANY}
    # What cannot be an etag matches nothing, as does the empty one.
    quoted = [f'"{each}"' for each in several if _ETAG.fullmatch(each)]
    return {"If-Match": ", ".join(quoted) or '""'}
