"""What was learnt of collections, as searches use it, and kept as fresh as the file is."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.learn.adapter import Adapter
from vstash.learning import LearnerName
from vstash.search.score import standardised
from vstash.search.weights import BUILT_IN, FusionWeights
from vstash.store.faults import IndexDamagedError

if TYPE_CHECKING:
    from vstash.pipeline.legs import Answers
    from vstash.pipeline.question import Question
    from vstash.search.fusion import Background, Candidates, Fused
    from vstash.search.score import Scored
    from vstash.store.session import Reader

__all__ = ["NOTHING_LEARNT", "Learnt", "LearntOf", "readable", "unmapped"]

# Collections of which it is kept in memory.
_MOST: Final = 1024
_DAMAGED: Final = (
    "learned_damaged: what was learnt of the collection cannot be read, and the built-in was used; "
    "run `vstash check`"
)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a collection is searched with.

    Attributes:
        adapter: Maps the vector of a query, None for nothing.
        weights: Factors of the strategy ``score``.
        ids: Of both in the file, by learner; a candidate that is not stored has none.
        degraded: Why less of it is used than there is.
    """

    adapter: Adapter | None = None
    weights: FusionWeights = BUILT_IN
    ids: Mapping[str, str] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()

    def mapped(self, question: Question) -> Question:
        """The question as it is asked: with its own vector mapped, never one that a caller gave."""
        if self.adapter is None or question.vector is None or not question.embedded:
            return question
        return replace(question, vector=self.adapter.apply(question.vector))

    def used(self, question: Question) -> tuple[str, ...]:
        """Ids of what a question is asked with."""
        used: list[LearnerName] = ["fusion"] if question.scored else []
        if question.embedded:
            used.append("adapter")
        return tuple(self.ids[learner] for learner in used if learner in self.ids)


NOTHING_LEARNT: Final = Learnt()


class LearntOf:
    """What was learnt, by collection; safe to share between threads.

    Args:
        model: Number of the file's model.
        dimension: Of its vectors.
    """

    def __init__(self, model: int, dimension: int) -> None:
        self._model = model
        self._dimension = dimension
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[int, int], Learnt]] = {}

    def of(self, reader: Reader, collection: str) -> Learnt:
        """What a collection is searched with, as the reader sees the file.

        Args:
            reader: Of the file, which is asked where it changed since.
            collection: Its name.
        """
        state = (reader.change_counter, reader.derived_anew)
        known = self._known.get(collection)
        if known is not None and known[0] == state:
            return known[1]
        learnt = self._read(reader, collection, NOTHING_LEARNT if known is None else known[1])
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[collection] = (state, learnt)
        return learnt

    def _read(self, reader: Reader, collection: str, known: Learnt) -> Learnt:
        try:
            ids = reader.learned.active(collection, self._model)
        except IndexDamagedError:
            return Learnt(degraded=(_DAMAGED,))
        if ids == known.ids and not known.degraded:
            return known
        learnt = NOTHING_LEARNT
        for learner, learned_id in ids.items():
            learnt = self._with(reader, learnt, learner, learned_id)
        return learnt

    def _with(self, reader: Reader, learnt: Learnt, learner: str, learned_id: str) -> Learnt:
        """What is used, with one thing more that was learnt, or with why not."""
        try:
            data = reader.learned.parameters(learned_id)
            found = with_parameters(learnt, learner, data or b"", self._dimension)
        except (IndexDamagedError, ValueError):
            return replace(learnt, degraded=(_DAMAGED,))
        return replace(found, ids={**learnt.ids, learner: learned_id})


def with_parameters(learnt: Learnt, learner: str, data: bytes, dimension: int) -> Learnt:
    """What is used, with one part of it as it was stored.

    Raises:
        ValueError: When the bytes are no such part, or are of vectors of another dimension.
    """
    if learner == "fusion":
        return replace(learnt, weights=FusionWeights.unpacked(data))
    adapter = Adapter.unpacked(data)
    if adapter.dimension != dimension:
        raise ValueError("a map of vectors of another dimension")
    return replace(learnt, adapter=adapter)


def readable(learner: str, data: bytes, dimension: int) -> bool:
    """Whether parameters of a learner can be used with vectors of a dimension."""
    try:
        with_parameters(NOTHING_LEARNT, learner, data, dimension)
    except ValueError:
        return False
    return True


def unmapped(
    question: Question, answers: Answers, scored: Scored, against: Background
) -> tuple[Candidates, Fused]:
    """Candidates and scores as relevance is judged by them: with the query's own vector.

    Args:
        question: With that vector.
        answers: To the mapped one.
        scored: The same.
        against: The background of the query's own cosines.
    """
    candidates = answers.candidates
    assert question.vector is not None  # noqa: S101 - what was mapped is there
    cosine = np.einsum("ij,j->i", answers.vectors, question.vector)
    cosine[np.isnan(candidates.cosine)] = np.nan
    return (
        replace(candidates, cosine=cosine),
        replace(scored.fused, vector_normalised=standardised(cosine, against)),
    )
