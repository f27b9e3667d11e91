"""The outermost layer: names every request, and tells what became of it; it decides nothing."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vstash.api.metrics import Metrics
from vstash.api.operations import Operation, Operations
from vstash.api.seen import Seen

__all__ = ["Outer", "request_id"]

_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNKNOWN: Final = Operation("none", instant=True)
_log: Final = logging.getLogger("vstash.access")


class Outer:
    """An ASGI application around another that gives requests their ids, logs and counts them.

    Args:
        app: What is watched.
        operations: Of the application.
        metrics: Where they are counted.

    Attributes:
        metrics: The same, for the server.
    """

    def __init__(self, app: ASGIApp, operations: Operations, metrics: Metrics) -> None:
        self.app = app
        self._operations = operations
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; see the ASGI specification 3.0."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        seen = self._look(scope)
        seen.put_into(scope)

        async def counted() -> Message:
            message = await receive()
            seen.bytes_in += len(message.get("body", b""))
            return message

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                message = _named(message, seen, time.perf_counter() - start)
            else:
                seen.bytes_out += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, counted, told)
        finally:
            self._tell(scope, seen, time.perf_counter() - start)

    def _look(self, scope: Scope) -> Seen:
        seen = Seen(id=request_id(Headers(scope=scope)))
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        # What no route takes is refused without any work.
        found = self._operations.at(scope["path"]).get(method, _UNKNOWN)
        seen.route, seen.instant, seen.long = found.route, found.instant, found.long
        return seen

    def _tell(self, scope: Scope, seen: Seen, seconds: float) -> None:
        # Any word can stand where the method does.
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.metrics.request(method, seen, seconds)
        if not _log.isEnabledFor(logging.INFO):
            return
        fields = {
            "request": seen.id,
            "method": method,
            "route": seen.route,
            "status": seen.status,
            "code": seen.code,
            "bytes_in": seen.bytes_in,
            "bytes_out": seen.bytes_out,
            "waited_ms": round(seen.waited_ms, 3),
            "ms": round(seconds * 1000, 3),
            "key": seen.key,
        }
        _log.info("request", extra={"fields": fields})


def request_id(headers: Headers) -> str:
    """The id that a request brings, or a new one where that is none that can be logged."""
    given = headers.getlist("x-request-id")
    if len(given) == 1 and _GIVEN.fullmatch(given[0]):
        return given[0]
    return uuid.uuid4().hex


def _named(message: Message, seen: Seen, seconds: float) -> Message:
    headers = MutableHeaders(raw=list(message.get("headers", [])))
    headers["X-Request-ID"] = seen.id
    stages = headers.get("server-timing")
    own = f"queue;dur={seen.waited_ms:.3f}, total;dur={seconds * 1000:.3f}"
    headers["Server-Timing"] = f"{stages}, {own}" if stages else own
    return {**message, "headers": headers.raw}
