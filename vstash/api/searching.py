"""The routes of search, statistics, integrity and the disagreement log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from fastapi import Body, FastAPI, Query
from starlette.responses import Response

from vstash.api.describe import QUESTION, refusals, reply
from vstash.api.inputs import DisagreementsQuery, SearchInput
from vstash.api.replies import CheckReply, DisagreementPage, SearchReply, StatsReply
from vstash.errors import (
    CursorError,
    InputError,
    QueryError,
    StoreBusyError,
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
        app.add_api_route(
            "/v1/search",
            self.search,
            methods=["POST"],
            operation_id="search",
            summary="Find the passages that answer a query",
            response_model=SearchReply,
            response_description="The hits, best first.",
            responses=refusals(*QUESTION),
        )
        app.add_api_route(
            "/v1/disagreements",
            self.disagreements,
            methods=["GET"],
            operation_id="listDisagreements",
            summary="Show logged searches and where their legs disagreed",
            response_model=DisagreementPage,
            response_description="Logged searches, newest first.",
            responses=refusals(InputError, QueryError, CursorError),
        )
        app.add_api_route(
            "/v1/stats",
            self.stats,
            methods=["GET"],
            operation_id="getStats",
            summary="Say what the file holds",
            response_model=StatsReply,
            response_description="Counts, model and versions.",
            responses=refusals(),
        )
        app.add_api_route(
            "/v1/check",
            self.check,
            methods=["POST"],
            operation_id="check",
            summary="Check the file",
            response_model=CheckReply,
            response_description="Findings; none means that everything agrees.",
            responses=refusals(StoreBusyError),
        )

    def search(self, request: Annotated[SearchInput, Body()]) -> Response:
        """The search is logged in the file, where the service's settings say so."""
        return reply(
            self._memory.search(
                **request.asked(),
                k=request.k,
                collapse=request.collapse,
                explain=request.explain,
            )
        )

    def disagreements(self, query: Annotated[DisagreementsQuery, Query()]) -> Response:
        """What each leg listed, how far they differ, and the training triples of it."""
        return reply(
            self._memory.disagreements(limit=query.limit, cursor=query.cursor, texts=query.texts)
        )

    def stats(self) -> Response:
        """Counts are of this moment."""
        stats = self._memory.stats()
        return reply(replace(stats, path=Path(stats.path).name))

    def check(self) -> Response:
        """Compares text, words, vectors, counters and log; reads all of the file."""
        return reply(self._memory.check())
