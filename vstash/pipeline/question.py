"""The parameters of a search, checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, get_args

from vstash.errors import FieldError, QueryError
from vstash.filters import Filter, parse
from vstash.pipeline.prepare import (
    checked_collection,
    checked_key,
    checked_query_vector,
    readable_query,
)
from vstash.pipeline.shape import PLAIN, Shape, checked_shape
from vstash.pipeline.shaping import MOST_DEPTH
from vstash.types import JsonObject, Mode, StrategyName

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.types import AnyVector, FloatArray

__all__ = ["MAX_K", "MAX_SESSION_CHARS", "Question", "checked_question", "checked_session"]

MAX_K: Final = 1000
MAX_SESSION_CHARS: Final = 200
# Scoring the union of each leg's first 50 loses less than .001 of mean nDCG@10 against scoring all.
_LEAST_DEPTH: Final = 50
# Candidates for each hit where some give way to others.
_CHOICE: Final = 10


@dataclass(frozen=True, slots=True)
class Question:
    """A search whose every parameter was checked."""

    query: str
    k: int
    collection: str
    where: Filter | None
    mode: Mode
    strategy: StrategyName
    explain: bool
    vector: FloatArray | None
    min_relevance: float | None
    shape: Shape
    least_depth: int = _LEAST_DEPTH
    embedded: bool = False
    """Whether the vector is what the model made of the query, and not one that a caller gave."""

    @property
    def scored(self) -> bool:
        """Whether the strategy ``score`` fuses what both indexes say."""
        return self.mode == "hybrid" and self.strategy == "score"

    @property
    def depth(self) -> int:
        """How many candidates each leg lists."""
        return max(self.k, self.least_depth)

    def asking(self, k: int) -> Question:
        """The same question for another number of hits, 1 to `MAX_K`."""
        return replace(self, k=k, least_depth=_least_depth(k, self.shape))


def checked_question(
    query: str,
    *,
    vector: AnyVector | None,
    k: int,
    collection: str | None,
    where: JsonObject | None,
    mode: Mode,
    strategy: StrategyName | None,
    explain: bool,
    min_relevance: float | None,
    shape: Shape,
    settings: Settings,
    dimension: int,
) -> Question:
    """Check what a search was asked; the arguments are those of `Memory.search`.

    Raises:
        QueryError, FilterError, FieldError: When one is empty, malformed or out of range.
    """
    if not isinstance(query, str) or not query.strip():
        raise QueryError(
            "The query is empty: give at least one visible character.", pointer="/query"
        )
    if len(query) > settings.max_query_chars:
        raise QueryError(
            f"The query has {len(query):,} characters; the limit is {settings.max_query_chars:,}.",
            pointer="/query",
        )
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise QueryError(f"k is 1 to {MAX_K:,}.", pointer="/k")
    chosen = settings.strategy if strategy is None else strategy
    for name, value, known in (
        ("mode", mode, get_args(Mode)),
        ("strategy", chosen, get_args(StrategyName)),
    ):
        if value not in known:
            raise QueryError(f"{name} is one of: {', '.join(known)}.", pointer=f"/{name}")
    _check_relevance(min_relevance, scored=mode == "hybrid" and chosen == "score")
    return Question(
        query=readable_query(query),
        k=k,
        collection=checked_collection(collection),
        where=None if where is None else parse(where),
        mode=mode,
        strategy=chosen,
        explain=explain,
        vector=None if vector is None else checked_query_vector(vector, dimension),
        min_relevance=min_relevance,
        shape=shape,
        least_depth=_least_depth(k, checked_shape(shape)),
    )


def checked_session(session: str | None) -> str | None:
    """A caller's own name for a session, None for none.

    Raises:
        FieldError: When it is empty, too long, or holds NUL or lone surrogates.
    """
    if session is None:
        return None
    checked = checked_key(session, pointer="/session", most=MAX_SESSION_CHARS)
    if not checked.isprintable():
        raise FieldError("A session has no control characters.", pointer="/session")
    return checked


def _least_depth(k: int, shape: Shape) -> int:
    return max(min(_CHOICE * k, MOST_DEPTH) if shape.selects else 0, _LEAST_DEPTH)


def plain_question(
    query: str,
    *,
    k: int,
    settings: Settings,
    dimension: int,
    vector: AnyVector | None = None,
    collection: str | None = None,
    where: JsonObject | None = None,
) -> Question:
    """A hybrid search by ``score`` without any option; see `checked_question`."""
    return checked_question(
        query,
        vector=vector,
        k=k,
        collection=collection,
        where=where,
        mode="hybrid",
        strategy="score",
        explain=False,
        min_relevance=None,
        shape=PLAIN,
        settings=settings,
        dimension=dimension,
    )


def _check_relevance(min_relevance: float | None, *, scored: bool) -> None:
    if min_relevance is None:
        return
    if isinstance(min_relevance, bool) or not isinstance(min_relevance, int | float):
        raise QueryError("min_relevance is a number from 0 to 1.", pointer="/min_relevance")
    if not 0 <= min_relevance <= 1:
        raise QueryError("min_relevance is 0 to 1.", pointer="/min_relevance")
    if not scored:
        raise QueryError(
            "min_relevance needs the mode hybrid and the strategy score, whose relevance is calibrated.",
            pointer="/min_relevance",
        )
