"""Whether the process lives and whether its file can be read."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from vstash.api.problems import problem_response
from vstash.api.replies import StatusReply
from vstash.api.routing import add_route
from vstash.errors import CollectionNotFoundError, StoreIOError, VstashError
from vstash.memory import Memory

__all__ = ["HealthRoutes"]


class HealthRoutes:
    """Liveness and readiness.

    Args:
        memory: What has to be readable.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "GET",
            "/healthz",
            self.alive,
            scope="none",
            name="getHealth",
            summary="Whether the process is alive",
            model=StatusReply,
            said="It is.",
        )
        add_route(
            app,
            "GET",
            "/readyz",
            self.ready,
            scope="none",
            name="getReadiness",
            summary="Whether the file can be read",
            model=StatusReply,
            said="It can.",
            errors=(StoreIOError,),
        )

    async def alive(self) -> Response:
        """Asks nothing of the file, nor of the threads that requests may occupy."""
        return JSONResponse({"status": "ok"})

    def ready(self) -> Response:
        """Reads the file; whatever keeps it from being read is a 503."""
        try:
            self._memory.list(limit=1)
        except CollectionNotFoundError:
            # Nothing was written yet, which took a read to find out.
            pass
        except VstashError as error:
            return problem_response(error, status=HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse({"status": "ready"})
