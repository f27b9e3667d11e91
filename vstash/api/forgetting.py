"""The route that leaves no trace of documents."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, FastAPI
from pydantic import Field
from starlette.responses import Response

from vstash.api import bounds
from vstash.api.access import Caller
from vstash.api.changes import DeletedDocumentReply
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.inputs import Body as Object
from vstash.api.inputs import Collection
from vstash.api.operations import LONG
from vstash.api.owning import require_own_document
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import Reply
from vstash.api.routing import add_route
from vstash.errors import (
    CollectionForbiddenError,
    CollectionNotFoundError,
    DocumentNotFoundError,
    FieldError,
    FilterError,
)
from vstash.memory import Memory

__all__ = ["ForgetRoutes"]


class ForgetInput(Object):
    """Which documents to forget: exactly one of `document_id`, `key`, `where` and `source`."""

    document_id: str | None = Field(default=None, description="Its id.")
    key: str | None = Field(
        default=None, description="Its key.", examples=["people/ada"], json_schema_extra=bounds.KEY
    )
    where: dict[str, Any] | None = Field(
        default=None,
        description="A filter tree, as in a search; expired documents are meant as well.",
        examples=[{"metadata.author": {"eq": "Ada"}}],
    )
    source: str | None = Field(
        default=None,
        description="A path or URL: every document whose key is it or lies below it.",
        examples=["/home/ada/notes"],
    )
    collection: Collection = None
    dry_run: bool = Field(default=False, description="Only say what would be removed.")


class ForgetReply(Reply):
    """What was forgotten, or would be."""

    documents: int
    chunks: int = Field(description="Of these documents.")
    searches: int = Field(description="Logged searches that told of them.")
    made_queries: int = Field(
        description="Queries made from the corpus or given with judgements that told of them."
    )
    replies: int = Field(description="Stored replies that told of them.")
    jobs: int = Field(description="Ended jobs that named them.")
    jobs_open: list[str] = Field(description="Jobs that may store them again: cancel these first.")
    dry_run: bool = Field(description="Whether nothing was removed.")
    sample: list[DeletedDocumentReply] = Field(
        description="Of a dry run, the oldest of them, at most 20."
    )
    purged: bool = Field(description="Whether all that they left in the file is gone.")
    log_emptied: bool = Field(description="Whether the write-ahead log was emptied.")
    remedy: str = Field(description="What to do where one of the two is false, else empty.")
    backups: list[str] = Field(description="Backups in the backup folder keep what they hold.")
    bytes_before: int = Field(description="Size of the file and its write-ahead log.")
    bytes_after: int
    seconds: float


class ForgetRoutes:
    """Forgetting over HTTP.

    Args:
        memory: What forgets.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the route to an application."""
        add_route(
            app,
            "POST",
            "/v1/documents:forget",
            self.forget,
            scope="admin",
            name="forgetDocuments",
            summary="Remove documents without a trace",
            model=ForgetReply,
            said="They are gone for everybody; `remedy` says what is left to be done, if anything.",
            errors=(
                *BODY,
                *(DocumentNotFoundError, CollectionNotFoundError, CollectionForbiddenError),
                *(FilterError, FieldError),
                *WRITING,
                *REPEATABLE,
            ),
            extra={LONG: True},
        )

    def forget(
        self, given: Annotated[ForgetInput, Body()], caller: Caller, repeat: Repeat
    ) -> Response:
        """Others read meanwhile; writers wait while the file is written anew."""
        collection = given.collection
        if given.document_id is None:
            collection = caller.collection(collection)
        else:
            require_own_document(self._memory, caller, given.document_id)
        return repeat(
            self._memory,
            lambda: self._memory.forget(
                given.document_id,
                key=given.key,
                collection=collection,
                where=given.where,
                source=given.source,
                dry_run=given.dry_run,
            ),
            reply,
        )
