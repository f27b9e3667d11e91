"""Reading the access key that a request came with."""

from __future__ import annotations

from starlette.datastructures import Headers

from vstash.errors import RequestError

__all__ = ["given_secret"]


def given_secret(headers: Headers) -> str | None:
    """The secret in ``Authorization: Bearer`` or ``X-API-Key``.

    Args:
        headers: Of the request. A query is never looked at: addresses end up in logs and histories.

    Returns:
        None when there is neither header; of another kind of authorization nothing.

    Raises:
        RequestError: When there are two that differ.

    Example:
        >>> given_secret(Headers({"Authorization": "Bearer abc"}))
        'abc'
    """
    found = {_bearer(value) for value in headers.getlist("authorization")}
    found |= {value.strip() for value in headers.getlist("x-api-key")}
    if len(found) > 1:
        raise RequestError("The request has two access keys: send one.")
    return found.pop() if found else None


def _bearer(value: str) -> str:
    scheme, _, secret = value.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""
