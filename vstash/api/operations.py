"""What the routes of an application need and take, known before any of them is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI

from vstash.api.access import Needed

__all__ = [
    "INSTANT",
    "LONG",
    "NO_ROUTE",
    "SCOPE",
    "STREAM",
    "Operation",
    "Operations",
    "allowed",
]

# Members of a described operation: the scope that it needs, whether its body is a stream of lines,
# which has no limit as a whole, whether it takes as long as it needs, and whether it never waits for
# the threads that others occupy.
SCOPE: Final = "x-vstash-scope"
STREAM: Final = "x-vstash-stream"
LONG: Final = "x-vstash-long"
INSTANT: Final = "x-vstash-instant"
NO_ROUTE: Final = "none"


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of an address.

    Attributes:
        scope: What an access key must allow.
        stream: Whether it takes NDJSON of any length instead of one JSON value.
        long: Whether it takes as long as it needs.
        instant: Whether it is answered at once, whatever others do.
        route: Its address with the parameters in braces, ``none`` for one that there is not.
    """

    scope: Needed
    stream: bool = False
    long: bool = False
    instant: bool = False
    route: str = NO_ROUTE


class Operations:
    """All operations of an application, by address.

    Args:
        app: With all its routes attached.
    """

    def __init__(self, app: FastAPI) -> None:
        self._routes = list(_routes(app))
        # Most requests name no variable part, and are found at once.
        fixed = [str(getattr(route, "path_format", "{")) for route in app.routes]
        self._fixed = {path: self._match(path) for path in fixed if "{" not in path}

    def at(self, path: str) -> dict[str, Operation]:
        """The operations of an address by method, none for an address that there is not.

        Args:
            path: As in the ASGI scope.
        """
        fixed = self._fixed.get(path)
        return self._match(path) if fixed is None else fixed

    def _match(self, path: str) -> dict[str, Operation]:
        found: dict[str, Operation] = {}
        for pattern, methods in self._routes:
            if pattern.match(path):
                # The first route that takes both address and method answers, as in Starlette.
                found = {**methods, **found}
        return found


def allowed(methods: Mapping[str, Operation]) -> str:
    """The Allow header of an address."""
    # The guard makes a GET of every HEAD, and answers OPTIONS.
    head = {"HEAD"} if "GET" in methods else set()
    return ", ".join(sorted({*methods, *head, "OPTIONS"}))


def _routes(app: FastAPI) -> Iterator[tuple[re.Pattern[str], dict[str, Operation]]]:
    for route in app.routes:
        extra = getattr(route, "openapi_extra", None) or {}
        # FastAPI adds the description by itself; it tells of no content.
        path = str(getattr(route, "path_format", NO_ROUTE))
        own: Needed = "read" if path == app.openapi_url else "admin"
        operation = Operation(
            scope=extra.get(SCOPE, own),
            stream=bool(extra.get(STREAM)),
            long=bool(extra.get(LONG) or extra.get(STREAM)),
            instant=bool(extra.get(INSTANT)) or path == app.openapi_url,
            route=path,
        )
        pattern = getattr(route, "path_regex", None)
        # What has no methods, such as a mounted application, would pass unguarded.
        assert pattern is not None  # noqa: S101 - a mistake of ours, seen at the start
        yield pattern, dict.fromkeys(getattr(route, "methods", None) or (), operation)
