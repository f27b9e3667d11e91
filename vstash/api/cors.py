"""Cross-origin requests, for pages that the settings name and for no others (the Fetch standard)."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

__all__ = ["allow_page", "is_preflight", "preflight_answer"]

_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE"
_SENT: Final = (
    "Authorization, X-API-Key, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
    "Request-Timeout, X-Request-ID"
)
_READ: Final = "ETag, Idempotency-Replayed, Location, Retry-After, Server-Timing, WWW-Authenticate, X-Request-ID"
_MAX_AGE_S: Final = 600


def is_preflight(method: str, headers: Headers) -> bool:
    """Whether a browser asks what a page may send."""
    return method == "OPTIONS" and "access-control-request-method" in headers


def preflight_answer() -> Response:
    """What any address answers to such a question: it never carries a key, so it is told nothing."""
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _SENT,
            "Access-Control-Max-Age": str(_MAX_AGE_S),
        },
    )


def allow_page(headers: MutableHeaders, origin: str) -> None:
    """Let a page read an answer; cookies stay out, which nothing here knows.

    Args:
        headers: Of the answer.
        origin: Of the page, one of those that the settings name.
    """
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Expose-Headers"] = _READ
