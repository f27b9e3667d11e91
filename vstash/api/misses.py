"""The route that says why a search does not return something."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, FastAPI
from pydantic import Field
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.describe import QUESTION, reply
from vstash.api.inputs import HitsInput
from vstash.api.replies import ExplanationReply, Reply
from vstash.api.routing import add_route
from vstash.errors import (
    ChunkNotFoundError,
    DocumentNotFoundError,
    NotFoundError,
)
from vstash.errors.missing import no_chunk, no_document
from vstash.memory import Memory
from vstash.misses import MissStage, ScorePart

__all__ = ["MissRoutes", "WhyNotInput", "WhyNotReply"]


class WhyNotInput(HitsInput):
    """A search, and the one thing that it should have found."""

    document: str | None = Field(default=None, description="Id of a document.")
    key: str | None = Field(default=None, description="Key of a document.", examples=["people/ada"])
    chunk: int | None = Field(default=None, description="Of a chunk, as in `hit.chunk.id`.")


class MissingWordReply(Reply):
    """A derived word of the query that the chunk lacks."""

    word: str
    idf: float
    chunks: int = Field(description="How many chunks of the file hold it.")


class WhyNotReply(Reply):
    """Where a search lost something; a number that does not apply is null."""

    query: str
    stage: MissStage = Field(description="The first stage that lost it; `returned` for none.")
    document_id: str
    key: str
    collection: str = Field(description="That the document is in.")
    k: int
    why: str = Field(description="One sentence to read.")
    advice: list[str] = Field(description="What would have to change, most to the point first.")
    chunk_id: int | None = Field(description="Of a document, the best of its chunks.")
    k_needed: int | None = Field(description="A k with which it is returned, at most 1,000.")
    rank: int | None = Field(description="Its place among what could be returned, from 1.")
    depth: int | None = Field(description="How many candidates each index was asked for.")
    vector_rank: int | None = Field(description="Among all that the search may return, from 1.")
    vector_deeper_than: int | None = Field(
        description="How many are nearer, in a large file where the rank is not known."
    )
    vector_score: float | None = Field(description="Its cosine.")
    vector_needed: float | None = Field(description="The cosine of the last candidate by vectors.")
    keyword_rank: int | None = Field(description="Among all that the search may return, from 1.")
    keyword_score: float | None = Field(description="Its BM25; 0 where it holds no word.")
    keyword_needed: float | None = Field(description="The BM25 of the last candidate by keywords.")
    score: float | None = Field(description="Its fused score where it was a candidate.")
    score_needed: float | None = Field(description="That of the last hit, where k were found.")
    lacks: ScorePart | None = Field(description="The part furthest behind that of the last hit.")
    relevance: float | None
    behind: int | None = Field(description="The chunk that stands for it.")
    failed: list[str] = Field(description="Conditions of the filter that the document fails.")
    missing_words: list[MissingWordReply] = Field(
        description="Informative words of the query that it lacks, rarest first."
    )
    awaiting: bool = Field(description="Whether it has no vector yet.")
    explanation: ExplanationReply | None
    explanation_of_last: ExplanationReply | None
    degraded: list[str] = Field(description="Reasons why the search did less than asked for.")


class MissRoutes:
    """Misses over HTTP.

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
            "/v1/search/why-not",
            self.why_not,
            scope="read",
            name="whyNot",
            summary="Say why a search does not return a document or a chunk",
            model=WhyNotReply,
            said="The stage that lost it, by how much, and what would help.",
            errors=(*QUESTION, DocumentNotFoundError, ChunkNotFoundError),
        )

    def why_not(self, request: Annotated[WhyNotInput, Body()], caller: Caller) -> Response:
        """Give one of `document`, `key` and `chunk`; nothing is logged."""
        told = self._memory.why_not(
            **request.asked(caller),
            document=request.document,
            key=request.key,
            chunk=request.chunk,
            k=request.k,
            collapse=request.collapse,
        )
        if not caller.sees(told.collection):
            raise _not_there(request)
        return reply(told)


def _not_there(request: WhyNotInput) -> NotFoundError:
    if request.chunk is not None:
        return no_chunk(pointer="/chunk")
    return no_document("key") if request.key is not None else no_document(pointer="/document")
