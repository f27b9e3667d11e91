"""Adding routes, each with the scope that it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from vstash.api.access import Needed
from vstash.api.describe import Errors, refusals
from vstash.api.operations import SCOPE

__all__ = ["Responses", "add_route"]

Responses = dict[int | str, dict[str, Any]]


def add_route(
    app: FastAPI,
    method: str,
    path: str,
    endpoint: Callable[..., Any],
    *,
    scope: Needed,
    name: str,
    summary: str,
    said: str,
    model: type[BaseModel] | None = None,
    errors: Errors = (),
    responses: Responses | None = None,
    extra: dict[str, Any] | None = None,
    status: int = 200,
    kind: type[Response] = JSONResponse,
) -> None:
    """Add one operation to an application.

    Args:
        app: Where to.
        method: Of HTTP.
        path: With its parameters in braces.
        endpoint: Its docstring becomes the description.
        scope: What an access key must allow.
        name: The operation's id, unique in the description.
        summary: In one line.
        said: What the answer of success holds.
        model: Of that answer, None where it has no body of JSON.
        errors: Which it may answer, besides those that every route shares.
        responses: Further answers, by status.
        extra: Members to add to the description.
        status: Of success.
        kind: Of the answer of success; its media type is described.
    """
    described = refusals(*errors)
    for number, said_of_it in (responses or {}).items():
        refused = described.get(number, {})
        content = {**refused.get("content", {}), **said_of_it.get("content", {})}
        described[number] = {**refused, **said_of_it, **({"content": content} if content else {})}
    app.add_api_route(
        path,
        endpoint,
        methods=[method],
        operation_id=name,
        summary=summary,
        status_code=status,
        response_model=model,
        response_class=kind,
        response_description=said,
        responses=described,
        openapi_extra={**(extra or {}), SCOPE: scope},
    )
