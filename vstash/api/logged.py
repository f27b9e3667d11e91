"""The routes of the log as a whole."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, FastAPI, Query
from pydantic import Field
from starlette.responses import Response

from vstash.api import bounds
from vstash.api.access import Caller
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.inputs import Body as Object
from vstash.api.inputs import Closed
from vstash.api.operations import LONG
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import Reply
from vstash.api.routing import add_route
from vstash.errors import CollectionForbiddenError, FieldError, InputError
from vstash.log_reports import Period
from vstash.memory import Memory
from vstash.types import MaskReason, TripleKind

__all__ = ["LogRoutes"]

Searched = Annotated[
    str | None,
    Field(
        description="That was searched; all when left out.",
        examples=["default"],
        json_schema_extra=bounds.COLLECTION,
    ),
]


class ReportQuery(Closed):
    """Which part of the log."""

    collection: Searched = None


class RedactInput(Object):
    """Which part of the log."""

    collection: Searched = None


class LogRateReply(Reply):
    """Searches that have something in common."""

    name: str = Field(description="A collection, or the first day of a period, UTC.")
    searches: int = Field(description="Different ones, by when they were last asked.")
    asked: int
    disagreement: float = Field(description="Mean over the different ones, in [0, 1].")
    reformulated: int = Field(description="Those that put an earlier one in other words.")


class TermRateReply(Reply):
    """An informative word of queries."""

    term: str
    searches: int
    disagreement: float


class LegsJudgedReply(Reply):
    """Which leg was right, by chunks that were called helpful or cited."""

    chunks: int
    vector_better: int = Field(description="Ranked higher by vectors.")
    keyword_better: int
    equal: int = Field(description="At the same rank, or in neither list.")
    vector_mrr: float | None = Field(description="Mean reciprocal rank, 0 where it is not listed.")
    keyword_mrr: float | None
    p_value: float | None = Field(description="Of a two-sided sign test.")


class DisagreementReportReply(Reply):
    """Where the two indexes disagree, over time and by what was asked."""

    collection: str | None
    k: int = Field(description="Depth at which the legs are compared.")
    searches: int = Field(description="Each different one once.")
    asked: int
    folded: float = Field(description="Share of `asked` that repeated an earlier search.")
    hashed: int = Field(description="Searches of which only the keyed hash is kept.")
    disagreement: float | None
    with_triples: float | None = Field(
        description="Share of those with text that yielded a triple."
    )
    period: Period
    over_time: list[LogRateReply] = Field(description="Oldest first, at most 60 periods.")
    by_collection: list[LogRateReply] = Field(description="Most searches first.")
    terms: list[TermRateReply] = Field(description="More frequent where legs disagree.")
    triples: dict[TripleKind, int] = Field(description="By kind.")
    masked: dict[MaskReason, int] = Field(
        description="Negatives passed over since they may answer as well."
    )
    legs: LegsJudgedReply
    in_sessions: int = Field(description="Searches with a session.")
    reformulated: float | None = Field(
        description="Share of these that put an earlier one in other words."
    )
    dropped: int = Field(description="Searches not logged because the file was busy.")


class RedactReply(Reply):
    """What was removed from the log."""

    searches: int = Field(description="Whose text and session became keyed hashes.")
    triples: int = Field(description="Of these searches.")
    purged: bool = Field(description="Whether all that they left in the file is gone.")
    log_emptied: bool = Field(description="Whether the write-ahead log was emptied.")
    remedy: str = Field(description="What to do where one of the two is false, else empty.")


class LogRoutes:
    """The log over HTTP.

    Args:
        memory: Whose log it is.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "GET",
            "/v1/disagreements/report",
            self.report,
            scope="read",
            name="reportDisagreements",
            summary="Sum up where the legs disagreed",
            model=DisagreementReportReply,
            said="Over time, by collection, by word, and which leg tends to be right.",
            errors=(InputError, FieldError, CollectionForbiddenError),
            extra={LONG: True},
        )
        add_route(
            app,
            "POST",
            "/v1/disagreements:redact",
            self.redact,
            scope="admin",
            name="redactLog",
            summary="Remove what people asked from the log",
            model=RedactReply,
            said="Keyed hashes are in its place; `remedy` says what is left to be done, if anything.",
            errors=(*BODY, FieldError, CollectionForbiddenError, *WRITING, *REPEATABLE),
            extra={LONG: True},
        )

    def report(self, query: Annotated[ReportQuery, Query()], caller: Caller) -> Response:
        """Words are looked for in the latest 10,000 searches."""
        return reply(
            self._memory.disagreement_report(collection=caller.collection(query.collection))
        )

    def redact(
        self, given: Annotated[RedactInput, Body()], caller: Caller, repeat: Repeat
    ) -> Response:
        """Counts, legs and feedback stay; triples go. Writers wait while the file is written anew."""
        collection = caller.collection(given.collection)
        return repeat(self._memory, lambda: self._memory.redact_log(collection=collection), reply)
