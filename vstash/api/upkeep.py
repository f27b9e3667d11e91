"""The route that starts work on the whole file in the background."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, FastAPI
from pydantic import Field
from starlette.responses import Response

from vstash.api import inputs
from vstash.api.access import Caller
from vstash.api.describe import BODY, WRITING
from vstash.api.jobs import QUEUED, JobReply, queued
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.routing import add_route
from vstash.errors import (
    CollectionForbiddenError,
    FieldError,
    ModelInvalidError,
    ModelNotFoundError,
    OverloadError,
)
from vstash.jobs import UpkeepTask
from vstash.memory import Memory

__all__ = ["UpkeepInput", "UpkeepRoutes"]


class UpkeepInput(inputs.Body):
    """Work on the whole file."""

    task: UpkeepTask = Field(description="What to do.", examples=["backup"])
    quick: bool = Field(
        default=False, description="Of a check: leave out what reads every text and vector."
    )
    full: bool = Field(
        default=False,
        description="Of a compaction: give all free room back, which makes writers wait.",
    )
    model: str | None = Field(
        default=None, description="Of a reindex: the name of an installed model."
    )
    collection: str | None = Field(
        default=None, description="Of learning: what to learn of; without it `default`."
    )


class UpkeepRoutes:
    """Upkeep over HTTP.

    Args:
        memory: What it works on.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the route to an application."""
        add_route(
            app,
            "POST",
            "/v1/upkeep",
            self.start,
            scope="admin",
            name="startUpkeep",
            summary="Check, repair, back up, compact, reindex or learn in the background",
            status=202,
            model=JobReply,
            said="The job, queued.",
            responses=QUEUED,
            errors=(
                *BODY,
                FieldError,
                CollectionForbiddenError,
                OverloadError,
                ModelNotFoundError,
                ModelInvalidError,
                *WRITING,
                *REPEATABLE,
            ),
        )

    def start(
        self, given: Annotated[UpkeepInput, Body()], caller: Caller, repeat: Repeat
    ) -> Response:
        """A place among the jobs; one that is cancelled or interrupted leaves nothing half done.

        Ask for the operation of that name instead where its answer can be waited for.
        """
        caller.whole_file()
        return repeat(
            self._memory,
            lambda: self._memory.start_upkeep(
                given.task,
                quick=given.quick,
                full=given.full,
                model=given.model,
                collection=given.collection,
            ),
            queued,
        )
