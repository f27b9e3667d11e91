"""The best hits of a search with everything that their relevance was judged by."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.quality.sets import Asked
from vstash.pipeline.question import plain_question
from vstash.pipeline.search import asked_words
from vstash.pipeline.stopwatch import Stopwatch
from vstash.search.candidates import order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash import Memory
    from vstash.types import FloatArray, JsonObject

__all__ = ["Best", "Gathered", "best_of", "gathered"]

_DOCUMENTS = 3
# Among these chunks the best documents are looked for.
_CHUNKS = 30
_MOST_FOREIGN = 300
_MOST_IN = 1000


@dataclass(frozen=True, slots=True)
class Best:
    """The best documents of a search, by their best chunks.

    Attributes:
        keys: Of the documents, best first, at most 3.
        features: What relevance is judged by, shape (len(keys), 5).
        relevance: Of the best, 0 where nothing was found.
        abstained: Whether the search said that it found no answer.
    """

    keys: tuple[str, ...]
    features: FloatArray
    relevance: float
    abstained: bool


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a set says of relevance.

    Attributes:
        name: Of the set.
        family: Of the set.
        own: Best hits of its queries.
        labels: Of each of them, whether its documents are relevant.
        answerable: Positions of queries whose first hit was relevant.
        bereft: Best hits of those with all their relevant documents left out.
        foreign: Best hits of queries of other sets.
    """

    name: str
    family: str
    own: tuple[Best, ...]
    labels: tuple[tuple[bool, ...], ...]
    answerable: tuple[int, ...]
    bereft: tuple[Best, ...]
    foreign: tuple[Best, ...]

    @property
    def outcomes(self) -> NDArray[np.float64]:
        """Whether each query's first hit was relevant, shape (n,)."""
        return np.array([bool(label) and label[0] for label in self.labels], dtype=np.float64)


def best_of(memory: Memory, text: str, where: JsonObject | None, *, learnt: bool = False) -> Best:
    """Search as `Memory.search` does, and keep what the relevance of the best was judged by.

    Args:
        memory: The file.
        text: The query.
        where: A filter, or None.
        learnt: Whether it counts among the searches that tell how far keywords can be trusted.
    """
    engine = memory._engine  # noqa: SLF001 - features are no part of a reply
    searching = engine.searching
    # The dimension is of a vector that is given.
    question = plain_question(text, k=10, where=where, settings=engine.settings, dimension=0)
    with engine.store.read() as reader:
        found = searching.find(reader, question, asked_words(text), Stopwatch())
        ids = found.candidates.ids
        best = order(ids, found.fused.score, _CHUNKS)
        rows = reader.chunks(ids[best])
    if found.judged is None or found.scored is None:
        raise TypeError("The strategy score judges relevance.")
    if learnt and found.scored.evidence is not None:
        searching._traffic.saw(question.collection, found.scored.evidence)  # noqa: SLF001 - as a search does
    places: dict[str, int] = {}
    for place in best.tolist():
        if len(places) < _DOCUMENTS:
            places.setdefault(rows[int(ids[place])][1].key, place)
    chosen = list(places.values())
    return Best(
        tuple(places),
        found.judged.features[chosen],
        float(found.judged.relevance[chosen[0]]) if chosen else 0.0,
        found.judged.abstained is not None,
    )


def gathered(asked: Asked, others: Sequence[Asked], seed: int) -> Gathered:
    """Ask a set's queries, the answered ones again without their answers, and queries of others.

    Args:
        asked: The set.
        others: All sets of the run; those of its own family are left out.
        seed: Draws the order of queries and the foreign ones.
    """
    chosen = random.Random(f"{seed} {asked.name}")
    queries = list(asked.judged.queries)
    chosen.shuffle(queries)
    own = tuple(best_of(asked.memory, q.text, asked.where(q), learnt=True) for q in queries)
    labels = tuple(
        tuple(query.judgements.get(key, 0) > 0 for key in best.keys)
        for query, best in zip(queries, own, strict=True)
    )
    answerable = tuple(place for place, label in enumerate(labels) if label and label[0])
    bereft = []
    for place in answerable:
        query = queries[place]
        relevant = [key for key, grade in query.judgements.items() if grade > 0]
        without = _without(asked.where(query), relevant)
        bereft.append(best_of(asked.memory, query.text, without))
    strangers = [each for each in others if each.family != asked.family]
    foreign = []
    for stranger in strangers:
        count = min(_MOST_FOREIGN // len(strangers) + 1, len(stranger.judged.queries))
        for query in chosen.sample(stranger.judged.queries, count):
            where = asked.where(chosen.choice(queries))
            foreign.append(best_of(asked.memory, query.text, where))
    return Gathered(
        asked.name, asked.family, own, labels, answerable, tuple(bereft), tuple(foreign)
    )


def _without(where: JsonObject | None, keys: Sequence[str]) -> JsonObject:
    parts: list[JsonObject] = [
        {"not": {"key": {"in": list(keys[start : start + _MOST_IN])}}}
        for start in range(0, len(keys), _MOST_IN)
    ]
    return {"and": [*parts, where]} if where is not None else {"and": parts}
