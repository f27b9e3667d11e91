"""The routes that change and remove documents."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Body, FastAPI, Header
from pydantic import Field
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.conditions import ETAG, IfMatch, etag_header
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.documents import CHANGED, DocumentId, time_or_none
from vstash.api.inputs import Body as Object
from vstash.api.inputs import Collection, DocumentPatch, DocumentReplacement
from vstash.api.owning import require_own_document
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import DocumentReply, Reply
from vstash.api.routing import Responses, add_route
from vstash.errors import (
    CollectionForbiddenError,
    CollectionNotFoundError,
    DocumentNotFoundError,
    FieldError,
    FilterError,
    PreconditionError,
)
from vstash.memory import Memory
from vstash.types import UNSET, Document, JsonObject

__all__ = ["ChangeRoutes", "DeleteReply"]

_REPRESENTATION: Final = "return=representation"
Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer",
        description="`return=representation` asks for what was removed, without its text.",
        examples=[_REPRESENTATION],
    ),
]
_MERGE_PATCH: Final = {
    "requestBody": {
        "content": {
            "application/merge-patch+json": {
                "schema": {"$ref": "#/components/schemas/DocumentPatch"}
            }
        }
    }
}
_CHANGED: Final[Responses] = {200: {"headers": ETAG}}


class DeleteInput(Object):
    """Which documents to remove."""

    collection: Collection = None
    filter: dict[str, Any] = Field(
        description="A filter tree, as in a search; a listing with it shows the same documents.",
        examples=[{"tags": {"contains": "draft"}}],
    )
    dry_run: bool = Field(default=False, description="Only say what would be removed.")


class DeletedDocumentReply(Reply):
    """What a removed document was known by."""

    id: str
    key: str


class DeleteReply(Reply):
    """What was removed, or would be."""

    documents: int
    chunks: int = Field(description="Of these documents.")
    dry_run: bool = Field(description="Whether nothing was removed.")
    sample: list[DeletedDocumentReply] = Field(description="The oldest of them, at most 20.")


class ChangeRoutes:
    """Changes of documents over HTTP.

    Args:
        memory: Where they are.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
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
            responses=_CHANGED,
            errors=(DocumentNotFoundError, *CHANGED, *REPEATABLE),
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
            responses=_CHANGED,
            errors=(DocumentNotFoundError, *CHANGED, *REPEATABLE),
            extra=_MERGE_PATCH,
        )
        self._attach_removing(app)

    def _attach_removing(self, app: FastAPI) -> None:
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
            errors=(DocumentNotFoundError, FieldError, PreconditionError, *WRITING),
        )
        add_route(
            app,
            "POST",
            "/v1/documents:delete",
            self.delete_many,
            scope="write",
            name="deleteDocuments",
            summary="Remove the documents that a filter matches",
            model=DeleteReply,
            said="How many are gone, and which the first of them were.",
            errors=(
                *BODY,
                *(FilterError, FieldError, CollectionNotFoundError, CollectionForbiddenError),
                *WRITING,
                *REPEATABLE,
            ),
        )

    def replace(
        self,
        document_id: DocumentId,
        document: Annotated[DocumentReplacement, Body()],
        caller: Caller,
        if_match: IfMatch,
        repeat: Repeat,
    ) -> Response:
        """What is left out of the body is empty afterwards; id, key and creation time stay."""
        require_own_document(self._memory, caller, document_id)
        return repeat(
            self._memory,
            lambda: self._memory.replace(
                document_id,
                document.text,
                title=document.title,
                tags=document.tags,
                metadata=document.metadata,
                expires_at=time_or_none(document.expires_at),
                if_match=if_match,
            ),
            _changed_answer,
        )

    def change(
        self,
        document_id: DocumentId,
        patch: Annotated[DocumentPatch, Body()],
        caller: Caller,
        if_match: IfMatch,
        repeat: Repeat,
    ) -> Response:
        """A JSON merge patch: what is left out stays, null removes."""
        require_own_document(self._memory, caller, document_id)
        given = patch.model_fields_set
        return repeat(
            self._memory,
            lambda: self._memory.update(
                document_id,
                text=patch.text if "text" in given else UNSET,
                title=(patch.title or "") if "title" in given else UNSET,
                tags=(patch.tags or ()) if "tags" in given else UNSET,
                metadata=self._metadata(document_id, patch) if "metadata" in given else UNSET,
                expires_at=time_or_none(patch.expires_at) if "expires_at" in given else UNSET,
                if_match=if_match,
            ),
            _changed_answer,
        )

    def _metadata(self, document_id: str, patch: DocumentPatch) -> JsonObject:
        if patch.metadata is not None:
            return patch.metadata
        # null removes the member itself, which for a document means that nothing is left in it.
        return dict.fromkeys(self._memory.get(document_id, include=()).metadata)

    def delete(
        self,
        document_id: DocumentId,
        caller: Caller,
        if_match: IfMatch,
        prefer: Prefer = None,
    ) -> Response:
        """Gone for good when this answers."""
        require_own_document(self._memory, caller, document_id)
        removed = self._memory.delete(document_id, if_match=if_match)
        if prefer == _REPRESENTATION:
            return reply(removed, headers={"Preference-Applied": _REPRESENTATION})
        return Response(status_code=204)

    def delete_many(
        self, given: Annotated[DeleteInput, Body()], caller: Caller, repeat: Repeat
    ) -> Response:
        """One transaction: all of them are gone, or none."""
        return repeat(
            self._memory,
            lambda: self._memory.delete_many(
                given.filter,
                collection=caller.collection(given.collection),
                dry_run=given.dry_run,
            ),
            reply,
        )


def _changed_answer(stored: Document) -> Response:
    return reply(stored, headers=etag_header(stored))
