"""Asking every query of a judged set in every way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.errors import EvaluationError
from vstash.evaluation.metrics import measured, require_metrics
from vstash.evaluation.ways import DEFAULT_WAYS, Way, ways_named

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.evaluation.judged import JudgedQuery, JudgedSet
    from vstash.memory import Memory
    from vstash.types import JsonObject, SearchResult

__all__ = ["Evaluation", "Progress", "Run", "evaluate"]

# Called with how many are done, and of how many.
Progress = Callable[[int, int], None]
_MOST_HITS: Final = 1000
_WIDER: Final = 4


@dataclass(frozen=True, slots=True)
class Run:
    """What one way of searching found.

    Attributes:
        way: The way.
        rankings: For each query of the set, document keys, best first.
        values: By metric, shape (n,) in [0, 1].
        timings_ms: By stage and ``total``, shape (n,), of the first search of each query.
    """

    way: Way
    rankings: tuple[tuple[str, ...], ...]
    values: Mapping[str, NDArray[np.float64]]
    timings_ms: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A judged set, asked in several ways.

    Attributes:
        judged: The set.
        depth: How many documents a ranking holds at most.
        runs: By the name of the way, in the order asked for.
    """

    judged: JudgedSet
    depth: int
    runs: Mapping[str, Run]

    def run(self, way: str) -> Run:
        """What a way found.

        Raises:
            EvaluationError: When it was not asked.
        """
        if way not in self.runs:
            raise EvaluationError(
                f"{way!r} is none of the ways that were asked: {', '.join(self.runs)}.",
                pointer="/baseline",
            )
        return self.runs[way]


def evaluate(
    memory: Memory,
    judged: JudgedSet,
    *,
    ways: Sequence[str | Way] = DEFAULT_WAYS,
    depth: int = 100,
    filter_fields: Sequence[str] = (),
    progress: Progress | None = None,
) -> Evaluation:
    """Ask every query in every way, and measure the rankings of documents.

    The best chunk of a document stands for it. Nothing is logged.

    Args:
        memory: The file that holds the documents.
        judged: Queries with judgements.
        ways: Names of modes and strategies, and ways of your own.
        depth: Documents per ranking, 10 to 1,000; below 100, metrics at 100 are left out.
        filter_fields: Of a query's metadata: only documents with the same value are searched.
        progress: Called after each query.

    Raises:
        EvaluationError: When a way is unknown, or a query lacks a field to filter by.
        ExtraMissingError: When the extra ``eval`` is not installed.
        VstashError: What a search raises.

    Example:
        >>> judged = load_judged("sets/nfcorpus")
        >>> with open_judged(judged, "work") as stored:
        ...     evaluation = evaluate(stored.memory, judged, ways=["rrf", "score"])
        >>> evaluation.runs["score"].values["nDCG@10"].mean()
        0.379
    """
    require_metrics()
    chosen = ways_named(ways)
    if not 10 <= depth <= _MOST_HITS:  # noqa: PLR2004 - the least depth of a metric
        raise EvaluationError(f"depth is 10 to {_MOST_HITS:,}.", pointer="/depth")
    filters = [_filter(query, filter_fields) for query in judged.queries]
    rankings: list[list[tuple[str, ...]]] = [[] for _ in chosen]
    timings: list[list[Mapping[str, float]]] = [[] for _ in chosen]
    # What only the first search of a process waits for is no way's latency.
    for way in chosen:
        _search(memory, judged.queries[0], way, depth, filters[0])
    for number, (query, where) in enumerate(zip(judged.queries, filters, strict=True)):
        for step in range(len(chosen)):
            # Each way is asked first in its turn: what one search read, the next finds in memory.
            place = (number + step) % len(chosen)
            ranking, spent = _ranking(memory, query, chosen[place], depth, where)
            rankings[place].append(ranking)
            timings[place].append(spent)
        if progress is not None:
            progress(number + 1, len(judged.queries))
    runs = {
        way.name: Run(
            way, tuple(found), measured(judged.queries, found, depth=depth), _by_stage(spent)
        )
        for way, found, spent in zip(chosen, rankings, timings, strict=True)
    }
    return Evaluation(judged, depth, runs)


def _filter(query: JudgedQuery, fields: Sequence[str]) -> JsonObject | None:
    missing = [name for name in fields if name not in query.metadata]
    if missing:
        raise EvaluationError(
            f"A query has no metadata {missing[0]!r} to filter by.",
            pointer="/filter_fields",
            local_detail=f"query {query.id}",
        )
    parts: list[JsonObject] = [
        {f"metadata.{name}": {"eq": query.metadata[name]}} for name in fields
    ]
    return {"and": parts} if parts else None


def _search(
    memory: Memory, query: JudgedQuery, way: Way, k: int, where: JsonObject | None
) -> SearchResult:
    return memory.search(
        query.text, k=k, collection=query.collection, filter=where, log=False, **way.arguments
    )


def _ranking(
    memory: Memory, query: JudgedQuery, way: Way, depth: int, where: JsonObject | None
) -> tuple[tuple[str, ...], Mapping[str, float]]:
    """Documents by their best chunk, and the milliseconds of the first search.

    Where several hits are of one document, wider searches say what follows; the order of what the
    first one found stays, since that is what its caller would see.
    """
    asked = depth
    result = _search(memory, query, way, asked, where)
    timings_ms = result.timings_ms
    keys = dict.fromkeys(hit.document.key for hit in result.hits)
    while len(keys) < depth and len(result.hits) == asked and asked < _MOST_HITS:
        asked = min(asked * _WIDER, _MOST_HITS)
        result = _search(memory, query, way, asked, where)
        keys.update(dict.fromkeys(hit.document.key for hit in result.hits))
    return tuple(keys)[:depth], timings_ms


def _by_stage(timings: Sequence[Mapping[str, float]]) -> dict[str, NDArray[np.float64]]:
    stages = dict.fromkeys(stage for spent in timings for stage in spent)
    return {
        stage: np.array([spent.get(stage, 0.0) for spent in timings], dtype=np.float64)
        for stage in stages
    }
