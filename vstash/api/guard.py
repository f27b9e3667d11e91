"""The outermost layer: who is let in, decided before anything of a body is read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vstash.api.access import EVERYTHING, STATE, STRANGER, Access, Needed
from vstash.api.cors import allow_page, is_preflight, preflight_answer
from vstash.api.credentials import given_secret
from vstash.api.hosts import allowed_names, checked_origins, exposed, own_origin, split_host
from vstash.api.operations import Operation, Operations, allowed
from vstash.api.problems import log_defect, log_late, problem_response
from vstash.errors import (
    ForbiddenOriginError,
    InternalError,
    KeyRequiredError,
    MediaTypeError,
    RequestError,
    RequestTooLargeError,
    ScopeError,
    VstashError,
)
from vstash.keys import AccessKey

if TYPE_CHECKING:
    from vstash.settings import Settings

__all__ = ["ALWAYS", "Guard", "Rules"]

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})
_JSON: Final = "application/json"
_MERGE_PATCH: Final = "application/merge-patch+json"
_LINES: Final = "application/x-ndjson"
# No size has more digits, and longer ones cost time to read.
_MAX_LENGTH_DIGITS: Final = 18
# Headers of every answer.
ALWAYS: Final = (
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
_POLICY_VIOLATION: Final = 1008
# An address or method that there is not says so to whoever may read.
_UNKNOWN: Final = Operation("read")


@dataclass(frozen=True, slots=True)
class Rules:
    """Who is let in.

    Attributes:
        hosts: Host names without port under which the service may be asked, in lower case.
        origins: Of web pages that may use it with an access key, in lower case.
        require_key: Whether everybody needs an access key.
        max_body_bytes: Largest body that is let through.
    """

    hosts: frozenset[str]
    origins: frozenset[str] = frozenset()
    require_key: bool = False
    max_body_bytes: int = 16_777_216

    @classmethod
    def of(cls, settings: Settings) -> Rules:
        """What the settings ask for.

        Raises:
            SettingsError: When one of them is malformed.
        """
        return cls(
            hosts=allowed_names(
                "localhost" if settings.uds else settings.host, settings.allowed_hosts
            ),
            origins=checked_origins(settings.cors_origins),
            require_key=settings.require_key or exposed(settings),
            max_body_bytes=settings.max_body_bytes,
        )


class Guard:
    """An ASGI application around another that lets in only whom the rules let in.

    A web page can make a browser send requests to this machine, also under a host name of its own
    (DNS rebinding); Host, Origin, Sec-Fetch-Site and the media type give it away. Then the access
    key counts. Nothing of a request is read before it has passed, and what escapes the application
    becomes an answer without detail.

    Args:
        app: What is guarded.
        rules: Who is let in.
        operations: Of the application, with what each needs and takes.
        find_key: From the secret of a living access key to the key. It is called between two requests
            and must be quick.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        rules: Rules,
        operations: Operations,
        find_key: Callable[[str], AccessKey | None],
    ) -> None:
        self.app = app
        self._rules = rules
        self._operations = operations
        self._find_key = find_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; see the ASGI specification 3.0."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            # RFC 9110 wants HEAD wherever there is GET; the server leaves the body out.
            asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else {**scope}
            await self._serve(asked, receive, _Answer(send, varies=bool(self._rules.origins)))
        else:
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            admitted = self._admit(scope, answer)
            if isinstance(admitted, Response):
                await admitted(scope, receive, answer)
            else:
                limit = None if admitted.stream else self._rules.max_body_bytes
                await self.app(scope, _Counted(receive, limit), answer)
        except VstashError as error:
            refusal = error
        except Exception as error:  # noqa: BLE001 - the last place before the server logs what users wrote
            late = error.__cause__
            if answer.started and isinstance(late, VstashError):
                # Starlette has other words for what comes too late to be answered.
                log_late(str(scope["method"]), late)
                return
            log_defect(str(scope["method"]), error)
            refusal = InternalError("vstash failed; its log says where.")
        else:
            return
        if not answer.started:
            await problem_response(refusal)(scope, receive, answer)

    def _admit(self, scope: Scope, answer: _Answer) -> Response | Operation:
        """Refuse a request, answer it, or write the caller's rights into its scope."""
        headers = Headers(scope=scope)
        self._check_host(headers)
        answer.page = self._page(headers, scope)
        method = str(scope["method"])
        if answer.page is not None and is_preflight(method, headers):
            return preflight_answer()
        methods = self._operations.at(scope["path"])
        operation = methods.get(method, _UNKNOWN)
        scope[STATE] = self._access(headers, operation.scope, from_page=answer.page is not None)
        self._check_body(headers, method, operation)
        if method == "OPTIONS" and methods:
            return Response(status_code=204, headers={"Allow": allowed(methods)})
        return operation

    def _check_host(self, headers: Headers) -> None:
        given = headers.getlist("host")
        parts = split_host(given[0]) if len(given) == 1 else None
        if parts is None or parts[0] not in self._rules.hosts:
            raise ForbiddenOriginError(
                "Ask under the name localhost, 127.0.0.1 or [::1], or under one that the setting "
                "allowed_hosts of the service names."
            )

    def _page(self, headers: Headers, scope: Scope) -> str | None:
        """The origin of a web page that the settings name, None for a request that is no page's."""
        origins = headers.getlist("origin")
        if len(origins) == 1 and origins[0].lower() in self._rules.origins:
            return origins[0]
        server = scope.get("server")
        port = server[1] if server else None
        scheme = str(scope.get("scheme", "http"))
        if len(origins) > 1 or not all(
            own_origin(origin, self._rules.hosts, scheme, port) for origin in origins
        ):
            raise ForbiddenOriginError("Web pages of other origins cannot use vstash.")
        if not _OWN_SITES.issuperset(headers.getlist("sec-fetch-site")):
            raise ForbiddenOriginError("Web pages of other sites cannot use vstash.")
        return None

    def _access(self, headers: Headers, needed: Needed, *, from_page: bool) -> Access:
        secret = given_secret(headers)
        if needed == "none" and not from_page:
            return self._visitor(secret)
        if secret is None and not (self._rules.require_key or from_page):
            return EVERYTHING
        key = None if secret is None else self._find_key(secret)
        if key is None:
            # The same for whatever is wrong, so that nobody learns which ids there are.
            raise KeyRequiredError(
                "Send a valid access key as `Authorization: Bearer` or `X-API-Key`: `vstash keys "
                "create` makes one."
            )
        access = _rights(key)
        if not access.allows(needed):
            raise ScopeError(f"This needs an access key of the scope {needed}.")
        return access

    def _visitor(self, secret: str | None) -> Access:
        """Who asks for what needs no key; one that is given counts for how much they are told."""
        key = None
        # Whether the service lives must not depend on the file that keys are in.
        with suppress(VstashError):
            key = None if secret is None else self._find_key(secret)
        if key is not None:
            return _rights(key)
        return STRANGER if self._rules.require_key else EVERYTHING

    def _check_body(self, headers: Headers, method: str, operation: Operation) -> None:
        length = _body_length(headers)
        limit = self._rules.max_body_bytes
        if length is not None and length > limit and not operation.stream:
            raise _too_large(limit)
        has_body = length is None or length > 0
        if has_body and method not in _SAFE_METHODS:
            _check_media_type(headers, method, operation)


class _Answer:
    """Sends what is answered, with the headers that every answer carries.

    Args:
        send: To the server.
        varies: Whether some web pages are let in, so that answers depend on who asks.
    """

    def __init__(self, send: Send, *, varies: bool) -> None:
        self._send = send
        self._varies = varies
        self.started = False
        self.page: str | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            for name, value in ALWAYS:
                headers[name] = value
            if self._varies:
                headers.add_vary_header("Origin")
            if self.page is not None:
                allow_page(headers, self.page)
            message = {**message, "headers": headers.raw}
        await self._send(message)


class _Counted:
    """Receives a body and refuses it once it is too large, whatever its headers said.

    Args:
        receive: From the server.
        limit: Bytes, None for a stream.
    """

    def __init__(self, receive: Receive, limit: int | None) -> None:
        self._receive = receive
        self._limit = limit
        self._seen = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and self._limit is not None:
            self._seen += len(message.get("body", b""))
            if self._seen > self._limit:
                raise _too_large(self._limit)
        return message


def _rights(key: AccessKey) -> Access:
    return Access(key.id, key.scope, key.collection)


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


def _check_media_type(headers: Headers, method: str, operation: Operation) -> None:
    accepted = (_JSON, _MERGE_PATCH) if method == "PATCH" else (_JSON,)
    if operation.stream:
        accepted = (_LINES,)
    given = headers.getlist("content-type")
    kind, _, parameters = (given[0] if len(given) == 1 else "").partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    if kind.strip().lower() not in accepted or charset not in {"", "charset=utf-8"}:
        raise MediaTypeError(f"The body must be {' or '.join(accepted)} in UTF-8.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise MediaTypeError("The body must not be compressed.")
