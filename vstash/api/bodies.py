"""Reading bodies strictly, so that none can mean two things or end in a server error."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from vstash.api.operations import STREAM
from vstash.errors import RequestError
from vstash.strict_json import parse_json

__all__ = ["StrictRoute"]

# Below this a hop to another thread costs more than parsing.
_INLINE_BYTES = 65_536


class _StrictRequest(Request):
    """A request whose JSON was read by `parse_json`."""

    async def read(self) -> None:
        try:
            body = await self.body()
        except ClientDisconnect as error:
            raise RequestError("The request ended before its body did.") from error
        if body and len(body) <= _INLINE_BYTES:
            self._json = parse_json(body)
        elif body:
            self._json = await run_in_threadpool(parse_json, body)

    def has_members(self) -> bool:
        """Whether the body says anything: many clients send an empty object for nothing."""
        return getattr(self, "_json", {}) != {}

    async def json(self) -> Any:
        """What `read` found."""
        return self._json


class StrictRoute(APIRoute):
    """A route that reads its body by `parse_json` and takes each query parameter once.

    What it takes none of is refused: that a ``dry_run`` in the wrong place was passed over would be
    seen too late.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind the checks."""
        inner = super().get_route_handler()
        takes_query = bool(self.dependant.query_params)
        streams = bool((self.openapi_extra or {}).get(STREAM))

        async def handle(request: Request) -> Response:
            names = [name for name, _ in request.query_params.multi_items()]
            if len(names) != len(set(names)):
                raise RequestError("A query parameter is given twice.")
            if names and not takes_query:
                raise RequestError("This address takes no query parameters.")
            if streams or request.method == "GET":
                return await inner(request)
            strict = _StrictRequest(request.scope, request.receive)
            await strict.read()
            if self.body_field is None and strict.has_members():
                raise RequestError("This address takes no body.")
            return await inner(strict)

        return handle
