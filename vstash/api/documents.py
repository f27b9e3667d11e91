"""The routes of documents and their chunks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Annotated

from fastapi import Body, FastAPI, Header, Path, Query
from starlette.responses import JSONResponse, Response

from vstash.api.describe import BODY, WRITING, reply
from vstash.api.inputs import (
    BatchInput,
    DocumentInput,
    DocumentPatch,
    DocumentReplacement,
    DocumentsQuery,
    NewDocumentInput,
    filter_tree,
)
from vstash.api.problems import problem
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import BatchReply, ChunkReply, DocumentPage, DocumentReply
from vstash.api.routing import add_route
from vstash.errors import (
    ChunkNotFoundError,
    CollectionNotFoundError,
    CursorError,
    DocumentNotFoundError,
    FieldError,
    FilterError,
    QueryError,
    TextError,
    VstashError,
)
from vstash.memory import Memory
from vstash.types import UNSET, Document, Json, JsonObject, NewDocument, Page
from vstash.wire import parse_time, to_json

__all__ = ["DocumentRoutes"]

DocumentId = Annotated[
    str,
    Path(alias="id", description="A document's id.", examples=["019b2d0c-1a2b-7c3d-8e4f-5a6b7c8d"]),
]
_REPRESENTATION = "return=representation"
Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer",
        description="`return=representation` asks for what was removed, without its text.",
        examples=[_REPRESENTATION],
    ),
]
_CHANGED = (*BODY, TextError, FieldError, *WRITING)
_MERGE_PATCH = {
    "requestBody": {
        "content": {
            "application/merge-patch+json": {
                "schema": {"$ref": "#/components/schemas/DocumentPatch"}
            }
        }
    }
}
_LOCATION = {"Location": {"description": "Where it is read.", "schema": {"type": "string"}}}


class DocumentRoutes:
    """Documents over HTTP.

    Args:
        memory: Where they are.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        self._attach_collection(app)
        self._attach_items(app)
        self._attach_chunks(app)

    def _attach_collection(self, app: FastAPI) -> None:
        add_route(
            app,
            "POST",
            "/v1/documents",
            self.create,
            scope="write",
            name="createDocument",
            summary="Remember a text",
            status=201,
            model=DocumentReply,
            said="A new document.",
            responses={
                200: {
                    "model": DocumentReply,
                    "description": "The key was known: its document now is as given.",
                    "headers": _LOCATION,
                },
                201: {"headers": _LOCATION},
            },
            errors=(*_CHANGED, *REPEATABLE),
        )
        add_route(
            app,
            "GET",
            "/v1/documents",
            self.page,
            scope="read",
            name="listDocuments",
            summary="List documents",
            model=DocumentPage,
            said="Documents in the order of their creation, without texts.",
            errors=(QueryError, FilterError, FieldError, CursorError, CollectionNotFoundError),
        )
        add_route(
            app,
            "POST",
            "/v1/documents:batch",
            self.create_many,
            scope="write",
            name="createDocuments",
            summary="Remember many texts",
            model=BatchReply,
            said="What became of each document, in order.",
            errors=(*BODY, *WRITING, *REPEATABLE),
        )

    def _attach_items(self, app: FastAPI) -> None:
        add_route(
            app,
            "GET",
            "/v1/documents/{id}",
            self.get,
            scope="read",
            name="getDocument",
            summary="Read a document",
            model=DocumentReply,
            said="The document with its text.",
            errors=(DocumentNotFoundError, FieldError),
        )
        add_route(
            app,
            "PUT",
            "/v1/documents/{id}",
            self.replace,
            scope="write",
            name="replaceDocument",
            summary="Replace a document",
            model=DocumentReply,
            said="The document as it is now, without its text.",
            errors=(DocumentNotFoundError, *_CHANGED),
        )
        add_route(
            app,
            "PATCH",
            "/v1/documents/{id}",
            self.change,
            scope="write",
            name="changeDocument",
            summary="Change some fields of a document",
            model=DocumentReply,
            said="The document as it is now, without its text.",
            errors=(DocumentNotFoundError, *_CHANGED),
            extra=_MERGE_PATCH,
        )
        add_route(
            app,
            "DELETE",
            "/v1/documents/{id}",
            self.delete,
            scope="write",
            name="deleteDocument",
            summary="Remove a document",
            status=204,
            said="It is gone, with its words, vectors and triples.",
            responses={
                200: {"model": DocumentReply, "description": "It is gone; this is what it was."}
            },
            errors=(DocumentNotFoundError, FieldError, *WRITING),
        )

    def _attach_chunks(self, app: FastAPI) -> None:
        add_route(
            app,
            "GET",
            "/v1/chunks/{chunk_id}",
            self.get_chunk,
            scope="read",
            name="getChunk",
            summary="Read a chunk",
            model=ChunkReply,
            said="The chunk.",
            errors=(ChunkNotFoundError, FieldError),
        )

    def create(self, document: Annotated[NewDocumentInput, Body()], repeat: Repeat) -> Response:
        """Stored for good when this answers; a key that is known replaces its document."""
        before = datetime.now(timezone.utc)

        def answer(stored: Document) -> Response:
            # A document that is given again as it is keeps even its time of change.
            is_new = stored.created == stored.updated and stored.created >= before
            return reply(
                stored,
                status=201 if is_new or document.key is None else 200,
                headers={"Location": f"/v1/documents/{stored.id}"},
            )

        return repeat(
            self._memory,
            lambda: self._memory.add(
                document.text,
                key=document.key,
                title=document.title,
                collection=document.collection,
                tags=document.tags,
                metadata=document.metadata,
                expires_at=_time(document.expires_at),
                embed=document.embed,
            ),
            answer,
        )

    def create_many(self, batch: Annotated[BatchInput, Body()], repeat: Repeat) -> Response:
        """One document that cannot be stored does not keep the others out.

        A body of the wrong types stores nothing. All that are valid are stored in one transaction.
        """
        read = [_new_or_error(item) for item in batch.documents]
        good = [item for item in read if isinstance(item, NewDocument)]

        def answer(stored: tuple[Document | VstashError, ...]) -> Response:
            left = iter(stored)
            outcomes = [item if isinstance(item, VstashError) else next(left) for item in read]
            results: list[Json] = [
                {"error": problem(outcome, under=f"/documents/{position}")}
                if isinstance(outcome, VstashError)
                else {"document": to_json(outcome)}
                for position, outcome in enumerate(outcomes)
            ]
            return JSONResponse({"results": results})

        return repeat(self._memory, lambda: self._memory.add_batch(good, embed=batch.embed), answer)

    def page(self, query: Annotated[DocumentsQuery, Query()]) -> Response:
        """With `key`, a list of the one document that has it, or of none."""
        if query.key is not None:
            return reply(Page(self._with_key(query), None))
        return reply(
            self._memory.list(
                collection=query.collection,
                filter=filter_tree(query.filter),
                limit=query.limit,
                cursor=query.cursor,
            )
        )

    def _with_key(self, query: DocumentsQuery) -> tuple[Document, ...]:
        if query.filter is not None or query.cursor is not None:
            raise QueryError("Give either key, or filter and cursor.", pointer="/key")
        try:
            found = self._memory.get(key=query.key, collection=query.collection)
        except DocumentNotFoundError:
            return ()
        return (replace(found, text=None),)

    def get(self, document_id: DocumentId) -> Response:
        """An expired document is not found."""
        return reply(self._memory.get(document_id))

    def replace(
        self, document_id: DocumentId, document: Annotated[DocumentReplacement, Body()]
    ) -> Response:
        """What is left out of the body is empty afterwards; id, key and creation time stay."""
        return reply(
            self._memory.replace(
                document_id,
                document.text,
                title=document.title,
                tags=document.tags,
                metadata=document.metadata,
                expires_at=_time(document.expires_at),
            )
        )

    def change(self, document_id: DocumentId, patch: Annotated[DocumentPatch, Body()]) -> Response:
        """A JSON merge patch: what is left out stays, null removes."""
        given = patch.model_fields_set
        return reply(
            self._memory.update(
                document_id,
                text=patch.text if "text" in given else UNSET,
                title=(patch.title or "") if "title" in given else UNSET,
                tags=(patch.tags or ()) if "tags" in given else UNSET,
                metadata=self._metadata(document_id, patch) if "metadata" in given else UNSET,
                expires_at=_time(patch.expires_at) if "expires_at" in given else UNSET,
            )
        )

    def _metadata(self, document_id: str, patch: DocumentPatch) -> JsonObject:
        if patch.metadata is not None:
            return patch.metadata
        # null removes the member itself, which for a document means that nothing is left in it.
        return dict.fromkeys(self._memory.get(document_id).metadata)

    def delete(self, document_id: DocumentId, prefer: Prefer = None) -> Response:
        """Gone for good when this answers."""
        removed = self._memory.delete(document_id)
        if prefer == _REPRESENTATION:
            return reply(removed, headers={"Preference-Applied": _REPRESENTATION})
        return Response(status_code=204)

    def get_chunk(
        self, chunk_id: Annotated[int, Path(description="As in `hit.chunk.id`.", examples=[1])]
    ) -> Response:
        """Replacing a document ends its chunks."""
        return reply(self._memory.get_chunk(chunk_id))


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text, pointer="/expires_at")


def _new_or_error(item: DocumentInput) -> NewDocument | VstashError:
    try:
        expires_at = _time(item.expires_at)
    except FieldError as error:
        return error
    return NewDocument(
        item.text, item.key, item.title, item.collection, item.tags, item.metadata, expires_at
    )
