"""The route that tidies up the file."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import Field
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.describe import WRITING, reply
from vstash.api.operations import LONG
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import Reply
from vstash.api.routing import add_route
from vstash.errors import CollectionForbiddenError
from vstash.memory import Memory

__all__ = ["CompactRoutes"]


class CompactReply(Reply):
    """What was tidied up."""

    expired: int = Field(description="Expired documents that were removed.")
    bytes_before: int = Field(description="Size of the file and its write-ahead log.")
    bytes_after: int = Field(description="Room that was freed inside the file is used again.")
    seconds: float


class CompactRoutes:
    """Compaction over HTTP.

    Args:
        memory: What is compacted.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the route to an application."""
        add_route(
            app,
            "POST",
            "/v1/compact",
            self.compact,
            scope="admin",
            name="compact",
            summary="Remove what has expired, and tidy up the file",
            model=CompactReply,
            said="What was removed, and the file's size before and after.",
            errors=(CollectionForbiddenError, *WRITING, *REPEATABLE),
            extra={LONG: True},
        )

    def compact(self, caller: Caller, repeat: Repeat) -> Response:
        """Others can search meanwhile, and write in between."""
        caller.whole_file()
        return repeat(self._memory, self._memory.compact, reply)
