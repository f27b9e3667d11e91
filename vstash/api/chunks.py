"""The routes of chunks."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Path, Query
from pydantic import Field
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.describe import reply
from vstash.api.documents import DocumentId
from vstash.api.inputs import Closed, Cursor
from vstash.api.owning import require_own_chunk, require_own_document
from vstash.api.replies import ChunkReply, NextCursor, Reply
from vstash.api.routing import add_route
from vstash.errors import (
    ChunkNotFoundError,
    CursorError,
    DocumentNotFoundError,
    FieldError,
    QueryError,
)
from vstash.memory import Memory

__all__ = ["ChunkRoutes"]

ChunkId = Annotated[int, Path(description="As in `hit.chunk.id`.", examples=[1])]


class ChunksQuery(Closed):
    """Which part of a document's chunks to list."""

    limit: int = Field(default=100, description="Chunks per page, 1 to 1,000.", examples=[100])
    cursor: Cursor = None


class AroundQuery(Closed):
    """How many neighbours of a chunk to read."""

    before: int = Field(default=1, description="Chunks before it at most, 0 to 20.", examples=[1])
    after: int = Field(default=1, description="Chunks after it at most, 0 to 20.", examples=[1])


class ChunkPage(Reply):
    """A part of a document's chunks, in its order."""

    items: list[ChunkReply]
    next_cursor: NextCursor


class ChunkWindowReply(Reply):
    """A chunk with its neighbours in the document, in order."""

    chunk: ChunkReply
    before: list[ChunkReply]
    after: list[ChunkReply]


class ChunkRoutes:
    """Chunks over HTTP.

    Args:
        memory: Where they are.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "GET",
            "/v1/documents/{id}/chunks",
            self.page,
            scope="read",
            name="listChunks",
            summary="List the chunks of a document",
            model=ChunkPage,
            said="Chunks in the order of the document.",
            errors=(DocumentNotFoundError, FieldError, QueryError, CursorError),
        )
        add_route(
            app,
            "GET",
            "/v1/chunks/{chunk_id}",
            self.get,
            scope="read",
            name="getChunk",
            summary="Read a chunk",
            model=ChunkReply,
            said="The chunk.",
            errors=(ChunkNotFoundError, FieldError),
        )
        add_route(
            app,
            "GET",
            "/v1/chunks/{chunk_id}/around",
            self.around,
            scope="read",
            name="getChunkAround",
            summary="Read a chunk with its neighbours",
            model=ChunkWindowReply,
            said="The chunk, and those before and after it in its document.",
            errors=(ChunkNotFoundError, FieldError, QueryError),
        )

    def page(
        self, document_id: DocumentId, query: Annotated[ChunksQuery, Query()], caller: Caller
    ) -> Response:
        """A cursor ends with the replacement of the document."""
        require_own_document(self._memory, caller, document_id)
        return reply(self._memory.chunks(document_id, limit=query.limit, cursor=query.cursor))

    def get(self, chunk_id: ChunkId, caller: Caller) -> Response:
        """Replacing a document ends its chunks."""
        require_own_chunk(self._memory, caller, chunk_id)
        return reply(self._memory.get_chunk(chunk_id))

    def around(
        self, chunk_id: ChunkId, query: Annotated[AroundQuery, Query()], caller: Caller
    ) -> Response:
        """At the ends of a document there are fewer neighbours than asked for."""
        require_own_chunk(self._memory, caller, chunk_id)
        return reply(self._memory.around(chunk_id, before=query.before, after=query.after))
