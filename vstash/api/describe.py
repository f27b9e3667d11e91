"""The parts of /openapi.json that FastAPI does not derive by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from fastapi import FastAPI
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from vstash.api.bounds import SCHEMAS
from vstash.api.problems import PROBLEM_TYPE, problem, title
from vstash.api.replies import Problem
from vstash.errors import (
    CollectionForbiddenError,
    CollectionNotFoundError,
    DeadlineError,
    EmbeddingError,
    FieldError,
    FilterError,
    ForbiddenOriginError,
    InputError,
    InternalError,
    KeyRequiredError,
    MediaTypeError,
    OverloadError,
    QueryError,
    RateLimitError,
    RequestError,
    RequestTooLargeError,
    ScopeError,
    SlowClientError,
    StoreBusyError,
    StoreCorruptError,
    StoreFullError,
    StoreIOError,
    StoreReadOnlyError,
    StoreReplacedError,
    VstashError,
)
from vstash.types import Json
from vstash.wire import to_json

__all__ = ["BODY", "EVERYWHERE", "QUESTION", "WRITING", "Api", "refusals", "reply"]

Errors = tuple[type[VstashError], ...]

EVERYWHERE: Errors = (
    RequestError,
    KeyRequiredError,
    ScopeError,
    CollectionForbiddenError,
    ForbiddenOriginError,
    RequestTooLargeError,
    SlowClientError,
    RateLimitError,
    OverloadError,
    DeadlineError,
    InternalError,
    StoreCorruptError,
    StoreIOError,
    StoreReplacedError,
)
BODY: Errors = (InputError, MediaTypeError)
QUESTION: Errors = (
    *BODY,
    QueryError,
    FilterError,
    FieldError,
    CollectionNotFoundError,
    CollectionForbiddenError,
    EmbeddingError,
)
WRITING: Errors = (StoreBusyError, StoreFullError, StoreReadOnlyError)

_REF = "#/components/schemas/{model}"
_KEY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access key."},
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same access key.",
    },
}


def reply(value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A value of the public interface as a JSON answer."""
    # msgspec writes a search's answer in a tenth of the time of the standard library.
    body = msgspec.json.encode(to_json(value))
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def refusals(*kinds: type[VstashError]) -> dict[int | str, dict[str, Any]]:
    """What a route may answer other than success, for its documentation.

    Args:
        kinds: Classes of errors; those that every route shares are added.

    Returns:
        FastAPI's ``responses``: per status a description and an example for each code.
    """
    found: dict[int | str, dict[str, Any]] = {}
    for status, group in _by_status((*EVERYWHERE, *kinds)):
        found[status] = {
            "description": "; ".join(f"`{kind.code}`: {title(kind)}" for kind in group),
            "content": {
                PROBLEM_TYPE: {
                    "schema": {"$ref": _REF.format(model=Problem.__name__)},
                    "examples": {kind.code: {"value": _example(kind)} for kind in group},
                }
            },
        }
    return found


def _by_status(kinds: Iterable[type[VstashError]]) -> list[tuple[int, list[type[VstashError]]]]:
    groups: dict[int, list[type[VstashError]]] = {}
    for kind in dict.fromkeys(kinds):
        groups.setdefault(kind.status, []).append(kind)
    return sorted(groups.items())


def _example(kind: type[VstashError]) -> dict[str, Json]:
    return problem(kind(f"{title(kind)}."))


class Api(FastAPI):
    """FastAPI whose description knows our errors."""

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if self.openapi_schema is None:
            schema = super().openapi()
            _, problems = models_json_schema([(Problem, "serialization")], ref_template=_REF)
            schema["components"]["schemas"].update({**problems["$defs"], **SCHEMAS})
            schema["components"]["securitySchemes"] = _KEY_SCHEMES
            # None of them is needed on the machine itself, unless the settings say so.
            schema["security"] = [{}, *({name: []} for name in _KEY_SCHEMES)]
            self.openapi_schema = schema
        return self.openapi_schema
