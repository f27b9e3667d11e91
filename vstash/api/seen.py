"""What is known of a request while it is served, for its log line, its metrics and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fastapi import Request
from starlette.types import Scope

from vstash.api.operations import NO_ROUTE

__all__ = ["GONE", "Seen", "seen_in", "timed"]

_MEMBER: Final = "vstash.seen"
# What is told of a request whose client went away before it was answered.
GONE: Final = 499


@dataclass(slots=True)
class Seen:
    """One request; every part of the service adds what it learns.

    Attributes:
        id: The request's.
        route: Template of its address, ``none`` where there is no such address.
        instant: Whether it is answered without a thread of the pool.
        long: Whether it may take as long as it needs.
        key: Id of the access key that it came with, empty for none.
        status: Of the answer, 499 where the client went away before it.
        code: Of the problem that it was answered, empty for a success.
        reason: Why it was shed, empty where it was not.
        waited_ms: For a thread.
        stages: Milliseconds per stage of a search.
        bytes_in: Of the body, as far as it was read.
        bytes_out: Of the answer's body.
    """

    id: str = ""
    route: str = NO_ROUTE
    instant: bool = False
    long: bool = False
    key: str = ""
    status: int = GONE
    code: str = ""
    reason: str = ""
    waited_ms: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0

    def put_into(self, scope: Scope) -> None:
        """Make it known to all that serves the request."""
        scope[_MEMBER] = self


def seen_in(scope: Scope) -> Seen:
    """The record of a request; a new one where nobody looks, as in tests of a part alone."""
    found = scope.get(_MEMBER)
    return found if isinstance(found, Seen) else Seen()


def timed(request: Request, timings_ms: Mapping[str, float]) -> dict[str, str]:
    """Take note of the stages of a search.

    Args:
        request: That it answers.
        timings_ms: By stage, and ``total``.

    Returns:
        The header that tells them; the request's own total is added to it later.
    """
    stages = {name: spent for name, spent in timings_ms.items() if name != "total"}
    seen_in(request.scope).stages = stages
    return {"Server-Timing": ", ".join(f"{name};dur={spent:g}" for name, spent in stages.items())}
