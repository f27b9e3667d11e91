"""Smaller answers for who asks for them."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipResponder, IdentityResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Compressed"]

_LEAST_BYTES: Final = 2048
_LEVEL: Final = 5
# What holds a secret beside what the caller chose would give it away by its size.
_UNCOMPRESSED: Final = "/v1/keys"
_EVERYTHING: Final = ("application/*", "text/*")


class Compressed:
    """An ASGI application around another that sends gzip where it pays.

    An answer with an ETag stays as it is: another encoding would need another ETag, which would then
    not do for If-Match. Starlette flushes each piece of a stream.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; see the ASGI specification 3.0."""
        if scope["type"] != "http" or scope["path"].startswith(_UNCOMPRESSED):
            await self.app(scope, receive, send)
        elif _accepts(Headers(scope=scope)):
            await _Gzip(self.app, _LEAST_BYTES, _LEVEL)(scope, receive, send)
        else:
            await IdentityResponder(self.app, _LEAST_BYTES)(scope, receive, send)


class _Gzip(GZipResponder):
    """Starlette's, but for answers with an ETag."""

    async def send_with_compression(self, message: Message) -> None:
        if message["type"] == "http.response.start" and "etag" in Headers(raw=message["headers"]):
            self.exclude_content_types = _EVERYTHING
        await super().send_with_compression(message)


def _accepts(headers: Headers) -> bool:
    """Whether gzip is named, and not ruled out by a weight of 0."""
    for given in headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = given.replace(" ", "").partition(";q=")
        if name in {"gzip", "x-gzip"}:
            return weight.strip("0.") != "" if weight else True
    return False
