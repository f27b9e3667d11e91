"""The routes of what was learnt: its history, promotion and rollback."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, FastAPI, Path, Query
from pydantic import Field
from starlette.responses import Response

from vstash.api import bounds, inputs
from vstash.api.access import Caller
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import Reply, Time
from vstash.api.routing import add_route
from vstash.errors import (
    CollectionForbiddenError,
    CollectionNotFoundError,
    CursorError,
    FieldError,
    InputError,
    LearnedDamagedError,
    LearnedNotFoundError,
    LearnedOtherModelError,
    LearnedRefusedError,
    QueryError,
)
from vstash.learning import LearnerName
from vstash.memory import Memory

__all__ = ["LearningRoutes"]

LearnedId = Annotated[
    str,
    Path(
        alias="id",
        description="Of something that was learnt, as it is listed.",
        examples=["019b2d0c-1a2b-7c3d-8e4f-5a6b7c8d9e0f"],
    ),
]
Of = Annotated[
    str | None,
    Field(
        description="That it was learnt of; all, or any, when left out.",
        examples=["default"],
        json_schema_extra=bounds.COLLECTION,
    ),
]


class LearnedQuery(inputs.PageQuery):
    """Of which collection to list what was learnt."""

    collection: Of = None


class PromoteInput(inputs.Body):
    """Whether to use what the gate refused."""

    collection: Of = None
    force: bool = Field(default=False, description="Use it although the gate refused it.")


class RollbackInput(inputs.Body):
    """What to go back in."""

    collection: inputs.Collection = None
    learner: LearnerName | None = Field(default=None, description="Of which; each when left out.")


class LearningFigureReply(Reply):
    """One measure, on queries that nothing was learnt from."""

    name: str = Field(examples=["held-out mrr@10"])
    queries: int
    before: float = Field(description="With the built-in, whatever was in use.")
    after: float = Field(description="With what was learnt.")
    low: float = Field(description="Lower end of the 95 % interval of the difference.")
    high: float = Field(description="Its upper end.")


class LearningDecisionReply(Reply):
    """Why the gate took or refused what was learnt."""

    accepted: bool
    reasons: list[str]
    figures: list[LearningFigureReply]
    examples: dict[str, int] = Field(description="Queries learnt from and judged by, by origin.")
    data_sha256: str = Field(description="Of all examples.")
    seed: int
    settings: dict[str, Any] = Field(description="Of learner and gate.")
    versions: dict[str, str]
    seconds: float


class LearnedReply(Reply):
    """Something that was learnt of a collection."""

    id: str
    learner: LearnerName = Field(
        description="`fusion`: how far keywords and feedback count; `adapter`: a map on the vector of a "
        "query."
    )
    collection: str
    model: str = Field(description="Whose vectors it was learnt with, and is used with.")
    made: Time
    accepted: bool = Field(description="Whether the gate took it.")
    active: bool = Field(description="Whether searches use it while its model is the active one.")
    decision: LearningDecisionReply


class LearnedPage(Reply):
    """A page of what was learnt."""

    items: list[LearnedReply]
    next_cursor: str | None


class LearnedSwitchReply(Reply):
    """One thing that was learnt took the place of another."""

    learner: LearnerName
    before: str | None = Field(description="Null for the built-in.")
    after: str | None = Field(description="Null for the built-in.")


class RollbackReply(Reply):
    """What a rollback changed."""

    collection: str
    switched: list[LearnedSwitchReply] = Field(description="Empty where the built-in was in use.")


class LearningDueReply(Reply):
    """What there is to learn of a collection."""

    collection: str
    searches: int = Field(description="Logged since the last time, counted up to what it takes.")
    last: Time | None = Field(description="Null for never.")
    due: bool = Field(description="Whether it would begin, once nobody searches.")


class AutoLearningReply(Reply):
    """Whether the service learns by itself, and of what."""

    on: bool = Field(description="The setting `learn_auto`.")
    cpu_percent: int = Field(description="Of one core, at most.")
    searches: int = Field(description="New ones of a collection that it takes.")
    collections: list[LearningDueReply]


class LearningRoutes:
    """What was learnt, over HTTP.

    Args:
        memory: Whose it is.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "GET",
            "/v1/learned",
            self.page,
            scope="read",
            name="listLearned",
            summary="List what was learnt from searches",
            model=LearnedPage,
            said="Newest first, each with why the gate took or refused it.",
            errors=(InputError, QueryError, CursorError, FieldError, CollectionForbiddenError),
        )
        add_route(
            app,
            "POST",
            "/v1/learned/{id}:promote",
            self.promote,
            scope="admin",
            name="promoteLearned",
            summary="Use something that was learnt",
            model=LearnedReply,
            said="It, as it is now.",
            errors=(
                *(*BODY, FieldError, CollectionForbiddenError, LearnedNotFoundError),
                *(LearnedRefusedError, LearnedOtherModelError, LearnedDamagedError),
                *(*WRITING, *REPEATABLE),
            ),
        )
        self._attach_back(app)

    def _attach_back(self, app: FastAPI) -> None:
        add_route(
            app,
            "POST",
            "/v1/learned:rollback",
            self.rollback,
            scope="admin",
            name="rollbackLearned",
            summary="Go back to what was in use before",
            model=RollbackReply,
            said="What was switched.",
            errors=(
                *(*BODY, FieldError, CollectionForbiddenError, CollectionNotFoundError),
                *(*WRITING, *REPEATABLE),
            ),
        )

        add_route(
            app,
            "GET",
            "/v1/learned:auto",
            self.auto,
            scope="admin",
            name="showAutoLearning",
            summary="Say whether the service learns by itself",
            model=AutoLearningReply,
            said="Its settings, and what there is to learn.",
            errors=(CollectionForbiddenError,),
        )

    def auto(self, caller: Caller) -> Response:
        """Off unless the setting `learn_auto` says otherwise."""
        caller.whole_file()
        return reply(self._memory.auto_learning())

    def page(self, query: Annotated[LearnedQuery, Query()], caller: Caller) -> Response:
        """Learning itself is the upkeep task `learn`."""
        return reply(
            self._memory.learned(
                caller.collection(query.collection), limit=query.limit, cursor=query.cursor
            )
        )

    def promote(
        self,
        caller: Caller,
        learned_id: LearnedId,
        how: Annotated[PromoteInput, Body()],
        repeat: Repeat,
    ) -> Response:
        """Searches use it from the next one on; `learned` of their replies names it."""
        return repeat(
            self._memory,
            lambda: self._memory.promote(
                learned_id, collection=caller.collection(how.collection), force=how.force
            ),
            reply,
        )

    def rollback(
        self, caller: Caller, which: Annotated[RollbackInput, Body()], repeat: Repeat
    ) -> Response:
        """Each call goes one step further back, to the built-in at last."""
        return repeat(
            self._memory,
            lambda: self._memory.rollback(
                caller.collection(which.collection), learner=which.learner
            ),
            reply,
        )
