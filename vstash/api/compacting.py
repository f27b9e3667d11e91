"""The route that tidies up the file."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query
from pydantic import Field
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.describe import WRITING, reply
from vstash.api.inputs import Closed
from vstash.api.operations import LONG
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import Reply
from vstash.api.routing import add_route
from vstash.errors import CollectionForbiddenError, FieldError
from vstash.memory import Memory

__all__ = ["CompactRoutes"]


class CompactQuery(Closed):
    """How far to go."""

    full: bool = Field(
        default=False,
        description="Also write the file anew, which gives free room back; writers wait for that.",
    )


class CompactReply(Reply):
    """What was tidied up."""

    expired: int = Field(description="Expired documents that were removed.")
    bytes_before: int = Field(description="Size of the file and its write-ahead log.")
    bytes_after: int = Field(description="Room that was freed inside the file is used again.")
    reclaimable: int = Field(description="Bytes free inside the file that `full` would give back.")
    steps: int = Field(description="Short transactions that it was done in.")
    longest_step_ms: float = Field(description="For how long the longest kept others from writing.")
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
            errors=(CollectionForbiddenError, FieldError, *WRITING, *REPEATABLE),
            extra={LONG: True},
        )

    def compact(
        self, query: Annotated[CompactQuery, Query()], caller: Caller, repeat: Repeat
    ) -> Response:
        """Others can search meanwhile, and write in between."""
        caller.whole_file()
        return repeat(self._memory, lambda: self._memory.compact(full=query.full), reply)
