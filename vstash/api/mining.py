"""The routes of queries of which the answer is known, and of what there is to learn from."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Body, FastAPI, Query
from pydantic import Field, SkipValidation
from starlette.responses import Response

from vstash.api import bounds
from vstash.api.access import Caller
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.inputs import Body as Object
from vstash.api.inputs import Closed
from vstash.api.operations import LONG
from vstash.api.replies import LegEntryReply, Reply, Time, TripleReply
from vstash.api.routing import add_route
from vstash.errors import (
    CollectionForbiddenError,
    CollectionNotFoundError,
    CursorError,
    FieldError,
    InputError,
    QueryError,
    VstashError,
)
from vstash.memory import Memory
from vstash.mining import MADE_FORMS, Form
from vstash.types import MaskReason, TripleKind, TripleOrigin

__all__ = ["MiningRoutes"]

Named = Annotated[
    str | None,
    Field(
        description="Of the documents.",
        examples=["default"],
        json_schema_extra=bounds.COLLECTION,
    ),
]


class MineInput(Object):
    """Which queries to make."""

    collection: Named = None
    forms: list[SkipValidation[Form]] = Field(
        default=list(MADE_FORMS), description="How they are made.", examples=[["cloze"]]
    )
    per_document: int = Field(
        default=3,
        description="Of each form from one document.",
        json_schema_extra={"minimum": 1, "maximum": 20},
    )
    limit: int | None = Field(
        default=None,
        description="At most so many by this request; the next one goes on.",
        json_schema_extra={"minimum": 1, "maximum": 10_000_000},
    )
    seed: int = Field(
        default=0, description="Which ones.", json_schema_extra={"minimum": 0, "maximum": 2**63 - 1}
    )


class LabelInput(Object):
    """Queries with judgements."""

    queries: dict[str, str] = Field(
        description="Texts by ids of your own.",
        examples=[{"q1": "what does Ada drink"}],
        json_schema_extra={"minProperties": 1},
    )
    judgements: dict[str, dict[str, int]] = Field(
        description="For each of these ids, grades by documents' keys; above 0 is relevant.",
        examples=[{"q1": {"people/ada": 1}}],
    )
    collection: Named = None


class MadeSelection(Closed):
    """Which queries."""

    collection: Named = None
    form: Form | None = Field(default=None, description="How they were made; any when left out.")


class MadePageQuery(MadeSelection):
    """Which queries to list."""

    limit: int = Field(default=50, description="Per page.", json_schema_extra=bounds.LIMIT)
    cursor: str | None = Field(default=None, description="`next_cursor` of the page before.")


class LearnReportQuery(Closed):
    """Which triples to sum up."""

    collection: Named = None
    samples: int = Field(
        default=5,
        description="Triples with their texts.",
        json_schema_extra={"minimum": 0, "maximum": 100},
    )


class MineReply(Reply):
    """What was made."""

    collection: str
    documents: int = Field(description="That were gone through, once for each form.")
    left: int = Field(description="That were not, since `limit` was reached.")
    queries: dict[Form, int] = Field(description="By form.")
    triples: dict[TripleKind, int] = Field(description="By kind.")
    masked: dict[MaskReason, int] = Field(
        description="Negatives passed over since they may answer as well."
    )
    disagreement: float | None = Field(description="Mean over the queries.")
    seconds: float


class LabelReply(Reply):
    """What became of queries with judgements."""

    collection: str
    queries: int = Field(description="With a relevant document of the collection.")
    unanswered: int = Field(description="Without one; left out.")
    unknown: int = Field(description="Relevant documents that the collection does not hold.")
    stored: int = Field(description="Pairs of a query and a relevant chunk that a leg lists.")
    triples: dict[TripleKind, int]
    masked: dict[MaskReason, int]
    false_negatives: float | None = Field(
        description="Share of the negatives left by all other masks that are judged relevant."
    )
    disagreement: float | None
    seconds: float


class MadeQueryReply(Reply):
    """A query of which the answer is known."""

    number: int
    query: str
    form: Form
    collection: str
    document_id: str
    positive_chunk_id: int = Field(description="What answers it.")
    disagreement: float = Field(description="How far both legs' first 10 differ.")
    vector_leg: list[LegEntryReply]
    keyword_leg: list[LegEntryReply]
    masked: dict[MaskReason, int]
    made_at: Time
    triples: list[TripleReply]


class MadeQueryPage(Reply):
    """Queries of which the answer is known, newest first."""

    items: list[MadeQueryReply]
    next_cursor: str | None


class RemovedReply(Reply):
    """How many queries were removed."""

    removed: int


class SpreadReply(Reply):
    """How values are distributed."""

    mean: float
    quantiles: list[float] = Field(description="What 5, 25, 50, 75 and 95 % are at most.")


class TaughtSourceReply(Reply):
    """Queries of one source, and the triples that follow from them."""

    name: str = Field(description="`search` for the log, else a form.")
    origin: TripleOrigin
    queries: int
    disagreement: float
    triples: dict[TripleKind, int]
    evidence: float | None
    worth: float | None


class CoverageReply(Reply):
    """How much is the positive of a triple."""

    documents: int
    documents_covered: int
    chunks: int
    chunks_covered: int


class FalseNegativesReply(Reply):
    """How many negatives answer the query as well."""

    estimated: float | None = Field(description="From their scores.")
    measured: float | None = Field(description="Of those that somebody judged.")
    judged: int


class SampleTripleReply(Reply):
    """A triple to read."""

    triple: TripleReply
    source: str
    evidence: float
    gradient: float


class LearnReportReply(Reply):
    """What there is to learn from."""

    collection: str | None
    triples: dict[TripleKind, int]
    sources: list[TaughtSourceReply]
    masked: dict[MaskReason, int]
    difficulty: dict[TripleKind, SpreadReply] = Field(
        description="How far the leg that is sure of the positive prefers it."
    )
    evidence: SpreadReply | None = Field(
        description="How sure positives are right and negatives wrong."
    )
    coverage: CoverageReply
    false_negatives: FalseNegativesReply
    worth: float | None = Field(description="Mean of evidence times gradient.")
    effective: float = Field(description="Its sum over the triples.")
    samples: list[SampleTripleReply]


_READING: Final[tuple[type[VstashError], ...]] = (
    InputError,
    FieldError,
    QueryError,
    CollectionNotFoundError,
    CollectionForbiddenError,
)
_CHANGING: Final[tuple[type[VstashError], ...]] = (
    FieldError,
    CollectionNotFoundError,
    CollectionForbiddenError,
    *WRITING,
)


class MiningRoutes:
    """Queries of which the answer is known over HTTP.

    Args:
        memory: Whose documents answer.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        self._attach_making(app)
        add_route(
            app,
            "GET",
            "/v1/learn/queries",
            self.page,
            scope="read",
            name="listMadeQueries",
            summary="List queries of which the answer is known",
            model=MadeQueryPage,
            said="Queries with their triples, newest first.",
            errors=(*_READING, CursorError),
        )
        add_route(
            app,
            "DELETE",
            "/v1/learn/queries",
            self.remove,
            scope="write",
            name="removeMadeQueries",
            summary="Remove queries of which the answer is known",
            model=RemovedReply,
            said="How many there were.",
            errors=(InputError, *_CHANGING),
        )
        add_route(
            app,
            "GET",
            "/v1/learn/report",
            self.report,
            scope="read",
            name="reportLearning",
            summary="Sum up what there is to learn from",
            model=LearnReportReply,
            said="How many triples, how sure, how hard, and what they are worth.",
            errors=_READING,
            extra={LONG: True},
        )

    def _attach_making(self, app: FastAPI) -> None:
        add_route(
            app,
            "POST",
            "/v1/learn/mine",
            self.mine,
            scope="write",
            name="mineQueries",
            summary="Make queries from documents, and triples from them",
            model=MineReply,
            said="What was made, and how many documents are left.",
            errors=(*BODY, QueryError, *_CHANGING),
            extra={LONG: True},
        )
        add_route(
            app,
            "POST",
            "/v1/learn/label",
            self.label,
            scope="write",
            name="labelQueries",
            summary="Take queries with judgements, and triples from them",
            model=LabelReply,
            said="What became of them.",
            errors=(*BODY, *_CHANGING),
            extra={LONG: True},
        )

    def mine(self, given: Annotated[MineInput, Body()], caller: Caller) -> Response:
        """What is made is kept when the request is cut off; a repetition goes on.

        No language model is asked: only who opens the file itself can name one.
        """
        return reply(
            self._memory.mine(
                collection=caller.collection(given.collection),
                forms=given.forms,
                per_document=given.per_document,
                limit=given.limit,
                seed=given.seed,
            )
        )

    def label(self, given: Annotated[LabelInput, Body()], caller: Caller) -> Response:
        """Those that are there already are left as they are, so that it can be repeated."""
        return reply(
            self._memory.label(
                given.queries, given.judgements, collection=caller.collection(given.collection)
            )
        )

    def page(self, query: Annotated[MadePageQuery, Query()], caller: Caller) -> Response:
        """Those of removed documents are gone."""
        return reply(
            self._memory.made_queries(
                collection=caller.collection(query.collection),
                form=query.form,
                limit=query.limit,
                cursor=query.cursor,
            )
        )

    def remove(self, query: Annotated[MadeSelection, Query()], caller: Caller) -> Response:
        """Of all collections and forms where none is named; it can be repeated."""
        removed = self._memory.remove_made(
            collection=caller.collection(query.collection), form=query.form
        )
        return reply({"removed": removed})

    def report(self, query: Annotated[LearnReportQuery, Query()], caller: Caller) -> Response:
        """Triples of the log, of made queries and of those given with judgements."""
        return reply(
            self._memory.learn_report(
                collection=caller.collection(query.collection), samples=query.samples
            )
        )
