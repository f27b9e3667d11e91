"""How the service does: whether it lives, whether it is ready, what it counts."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Final, Literal

import anyio
import anyio.to_thread
from fastapi import FastAPI
from pydantic import Field
from starlette.responses import JSONResponse, PlainTextResponse, Response

from vstash.api.access import Caller
from vstash.api.describe import reply
from vstash.api.metrics import Cached, Metrics
from vstash.api.operations import INSTANT
from vstash.api.replies import Reply
from vstash.api.routing import add_route
from vstash.errors import CollectionForbiddenError
from vstash.memory import Memory
from vstash.reports import Health

__all__ = ["HealthRoutes"]

_METRICS_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8"
# How old an answer about readiness may be, so that asking often costs nothing.
_FRESH_S: Final = 2.0


class AliveReply(Reply):
    """That the process lives."""

    status: Literal["ok"]


class ReadyReply(Reply):
    """Whether requests can be answered."""

    status: Literal["ready", "degraded", "unavailable"] = Field(
        description="`degraded`: searches are answered, from keywords alone where the model fails, or "
        "nothing can be stored; `unavailable`: the file cannot be read."
    )
    reasons: list[str] = Field(description="Each a stable code, a colon, and what it means.")


class HealthRoutes:
    """Liveness, readiness and metrics; none of them waits for the threads that requests occupy.

    Args:
        memory: What has to be usable.
        metrics: What is counted.
    """

    def __init__(self, memory: Memory, metrics: Metrics) -> None:
        self._health = Cached(memory.health, _FRESH_S)
        self._metrics = metrics
        # One at a time each: who asks again waits for the same answer.
        self._asking_health = anyio.CapacityLimiter(1)
        self._asking_metrics = anyio.CapacityLimiter(1)

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        route = partial(add_route, app, "GET", extra={INSTANT: True})
        route(
            "/healthz",
            self.alive,
            scope="none",
            name="getHealth",
            summary="Whether the process is alive",
            model=AliveReply,
            said="It is.",
        )
        route(
            "/readyz",
            self.ready,
            scope="none",
            name="getReadiness",
            summary="Whether requests can be answered",
            model=ReadyReply,
            said="They can: as asked, or with less than that, for the reasons given.",
            responses={503: {"model": ReadyReply, "description": "They cannot."}},
        )
        route(
            "/metrics",
            self.metrics,
            scope="read",
            name="getMetrics",
            summary="What the service counts, for Prometheus",
            said="Prometheus' text format.",
            kind=PlainTextResponse,
            errors=(CollectionForbiddenError,),
        )

    async def alive(self) -> Response:
        """Asks nothing of the file, nor of the threads that requests may occupy."""
        return JSONResponse({"status": "ok"})

    async def ready(self, caller: Caller) -> Response:
        """Reads the file, looks whether it could be written, and embeds a word.

        Where an access key is needed, the reasons are told to who has one.
        """
        found = await anyio.to_thread.run_sync(self._health.get, limiter=self._asking_health)
        if not caller.allows("read"):
            found = Health(found.status)
        if found.status != "unavailable":
            return reply(found)
        return reply(found, status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "1"})

    async def metrics(self, caller: Caller) -> Response:
        """Of requests since the start, of the queue now, and of the file some seconds ago."""
        caller.whole_file()
        text = await anyio.to_thread.run_sync(self._metrics.text, limiter=self._asking_metrics)
        return Response(text, media_type=_METRICS_TYPE)
