"""The routes of feedback on searches."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, FastAPI, Query
from pydantic import Field, SkipValidation
from starlette.responses import Response

from vstash.api import bounds
from vstash.api.access import Access, Caller
from vstash.api.batches import results
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.inputs import MAX_BATCH, LogQuery
from vstash.api.inputs import Body as Object
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import FeedbackBatchReply, JudgedSearchPage, VerdictReply
from vstash.api.routing import add_route
from vstash.errors import (
    ChunkNotFoundError,
    CollectionForbiddenError,
    CursorError,
    FieldError,
    InputError,
    QueryError,
    SearchNotFoundError,
    VstashError,
)
from vstash.feedback import Feedback, VerdictName
from vstash.memory import Memory

__all__ = ["FeedbackRoutes"]


class FeedbackInput(Object):
    """Whether a chunk answered a search."""

    search_id: str = Field(
        description="The `id` of the reply to a hybrid search that was logged.",
        examples=["019b2d0c-1a2b-7c3d-8e4f-5a6b7c8d9e0f"],
        json_schema_extra=bounds.KEY,
    )
    chunk_id: int = Field(
        description="Of any chunk in the collection that was searched.",
        examples=[17],
        json_schema_extra=bounds.ROW,
    )
    # Memory refuses others, so that a wrong one in a batch does not keep the others out.
    verdict: SkipValidation[VerdictName] = Field(
        description="`cited` is for a chunk that an answer quotes, `opened` for one that somebody went on "
        "to read; that takes the place of no other verdict.",
        examples=["helpful"],
    )
    collection: str | None = Field(
        default=None,
        description="That must have been searched; any when left out.",
        examples=["default"],
        json_schema_extra=bounds.COLLECTION,
    )


class FeedbackBatchInput(Object):
    """Feedback on many chunks at once."""

    feedback: list[FeedbackInput] = Field(
        max_length=MAX_BATCH, description=f"At most {MAX_BATCH:,}, stored in one transaction."
    )


class FeedbackRoutes:
    """Feedback over HTTP.

    Args:
        memory: What was searched.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "POST",
            "/v1/feedback",
            self.give,
            scope="write",
            name="giveFeedback",
            summary="Say whether a chunk answered a search",
            model=VerdictReply,
            said="What is stored; a repetition changes nothing.",
            errors=(
                *BODY,
                FieldError,
                SearchNotFoundError,
                ChunkNotFoundError,
                CollectionForbiddenError,
                *WRITING,
                *REPEATABLE,
            ),
        )
        add_route(
            app,
            "POST",
            "/v1/feedback:batch",
            self.give_many,
            scope="write",
            name="giveFeedbackOnMany",
            summary="Say of many chunks whether they answered",
            model=FeedbackBatchReply,
            said="What became of each, in order.",
            errors=(*BODY, FieldError, *WRITING, *REPEATABLE),
        )
        add_route(
            app,
            "GET",
            "/v1/feedback",
            self.page,
            scope="read",
            name="listJudgedSearches",
            summary="Show the searches that got feedback",
            model=JudgedSearchPage,
            said="Judged searches, newest first.",
            errors=(InputError, QueryError, CursorError, FieldError, CollectionForbiddenError),
        )

    def give(
        self, feedback: Annotated[FeedbackInput, Body()], caller: Caller, repeat: Repeat
    ) -> Response:
        """The last verdict on a chunk counts.

        It is kept as long as the log keeps the search and the file the document; replacing the
        document ends the chunk and leaves the feedback.
        """
        return repeat(
            self._memory,
            lambda: self._memory.feedback(
                feedback.search_id,
                feedback.chunk_id,
                feedback.verdict,
                collection=caller.collection(feedback.collection),
            ),
            reply,
        )

    def give_many(
        self, batch: Annotated[FeedbackBatchInput, Body()], caller: Caller, repeat: Repeat
    ) -> Response:
        """One that cannot be stored does not keep the others out.

        A body of the wrong types stores nothing. All that are valid are stored in one transaction.
        """
        read = [_given_or_error(item, caller) for item in batch.feedback]
        good = [item for item in read if isinstance(item, Feedback)]
        return repeat(
            self._memory,
            lambda: self._memory.feedback_batch(good),
            lambda outcomes: results(read, outcomes, name="verdict", under="/feedback"),
        )

    def page(self, query: Annotated[LogQuery, Query()], caller: Caller) -> Response:
        """Chunks that ended with a replacement of their document are null; its key stays."""
        return reply(
            self._memory.judged_searches(
                collection=caller.collection(query.collection),
                limit=query.limit,
                cursor=query.cursor,
            )
        )


def _given_or_error(item: FeedbackInput, caller: Access) -> Feedback | VstashError:
    try:
        collection = caller.collection(item.collection)
    except CollectionForbiddenError as error:
        return error
    return Feedback(item.search_id, item.chunk_id, item.verdict, collection)
