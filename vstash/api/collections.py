"""The routes of collections."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Path, Query
from pydantic import Field
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.changes import DeleteReply
from vstash.api.describe import WRITING, reply
from vstash.api.inputs import Closed
from vstash.api.replies import Reply
from vstash.api.routing import add_route
from vstash.errors import CollectionForbiddenError, CollectionNotFoundError, FieldError
from vstash.memory import Memory

__all__ = ["CollectionRoutes"]

Name = Annotated[str, Path(description="Of a collection.", examples=["default"])]


class DryRunQuery(Closed):
    """Whether to remove anything."""

    dry_run: bool = Field(default=False, description="Only say what would be removed.")


class CollectionReply(Reply):
    """What a collection holds, expired documents that were not removed yet included."""

    name: str = Field(examples=["default"])
    documents: int
    chunks: int
    awaiting: int = Field(description="Chunks that have no vector yet.")


class CollectionsReply(Reply):
    """All collections."""

    collections: list[CollectionReply] = Field(description="By name.")


class CollectionRoutes:
    """Collections over HTTP.

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
            "/v1/collections",
            self.all,
            scope="read",
            name="listCollections",
            summary="List collections",
            model=CollectionsReply,
            said="What each holds.",
        )
        add_route(
            app,
            "GET",
            "/v1/collections/{name}",
            self.get,
            scope="read",
            name="getCollection",
            summary="Say what a collection holds",
            model=CollectionReply,
            said="What it holds.",
            errors=(CollectionNotFoundError, CollectionForbiddenError, FieldError),
        )
        add_route(
            app,
            "DELETE",
            "/v1/collections/{name}",
            self.delete,
            scope="write",
            name="deleteCollection",
            summary="Remove a collection",
            model=DeleteReply,
            said="How many documents are gone, and which the first of them were.",
            errors=(CollectionNotFoundError, CollectionForbiddenError, FieldError, *WRITING),
        )

    def all(self, caller: Caller) -> Response:
        """An access key that is bound to a collection sees that one alone."""
        seen = [each for each in self._memory.collections() if caller.sees(each.name)]
        return reply({"collections": seen})

    def get(self, name: Name, caller: Caller) -> Response:
        """A collection exists from the first document written to it; `default` always does."""
        caller.collection(name)
        return reply(self._memory.collection(name))

    def delete(
        self, name: Name, query: Annotated[DryRunQuery, Query()], caller: Caller
    ) -> Response:
        """Gone with all its documents, logged searches and triples; `default` is emptied and stays."""
        caller.collection(name)
        return reply(self._memory.delete_collection(name, dry_run=query.dry_run))
