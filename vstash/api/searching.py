"""The routes of search, statistics and the disagreement log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from fastapi import Body, FastAPI, Query, Request
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.describe import QUESTION, reply
from vstash.api.inputs import DisagreementsQuery, SearchInput
from vstash.api.replies import DisagreementPage, SearchReply, StatsReply
from vstash.api.routing import add_route
from vstash.api.seen import timed
from vstash.errors import (
    CollectionForbiddenError,
    CursorError,
    FieldError,
    InputError,
    QueryError,
)
from vstash.memory import Memory

__all__ = ["SearchRoutes"]


class SearchRoutes:
    """Searches and reports over HTTP.

    Args:
        memory: What is searched.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "POST",
            "/v1/search",
            self.search,
            scope="read",
            name="search",
            summary="Find the passages that answer a query",
            model=SearchReply,
            said="The hits, best first.",
            errors=QUESTION,
        )
        add_route(
            app,
            "GET",
            "/v1/disagreements",
            self.disagreements,
            scope="read",
            name="listDisagreements",
            summary="Show logged searches and where their legs disagreed",
            model=DisagreementPage,
            said="Logged searches, newest first.",
            errors=(InputError, QueryError, CursorError, FieldError, CollectionForbiddenError),
        )
        add_route(
            app,
            "GET",
            "/v1/stats",
            self.stats,
            scope="read",
            name="getStats",
            summary="Say what the file holds",
            model=StatsReply,
            said="Counts, model and versions.",
            errors=(CollectionForbiddenError,),
        )

    def search(
        self, request: Annotated[SearchInput, Body()], caller: Caller, http: Request
    ) -> Response:
        """The search is logged in the file, where the service's settings say so."""
        found = self._memory.search(
            **request.asked(caller),
            k=request.k,
            collapse=request.collapse,
            explain=request.explain,
            log=request.log,
            session=request.session,
        )
        return reply(found, headers=timed(http, found.timings_ms))

    def disagreements(
        self, query: Annotated[DisagreementsQuery, Query()], caller: Caller
    ) -> Response:
        """What each leg listed, how far they differ, and the training triples of it."""
        return reply(
            self._memory.disagreements(
                collection=caller.collection(query.collection),
                limit=query.limit,
                cursor=query.cursor,
                texts=query.texts,
            )
        )

    def stats(self, caller: Caller) -> Response:
        """Counts are of this moment."""
        caller.whole_file()
        stats = self._memory.stats()
        return reply(replace(stats, path=Path(stats.path).name))
