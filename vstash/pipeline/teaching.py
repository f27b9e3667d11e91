"""What learners are taught with, and how what they learnt is judged."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.errors import LearningError
from vstash.learning import LearnerName, LearningDecision, LearningFigure
from vstash.pipeline.learned import NOTHING_LEARNT
from vstash.pipeline.question import plain_question
from vstash.pipeline.search import asked_words
from vstash.pipeline.stopwatch import Stopwatch
from vstash.search.candidates import order
from vstash.search.weights import BUILT_IN, FusionWeights
from vstash.store.examples import StoredExample

if TYPE_CHECKING:
    from vstash.pipeline.search import Searching
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.types import FloatArray

__all__ = ["Lesson", "Taught", "Teaching"]

_MOST: Final = 10_000
_LEAST: Final = 20
_FACTORS: Final = (0.5, 0.7, 1.0, 1.4, 2.0)
_DEPTH: Final = 10
_SAMPLES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Lesson:
    """One run of learning.

    Attributes:
        learners: Which, in this order.
        step: Told of every step: the stage, how much of it is done, of how much; what it raises ends the
            run, and what was yielded so far stands.
        examples: Filled while it runs: how many queries are learnt from and judged by, by origin.
    """

    collection: str
    learners: tuple[LearnerName, ...]
    seed: int
    step: Callable[[str, int, int], None]
    examples: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taught:
    """What one learner learnt, and how that was judged."""

    learner: LearnerName
    parameters: bytes
    decision: LearningDecision


class Teaching:
    """Learns from what disagreement tells of a collection, and judges what was learnt.

    Args:
        store: The file.
        searching: Asks it.
        dimension: Of the model's vectors.
        settings: Of the searches.
    """

    def __init__(
        self, store: Store, searching: Searching, dimension: int, settings: Settings
    ) -> None:
        self._store = store
        self._searching = searching
        self._dimension = dimension
        self._settings = settings

    def taught(self, lesson: Lesson) -> Iterator[Taught]:
        """What each learner learnt; nothing is stored.

        Raises:
            LearningError: When there is too little to learn from.
        """
        start = time.perf_counter()
        with self._store.read() as reader:
            rows = reader.learned.examples(lesson.collection, _MOST)
        by_query = {each.query: each for each in reversed(rows)}
        for each in by_query.values():
            lesson.examples[each.origin] = lesson.examples.get(each.origin, 0) + 1
        parts = [[x for x in by_query.values() if _half(x, lesson.seed) == half] for half in (0, 1)]
        if min(map(len, parts)) < _LEAST:
            raise LearningError(
                f"The log and the queries made of this collection give {len(by_query):,} examples, too "
                f"few to learn from and to judge by: it takes {_LEAST} of each. Search more, or make "
                "queries with `vstash learn mine`. Nothing was changed."
            )
        if "fusion" not in lesson.learners:
            return
        learnt, held = (self._reciprocal_ranks(lesson, part) for part in parts)
        best = max(learnt, key=lambda weights: (learnt[weights].mean(), weights == BUILT_IN))
        yield Taught("fusion", best.packed(), _decided(held, best, lesson, rows, start))

    def _reciprocal_ranks(
        self, lesson: Lesson, examples: Sequence[StoredExample]
    ) -> dict[FusionWeights, FloatArray]:
        """Of each example's positive, by each choice of weights."""
        choices = [FusionWeights(keyword, 1.0) for keyword in _FACTORS]
        found: dict[FusionWeights, list[float]] = {each: [] for each in choices}
        for done, example in enumerate(examples):
            lesson.step("search", done, len(examples))
            question = self._searching.embedded(
                plain_question(
                    example.query,
                    k=_DEPTH,
                    collection=lesson.collection,
                    settings=self._settings,
                    dimension=self._dimension,
                )
            )
            words = asked_words(question.query)
            with self._store.read() as reader:
                asked = self._searching.find(
                    reader, question, words, Stopwatch(), learnt=NOTHING_LEARNT
                )
                for weights in choices:
                    scored = self._searching.scored(reader, question, words, asked.answers, weights)
                    ids = asked.candidates.ids
                    best = ids[order(ids, scored.fused.score, _DEPTH)].tolist()
                    at = best.index(example.positive) + 1 if example.positive in best else 0
                    found[weights].append(1 / at if at else 0.0)
        return {weights: np.array(ranks, dtype=np.float32) for weights, ranks in found.items()}


def _half(example: StoredExample, seed: int) -> int:
    digest = hashlib.sha256(f"{seed}:{example.document}".encode()).digest()
    return digest[0] & 1


def _decided(
    held: dict[FusionWeights, FloatArray],
    best: FusionWeights,
    lesson: Lesson,
    rows: Sequence[StoredExample],
    start: float,
) -> LearningDecision:
    before, after = held[BUILT_IN], held[best]
    rng = np.random.default_rng(lesson.seed)
    drawn = rng.integers(0, len(before), (_SAMPLES, len(before)))
    low, high = np.quantile((after - before)[drawn].mean(axis=1), [0.025, 0.975])
    figure = LearningFigure(
        "held-out mrr@10",
        len(before),
        float(before.mean()),
        float(after.mean()),
        float(low),
        float(high),
    )
    accepted = bool(low > 0)
    reason = (
        "better on held-out queries, with a 95 % interval above 0"
        if accepted
        else "no better on held-out queries: the 95 % interval of the difference does not lie above 0"
    )
    return LearningDecision(
        accepted=accepted,
        reasons=(reason,),
        figures=(figure,),
        examples=dict(lesson.examples),
        data_sha256=hashlib.sha256(repr(sorted(rows)).encode()).hexdigest(),
        seed=lesson.seed,
        settings={"factors": list(_FACTORS)},
        versions={"numpy": np.__version__},
        seconds=round(time.perf_counter() - start, 3),
    )
