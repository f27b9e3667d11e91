"""The routes that move what a file holds in and out as streams."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Annotated, Final

import msgspec
from fastapi import FastAPI, Query, Request
from pydantic import Field, SkipValidation
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.inputs import Closed, Collection, CollectionQuery, Embed, FilterText, filter_tree
from vstash.api.lines import NDJSON, IncomingBody, LinesResponse
from vstash.api.operations import LONG, STREAM
from vstash.api.replies import Reply
from vstash.api.routing import add_route
from vstash.errors import (
    CollectionForbiddenError,
    CollectionNotFoundError,
    EmbeddingError,
    FieldError,
    FilterError,
    InputError,
    TransferError,
    VstashError,
)
from vstash.memory import Memory
from vstash.transfers import ImportReport, OnConflict
from vstash.types import Triple, TripleOrigin
from vstash.wire import to_json

__all__ = ["ExportQuery", "ImportQuery", "ImportReply", "TransferRoutes", "TriplesQuery"]

_LINES: Final = {
    STREAM: True,
    "requestBody": {
        "required": True,
        "content": {
            NDJSON: {
                "schema": {"type": "string", "description": "The lines of an export, whole."},
            }
        },
    },
}


class ExportQuery(Closed):
    """Which documents to export."""

    collection: Collection = Field(default=None, description="All when left out.")
    filter: FilterText = None
    include_vectors: bool = Field(
        default=False,
        description="Add the chunks' vectors, so that a file with the same model need not embed again.",
    )


class ImportQuery(CollectionQuery):
    """How to import."""

    collection: Collection = Field(
        default=None, description="The only one that may be imported into; any when left out."
    )
    on_conflict: SkipValidation[OnConflict] = Field(
        default="replace",
        description="Of a key that is there with something else: replace it, or skip it.",
    )
    dry_run: bool = Field(
        default=False,
        description="Check everything and count what would be done; nothing is stored.",
    )
    embed: Embed = "now"


class TriplesQuery(Closed):
    """Which triples to stream."""

    collection: Collection = Field(
        default=None, description="Only of searches in it; all when left out."
    )
    texts: bool = Field(default=True, description="Put the chunks' texts into them.")
    origin: TripleOrigin | None = Field(
        default=None, description="Only of this origin; all when left out."
    )


class ImportReply(Reply):
    """What an import did, each document counted once."""

    added: int = Field(description="Their key was new in their collection.")
    replaced: int = Field(description="Their key was there, with something else.")
    unchanged: int = Field(description="They were there already, times included.")
    skipped: int = Field(description="Their key was there, and stayed because of `on_conflict`.")
    expired: int = Field(description="Their time was over before they were imported.")
    other_ids: int = Field(description="Of those stored, how many have another id than exported.")
    chunks: int = Field(description="Chunks written.")
    dry_run: bool = Field(description="Whether nothing was written.")
    seconds: float


class TransferRoutes:
    """Export, import and triples over HTTP.

    Args:
        memory: Where the documents are.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "GET",
            "/v1/export",
            self.export,
            scope="read",
            name="exportDocuments",
            summary="Stream documents as lines of JSON",
            said="The lines; docs/export.md describes them. The last one tells that all are there.",
            errors=(InputError, FieldError, FilterError, CollectionNotFoundError),
            kind=LinesResponse,
            extra={LONG: True},
        )
        add_route(
            app,
            "POST",
            "/v1/import",
            self.import_documents,
            scope="write",
            name="importDocuments",
            summary="Take in the documents of an export",
            model=ImportReply,
            said="What became of them.",
            errors=(
                *(*BODY, TransferError, FieldError, CollectionForbiddenError, EmbeddingError),
                *WRITING,
            ),
            extra=_LINES,
        )
        add_route(
            app,
            "GET",
            "/v1/triples",
            self.triples,
            scope="read",
            name="streamTriples",
            summary="Stream the training triples",
            said="One triple a line, those of the newest search first.",
            errors=(InputError, FieldError, CollectionNotFoundError),
            kind=LinesResponse,
            extra={LONG: True},
        )

    def export(self, query: Annotated[ExportQuery, Query()], caller: Caller) -> Response:
        """The file as it is when the first line is read.

        The status is sent before the lines are made: an export that fails on the way ends early,
        without its last line.
        """
        return LinesResponse(
            self._memory.export(
                collection=caller.collection(query.collection),
                filter=filter_tree(query.filter),
                include_vectors=query.include_vectors,
            )
        )

    async def import_documents(
        self, request: Request, query: Annotated[ImportQuery, Query()], caller: Caller
    ) -> Response:
        """Of any size: the limit on bodies holds for each line.

        Some dozen documents are stored at a time, together; the last of them only when the export
        was found to be whole. What was stored before an error stays. To import the same export again
        changes nothing, so that it needs no idempotency key.
        """
        only = caller.collection(query.collection)
        body = IncomingBody(request, self._memory.settings.max_body_bytes)

        def work() -> ImportReport:
            return self._memory.import_documents(
                body.pieces(),
                collection=only,
                on_conflict=query.on_conflict,
                dry_run=query.dry_run,
                embed=query.embed,
            )

        try:
            return reply(await run_in_threadpool(work))
        except VstashError:
            await body.pass_over()
            raise

    def triples(self, query: Annotated[TriplesQuery, Query()], caller: Caller) -> Response:
        """Those whose documents were removed or replaced are gone.

        As with an export, one that fails on the way ends early.
        """
        name = caller.collection(query.collection)
        return LinesResponse(
            _lines(self._memory.triples(collection=name, texts=query.texts, origin=query.origin))
        )


def _lines(triples: Generator[Triple, None, None]) -> Generator[bytes, None, None]:
    with closing(triples):
        for triple in triples:
            yield msgspec.json.encode(to_json(triple)) + b"\n"
