"""The outermost layer: what no web page and no oversized request gets past."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vstash.api.hosts import same_machine, split_host
from vstash.api.problems import log_defect, problem_response
from vstash.errors import (
    ForbiddenOriginError,
    InternalError,
    MediaTypeError,
    RequestError,
    RequestTooLargeError,
    VstashError,
)

__all__ = ["Guard"]

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})
_JSON: Final = "application/json"
_MERGE_PATCH: Final = "application/merge-patch+json"
# No size has more digits, and longer ones cost time to read.
_MAX_LENGTH_DIGITS: Final = 18
_ALWAYS: Final = (
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
_POLICY_VIOLATION: Final = 1008


class Guard:
    """An ASGI application around another that lets only this machine's own programs in.

    A web page can make a browser send requests to this machine, also under a host name of its own
    (DNS rebinding); Host, Origin, Sec-Fetch-Site and the media type give it away. Nothing of a
    request is read before it has passed, and what escapes the application becomes an answer
    without detail.

    Args:
        app: What is guarded.
        hosts: Host names without port under which it may be asked, in lower case.
        max_body_bytes: Largest body that is let through.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], max_body_bytes: int) -> None:
        self.app = app
        self._hosts = hosts
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; see the ASGI specification 3.0."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            # RFC 9110 wants HEAD wherever there is GET; the server leaves the body out.
            asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
            await self._serve(asked, receive, _Answer(send))
        else:
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            self._admit(scope)
            await self.app(scope, _Counted(receive, self._max_body_bytes), answer)
        except VstashError as error:
            refusal = error
        except Exception as error:  # noqa: BLE001 - the last place before the server logs what users wrote
            log_defect(str(scope["method"]), error)
            refusal = InternalError("vstash failed; its log says where.")
        else:
            return
        if not answer.started:
            await problem_response(refusal)(scope, receive, answer)

    def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        self._check_host(headers)
        self._check_page(headers, scope)
        length = _body_length(headers)
        if length is not None and length > self._max_body_bytes:
            raise _too_large(self._max_body_bytes)
        has_body = length is None or length > 0
        if has_body and scope["method"] not in _SAFE_METHODS:
            _check_media_type(headers, str(scope["method"]))

    def _check_host(self, headers: Headers) -> None:
        given = headers.getlist("host")
        parts = split_host(given[0]) if len(given) == 1 else None
        if parts is None or parts[0] not in self._hosts:
            raise ForbiddenOriginError(
                "Ask under the name localhost, 127.0.0.1 or [::1]: vstash serves this machine only."
            )

    def _check_page(self, headers: Headers, scope: Scope) -> None:
        server = scope.get("server")
        port = server[1] if server else None
        origins = headers.getlist("origin")
        if len(origins) > 1 or not all(
            same_machine(origin, self._hosts, port) for origin in origins
        ):
            raise ForbiddenOriginError("Web pages of other origins cannot use vstash.")
        if not _OWN_SITES.issuperset(headers.getlist("sec-fetch-site")):
            raise ForbiddenOriginError("Web pages of other sites cannot use vstash.")


class _Answer:
    """Sends what the application answers, with the headers that every answer carries."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            for name, value in _ALWAYS:
                headers[name] = value
            message = {**message, "headers": headers.raw}
        await self._send(message)


class _Counted:
    """Receives a body and refuses it once it is too large, whatever its headers said."""

    def __init__(self, receive: Receive, max_body_bytes: int) -> None:
        self._receive = receive
        self._limit = max_body_bytes
        self._seen = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            if self._seen > self._limit:
                raise _too_large(self._limit)
        return message


def _too_large(limit: int) -> RequestTooLargeError:
    return RequestTooLargeError(
        f"The body is over {limit:,} bytes: send less, or raise the setting max_body_bytes."
    )


def _body_length(headers: Headers) -> int | None:
    """Bytes of the body, None when it is chunked."""
    given = headers.getlist("content-length")
    chunked = "transfer-encoding" in headers
    if not given:
        return None if chunked else 0
    # Both headers, or two lengths, are how requests are smuggled past a proxy.
    if chunked or len(given) > 1 or not (given[0].isascii() and given[0].isdigit()):
        raise RequestError("Content-Length must be one number, without Transfer-Encoding.")
    digits = given[0].lstrip("0")
    return int(digits or "0") if len(digits) <= _MAX_LENGTH_DIGITS else 10**_MAX_LENGTH_DIGITS


def _check_media_type(headers: Headers, method: str) -> None:
    accepted = (_JSON, _MERGE_PATCH) if method == "PATCH" else (_JSON,)
    given = headers.getlist("content-type")
    kind, _, parameters = (given[0] if len(given) == 1 else "").partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    if kind.strip().lower() not in accepted or charset not in {"", "charset=utf-8"}:
        raise MediaTypeError(f"The body must be {' or '.join(accepted)} in UTF-8.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise MediaTypeError("The body must not be compressed.")
