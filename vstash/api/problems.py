"""Every error as problem details (RFC 9457); the one place where errors become answers."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from vstash.api.operations import Operations, allowed
from vstash.api.seen import seen_in
from vstash.errors import (
    CursorError,
    DeadlineError,
    FieldError,
    FilterError,
    InputError,
    InternalError,
    MediaTypeError,
    MethodNotAllowedError,
    QueryError,
    RequestError,
    RequestTooLargeError,
    RouteNotFoundError,
    TextError,
    VstashError,
)
from vstash.types import Json
from vstash.wire import error_json

__all__ = [
    "PROBLEM_TYPE",
    "Place",
    "ProblemResponse",
    "install_handlers",
    "log_defect",
    "log_late",
    "problem",
    "problem_response",
    "title",
]

PROBLEM_TYPE = "application/problem+json"
_RETRY_AFTER_S = 1
_KINDS: Final[Mapping[str, type[InputError]]] = {
    "text": TextError,
    **dict.fromkeys(("key", "title", "collection", "tags", "name", "scope"), FieldError),
    **dict.fromkeys(("metadata", "expires_at", "search_id", "chunk_id", "verdict"), FieldError),
    **dict.fromkeys(
        ("query", "k", "mode", "strategy", "explain", "log", "limit", "texts"), QueryError
    ),
    **dict.fromkeys(("paths", "ignore", "prune", "task", "quick", "full"), FieldError),
    "state": QueryError,
    **dict.fromkeys(("collapse", "mmr", "mmr_lambda", "fold_duplicates"), QueryError),
    "min_relevance": QueryError,
    **dict.fromkeys(("recency_half_life_days", "max_tokens", "order", "widen"), QueryError),
    **dict.fromkeys(("include", "before", "after"), QueryError),
    "filter": FilterError,
    "cursor": CursorError,
}

_log = logging.getLogger("vstash.api")


@dataclass(frozen=True, slots=True)
class Place:
    """One thing that is wrong with a request.

    Attributes:
        pointer: JSON pointer of the field: of the body, or of the query's or path's parameter.
        message: What is wrong; never what was sent.
    """

    pointer: str
    message: str


class ProblemResponse(JSONResponse):
    """A JSON answer of the media type that RFC 9457 names."""

    media_type = PROBLEM_TYPE
    code = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and take note of what was answered."""
        seen_in(scope).code = self.code
        await super().__call__(scope, receive, send)


def title(kind: type[VstashError]) -> str:
    """What a class of errors is about, the same words every time."""
    return (kind.__doc__ or kind.code).strip().splitlines()[0].rstrip(".")


def problem(
    error: VstashError,
    places: Sequence[Place] = (),
    *,
    status: int | None = None,
    under: str = "",
) -> dict[str, Json]:
    """An error as a problem object.

    Args:
        error: What happened; its ``local_detail`` stays here.
        places: What is wrong where; by default the place that the error itself names.
        status: In place of the error's own.
        under: Pointer of the object that the error's pointer starts from.

    Example:
        >>> from vstash.errors import TextError
        >>> problem(TextError("The text is empty.", pointer="/text"))["errors"]
        [{'pointer': '/text', 'message': 'The text is empty.'}]
    """
    if not places and error.pointer is not None:
        places = (Place(error.pointer, error.message),)
    found = error_json(error, local=False)
    found.pop("pointer", None)
    return {
        "type": f"urn:vstash:error:{error.code}",
        "title": title(type(error)),
        **found,
        "status": error.status if status is None else status,
        "errors": [
            {"pointer": f"{under}{place.pointer}", "message": place.message} for place in places
        ],
    }


def problem_response(
    error: VstashError,
    places: Sequence[Place] = (),
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error as an HTTP answer.

    Args:
        error: What happened.
        places: As in `problem`.
        status: In place of the error's own.
        headers: Further headers.
    """
    content = problem(error, places, status=status)
    sent = dict(headers or {})
    code = error.status if status is None else status
    if error.retryable or code == HTTPStatus.SERVICE_UNAVAILABLE:
        sent.setdefault("Retry-After", str(_RETRY_AFTER_S))
    if code == HTTPStatus.UNAUTHORIZED:
        sent["WWW-Authenticate"] = "Bearer"
    answer = ProblemResponse(content, status_code=code, headers=sent)
    answer.code = error.code
    return answer


def log_defect(where: str, error: BaseException) -> None:
    """Log an error that nobody expected, without its message, which may hold what users wrote.

    Args:
        where: Method and route.
        error: Its type and the lines of code that it passed are logged.
    """
    frames = "".join(traceback.format_tb(error.__traceback__))
    cause = "" if error.__cause__ is None else f" from {type(error.__cause__).__name__}"
    _log.error("%s: %s%s\n%s", where, type(error).__name__, cause, frames)


def log_late(where: str, error: VstashError) -> None:
    """Log an error that cut an answer short; that nobody waits for the answer any more is none.

    Args:
        where: Method and route.
        error: Came when the answer had begun.
    """
    if isinstance(error, InternalError):
        log_defect(where, error)
    elif not isinstance(error, DeadlineError):
        _log.warning("%s: %s, in the midst of an answer", where, error.code)


def install_handlers(app: FastAPI) -> None:
    """Make every error that leaves a route of this application a problem."""

    async def handle(request: Request, error: Exception) -> Response:
        return _answer(app, request, error)

    for kind in (VstashError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, handle)


def _answer(app: FastAPI, request: Request, error: Exception) -> Response:
    if isinstance(error, VstashError):
        _log_failure(request, error)
        return problem_response(error)
    if isinstance(error, RequestValidationError):
        return _misfit_answer(error)
    if isinstance(error, HTTPException):
        return _http_answer(app, request, error)
    # The guard logs it: it gets to see what escapes outside of routes, too.
    return problem_response(InternalError("vstash failed; its log says where."))


def _http_answer(app: FastAPI, request: Request, error: HTTPException) -> Response:
    status = error.status_code
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        # The router reports only the first route of a path, yet each method is a route of its own.
        methods = allowed(Operations(app).at(request.scope["path"]))
        refused = MethodNotAllowedError(f"This address takes {methods} only.")
        return problem_response(refused, headers={"Allow": methods})
    if status == HTTPStatus.NOT_FOUND:
        return problem_response(
            RouteNotFoundError("There is no such address; /openapi.json lists all.")
        )
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem_response(RequestTooLargeError("The request is too large."))
    if status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        return problem_response(MediaTypeError("The body must be application/json."))
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return problem_response(RequestError("The request is malformed."))
    return problem_response(InternalError("vstash failed; its log says where."))


def _misfit_answer(error: RequestValidationError) -> Response:
    # The first part of a location says body, query or path; no part is a name that was sent,
    # because models that are closed refuse those as a whole.
    part_of = error.errors()[0]["loc"][0]
    locations = [item["loc"][1:] for item in error.errors()]
    places = [
        Place("".join(f"/{part}" for part in location), str(item["msg"]))
        for location, item in zip(locations, error.errors(), strict=True)
    ]
    # What Memory would have raised for this field, so that every interface has the same codes.
    kind = next((_KINDS[part] for part in locations[0] if part in _KINDS), InputError)
    first = places[0]
    where = f"`{first.pointer}` of the request" if first.pointer else f"The request's {part_of}"
    return problem_response(kind(f"{where}: {first.message}."), places)


def _log_failure(request: Request, error: VstashError) -> None:
    if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return
    route = getattr(request.scope.get("route"), "path_format", "unknown route")
    where = f"{request.method} {route}"
    if isinstance(error, InternalError):
        log_defect(where, error)
    else:
        _log.warning("%s: %s", where, f"{error.code} {error.local_detail}".rstrip())
