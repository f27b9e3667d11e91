"""The routes that prove that the file is whole, and make it so."""

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
from vstash.errors import (
    CollectionForbiddenError,
    InputError,
    StoreBusyError,
    StoreCorruptError,
)
from vstash.memory import Memory
from vstash.upkeep import CheckLevel

__all__ = ["CheckReply", "CheckRoutes", "RepairReply"]


class CheckQuery(Closed):
    """How far to look."""

    level: CheckLevel = Field(
        default="full",
        description="`full` reads every text and every vector; `quick` compares which chunks each "
        "index holds, counters, references and the schema.",
    )


class RepairQuery(Closed):
    """How far to go."""

    accept_content: bool = Field(
        default=False,
        description="Make the hash anew of documents that do not match theirs: their content is "
        "taken for what it should be.",
    )


class FindingReply(Reply):
    """One thing that is wrong with the file."""

    code: str = Field(description="Stable name of its kind; docs/check.md lists all.")
    message: str = Field(description="What it means and what to do.")
    count: int = Field(description="How many rows are touched.")
    examples: list[str] = Field(description="Ids of some of them.")


class CheckReply(Reply):
    """The result of a check: no findings means that everything agrees."""

    level: CheckLevel
    findings: list[FindingReply]
    documents: int
    chunks: int
    seconds: float


class RepairReply(Reply):
    """What a repair did."""

    found: list[FindingReply] = Field(description="What a full check found before.")
    repaired: list[str] = Field(description="Codes of what it does not find any more.")
    left: list[FindingReply] = Field(
        description="What it still finds; the message says what to do."
    )
    accepted: list[str] = Field(
        description="Ids of documents whose hash was made anew, the first 100."
    )
    awaiting: int = Field(description="Chunks that await a vector now.")
    backup: str | None = Field(
        description="Name of the backup that was made first, null where nothing was repaired."
    )
    seconds: float


class CheckRoutes:
    """Checks and repairs over HTTP.

    Args:
        memory: What is checked.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "POST",
            "/v1/check",
            self.check,
            scope="admin",
            name="check",
            summary="Check the file",
            model=CheckReply,
            said="Findings; none means that everything agrees.",
            errors=(InputError, StoreBusyError, CollectionForbiddenError),
            extra={LONG: True},
        )
        add_route(
            app,
            "POST",
            "/v1/repair",
            self.repair,
            scope="admin",
            name="repair",
            summary="Check the file, and derive anew what is wrong",
            model=RepairReply,
            said="What was found, what is right now, and what is left.",
            errors=(
                *(InputError, StoreCorruptError, CollectionForbiddenError),
                *WRITING,
                *REPEATABLE,
            ),
            extra={LONG: True},
        )

    def check(self, query: Annotated[CheckQuery, Query()], caller: Caller) -> Response:
        """Compares schema, text, words, vectors, codes, counters and log with one another."""
        caller.whole_file()
        return reply(self._memory.check(level=query.level))

    def repair(
        self, query: Annotated[RepairQuery, Query()], caller: Caller, repeat: Repeat
    ) -> Response:
        """Makes a backup first, then sets right in one transaction what can be derived.

        Text is never changed or removed. Others can search meanwhile, and write before and after.
        """
        caller.whole_file()
        return repeat(
            self._memory,
            lambda: self._memory.repair(accept_content=query.accept_content),
            reply,
        )
