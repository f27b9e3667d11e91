"""The route that puts passages together for a prompt."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Body, FastAPI, Request
from pydantic import Field
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.describe import QUESTION, reply
from vstash.api.inputs import Log, QuestionInput, Session
from vstash.api.replies import Reply
from vstash.api.routing import add_route
from vstash.api.seen import timed
from vstash.contexts import ContextOrder
from vstash.errors import (
    SettingsError,
)
from vstash.memory import Memory

__all__ = ["ContextInput", "ContextReply", "ContextRoutes"]


class ContextInput(QuestionInput):
    """What to put together; tokens are counted as the service's setting `context_tokenizer` says."""

    max_tokens: int = Field(
        default=2000, description="What the whole text may take, 1 to 1,000,000.", examples=[2000]
    )
    k: int | None = Field(
        default=None,
        description="Hits to choose from, 1 to 200; left out, one to every 25 tokens of `max_tokens`, "
        "30 to 200.",
        examples=[30],
    )
    order: ContextOrder = Field(
        default="edges",
        description="`edges` puts the best passages at both ends, `rank` the best first, `document` "
        "keeps those of a document together.",
    )
    widen: bool = Field(
        default=True, description="Fill what is left with the chunks before and after the hits."
    )
    log: Log = True
    session: Session = None


class PassageReply(Reply):
    """A part of one document as it stands in the text."""

    number: int = Field(description="What it is cited by, from 1.")
    document_id: str
    key: str
    title: str
    heading: list[str] = Field(description="Headings that all of it stands under.")
    start: int = Field(description="First character's offset in the document's text.")
    end: int = Field(description="Offset after the last character.")
    text: str
    score: float = Field(description="The best of the hits in it.")
    tokens: int = Field(description="What it takes alone, with the line above it.")
    chunk_ids: list[int]
    truncated: bool = Field(description="Whether its end was cut off to fit.")


class LeftOutPassageReply(Reply):
    """A hit that had no place."""

    chunk_id: int
    document_id: str
    key: str
    score: float
    why: Literal["budget", "duplicate"]


class LeftOutReply(Reply):
    """The hits that had no place."""

    count: int
    best: list[LeftOutPassageReply] = Field(description="The best of them, at most 5.")


class ContextReply(Reply):
    """Passages that answer a query, put together for a prompt."""

    query: str
    text: str = Field(description="To be put into a prompt as it is; empty without a passage.")
    passages: list[PassageReply] = Field(description="In the order of the text.")
    tokens: int = Field(description="What `text` takes, counted as a whole.")
    max_tokens: int
    left_out: LeftOutReply
    search_id: str = Field(description="Names the search behind it in the log.")
    abstained: str | None = Field(
        description="Why no passage is likely to answer; null where one is."
    )
    degraded: list[str] = Field(description="Reasons why this is less than was asked for.")
    timings_ms: dict[str, float] = Field(
        description="Milliseconds per stage of the search, then `pack`, and `total`."
    )


class ContextRoutes:
    """Contexts over HTTP.

    Args:
        memory: What is searched.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the route to an application."""
        add_route(
            app,
            "POST",
            "/v1/context",
            self.context,
            scope="read",
            name="buildContext",
            summary="Put together the passages that answer a query, for a prompt",
            model=ContextReply,
            said="The text, its passages, and what had no room.",
            errors=(*QUESTION, SettingsError),
        )

    def context(
        self, request: Annotated[ContextInput, Body()], caller: Caller, http: Request
    ) -> Response:
        """The text never takes more than `max_tokens`; each passage stands under a marked line."""
        found = self._memory.context(
            **request.asked(caller),
            max_tokens=request.max_tokens,
            k=request.k,
            order=request.order,
            widen=request.widen,
            log=request.log,
            session=request.session,
        )
        return reply(found, headers=timed(http, found.timings_ms))
