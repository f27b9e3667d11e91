"""The routes that store, list and read documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Annotated, Any, Final

from fastapi import Body, FastAPI, Path, Query
from pydantic import Field
from starlette.responses import Response

from vstash.api.access import Access, Caller
from vstash.api.batches import results
from vstash.api.conditions import ETAG, Absent, AbsentOrMatch, Known, etag_header, is_known
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.inputs import (
    BatchInput,
    Closed,
    Collection,
    DocumentInput,
    DocumentReplacement,
    DocumentsQuery,
    Embed,
    NewDocumentInput,
    filter_tree,
)
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import BatchReply, DocumentPage, DocumentReply
from vstash.api.routing import Responses, add_route
from vstash.errors import (
    CollectionForbiddenError,
    CollectionNotFoundError,
    CursorError,
    DocumentNotFoundError,
    FieldError,
    FilterError,
    PreconditionError,
    QueryError,
    TextError,
    VstashError,
)
from vstash.errors.missing import no_document
from vstash.memory import Memory
from vstash.types import Document, NewDocument, Page
from vstash.wire import parse_time

__all__ = ["CHANGED", "DocumentId", "DocumentRoutes", "time_or_none"]

DocumentId = Annotated[
    str,
    Path(alias="id", description="A document's id.", examples=["019b2d0c-1a2b-7c3d-8e4f-5a6b7c8d"]),
]
CHANGED: Final = (*BODY, TextError, FieldError, PreconditionError, *WRITING)
_STORED_HEADERS: Final = {
    "Location": {"description": "Where it is read.", "schema": {"type": "string"}},
    **ETAG,
}
# 201 is described by the route itself.
_STORED: Final[Responses] = {
    200: {
        "model": DocumentReply,
        "description": "The key was known: its document now is as given.",
        "headers": _STORED_HEADERS,
    },
    201: {"headers": _STORED_HEADERS},
}


class KeyedDocumentInput(DocumentReplacement):
    """A document to store under a key, and when to embed it."""

    embed: Embed = "now"


class KeyQuery(Closed):
    """Where to store a document."""

    key: str = Field(
        description="Your own name for it, unique in its collection.", examples=["people/ada"]
    )
    collection: Collection = None


class IncludeQuery(Closed):
    """What to answer of a document."""

    include: str = Field(
        default="text",
        description="`text`, `chunks`, both with a comma between, or neither: `include=`.",
        examples=["text,chunks"],
        json_schema_extra={"pattern": "^(|text|chunks|text,chunks|chunks,text)$"},
    )


class DocumentRoutes:
    """Documents over HTTP.

    Args:
        memory: Where they are.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        self._attach_storing(app)
        self._attach_reading(app)

    def _attach_storing(self, app: FastAPI) -> None:
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
            responses=_STORED,
            errors=(*CHANGED, CollectionForbiddenError, *REPEATABLE),
        )
        add_route(
            app,
            "PUT",
            "/v1/documents",
            self.put,
            scope="write",
            name="putDocument",
            summary="Store a document under a key",
            status=201,
            model=DocumentReply,
            said="A new document.",
            responses=_STORED,
            errors=(*CHANGED, CollectionForbiddenError, *REPEATABLE),
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

    def _attach_reading(self, app: FastAPI) -> None:
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
            errors=(
                *(QueryError, FilterError, FieldError, CursorError),
                *(CollectionNotFoundError, CollectionForbiddenError),
            ),
        )
        add_route(
            app,
            "GET",
            "/v1/documents/{id}",
            self.get,
            scope="read",
            name="getDocument",
            summary="Read a document",
            model=DocumentReply,
            said="The document, with its text unless `include` says otherwise.",
            responses={
                200: {"headers": ETAG},
                304: {"description": "You have this state of it.", "headers": ETAG},
            },
            errors=(DocumentNotFoundError, FieldError, QueryError),
        )

    def create(
        self,
        document: Annotated[NewDocumentInput, Body()],
        caller: Caller,
        if_absent: Absent,
        repeat: Repeat,
    ) -> Response:
        """Stored for good when this answers; a key that is known replaces its document."""
        return repeat(
            self._memory,
            lambda: self._add(
                document,
                document.key,
                caller.collection(document.collection),
                {"if_absent": if_absent},
            ),
            _stored_answer(always_new=document.key is None),
        )

    def put(
        self,
        query: Annotated[KeyQuery, Query()],
        document: Annotated[KeyedDocumentInput, Body()],
        caller: Caller,
        conditions: AbsentOrMatch,
        repeat: Repeat,
    ) -> Response:
        """A document with this key is replaced and keeps its id; what is left out is empty then.

        Under a condition a repetition after a lost answer would meet the new etag, and fail, unless
        it has an idempotency key.
        """
        return repeat(
            self._memory,
            lambda: self._add(document, query.key, caller.collection(query.collection), conditions),
            _stored_answer(),
        )

    def _add(
        self,
        document: NewDocumentInput | KeyedDocumentInput,
        key: str | None,
        collection: str | None,
        conditions: Mapping[str, Any],
    ) -> Document:
        return self._memory.add(
            document.text,
            key=key,
            title=document.title,
            collection=collection,
            tags=document.tags,
            metadata=document.metadata,
            expires_at=time_or_none(document.expires_at),
            embed=document.embed,
            **conditions,
        )

    def create_many(
        self, batch: Annotated[BatchInput, Body()], caller: Caller, repeat: Repeat
    ) -> Response:
        """One document that cannot be stored does not keep the others out.

        A body of the wrong types stores nothing. All that are valid are stored in one transaction.
        """
        read = [_new_or_error(item, caller) for item in batch.documents]
        good = [item for item in read if isinstance(item, NewDocument)]
        return repeat(
            self._memory,
            lambda: self._memory.add_batch(good, embed=batch.embed),
            lambda outcomes: results(read, outcomes, name="document", under="/documents"),
        )

    def page(self, query: Annotated[DocumentsQuery, Query()], caller: Caller) -> Response:
        """With `key`, a list of the one document that has it, or of none."""
        collection = caller.collection(query.collection)
        if query.key is not None:
            return reply(Page(self._with_key(query, collection), None))
        return reply(
            self._memory.list(
                collection=collection,
                filter=filter_tree(query.filter),
                limit=query.limit,
                cursor=query.cursor,
            )
        )

    def _with_key(self, query: DocumentsQuery, collection: str | None) -> tuple[Document, ...]:
        if query.filter is not None or query.cursor is not None:
            raise QueryError("Give either key, or filter and cursor.", pointer="/key")
        try:
            return (self._memory.get(key=query.key, collection=collection, include=()),)
        except DocumentNotFoundError:
            return ()

    def get(
        self,
        document_id: DocumentId,
        query: Annotated[IncludeQuery, Query()],
        caller: Caller,
        known: Known,
    ) -> Response:
        """An expired document is not found."""
        names = query.include.split(",") if query.include else []
        document = self._memory.get(document_id, include=names)  # type: ignore[arg-type]  # Memory refuses others
        if not caller.sees(document.collection):
            raise no_document()
        headers = etag_header(document)
        if is_known(document, known):
            return Response(status_code=304, headers=headers)
        return reply(document, headers=headers)


def _stored_answer(*, always_new: bool = False) -> Callable[[Document], Response]:
    """Answers with a document that is stored from now on; whether it is new shows in its times."""
    before = datetime.now(timezone.utc)

    def answer(stored: Document) -> Response:
        # A document that is given again as it is keeps even its time of change.
        now = datetime.now(timezone.utc)
        is_new = stored.created == stored.updated and before <= stored.created <= now
        return reply(
            stored,
            status=201 if is_new or always_new else 200,
            headers={"Location": f"/v1/documents/{stored.id}", **etag_header(stored)},
        )

    return answer


def time_or_none(text: str | None) -> datetime | None:
    """A time that may be left out, as it stands in a body."""
    return None if text is None else parse_time(text, pointer="/expires_at")


def _new_or_error(item: DocumentInput, caller: Access) -> NewDocument | VstashError:
    try:
        collection = caller.collection(item.collection)
        expires_at = time_or_none(item.expires_at)
    except (FieldError, CollectionForbiddenError) as error:
        return error
    return NewDocument(
        item.text, item.key, item.title, collection, item.tags, item.metadata, expires_at
    )
