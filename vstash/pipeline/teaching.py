"""Learning from a collection's queries, and judging what was learnt by others of them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.errors import LearningError
from vstash.learn import adapting, gate, tuning
from vstash.learn.adapter import Adapter
from vstash.learn.general import general_questions, scored
from vstash.learn.splitting import leaks, split
from vstash.learning import LearnerName, LearningDecision, LearningFigure
from vstash.pipeline.learned import NOTHING_LEARNT, Learnt
from vstash.pipeline.lessons import AskedExample, Asking, Lesson, lessons, ndcg
from vstash.search.weights import BUILT_IN, FusionWeights

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.learn.gate import Verdict
    from vstash.pipeline.search import Searching
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.types import FloatArray, JsonObject

__all__ = ["Lesson", "Taught", "Teaching"]

_MOST: Final = 4_000
"""Queries that one run learns from and judges by, the newest."""
# Held-out queries that are asked: more would tell hardly more.
_MOST_ASKED: Final = 400
# Questions that are embedded between two looks at whether to go on.
_BATCH: Final = 16
# The largest share of a map is taken whose gain is so near to the best one's.
_NEARLY: Final = 0.9


@dataclass(frozen=True, slots=True)
class Taught:
    """What one learner learnt, and how that was judged."""

    learner: LearnerName
    parameters: bytes
    decision: LearningDecision


@dataclass(frozen=True, slots=True)
class _Class:
    """Queries in parts that have nothing in common."""

    lesson: Lesson
    parts: dict[str, list[AskedExample]]
    leaked: int
    data_sha256: str
    start: float

    def answered(self, part: str) -> list[AskedExample]:
        """Those of a part whose answers are known."""
        return [each for each in self.parts[part] if each.example.answers]

    def lean(self, *parts: str) -> tuning.Lean:
        """Which leg the other one bears out, over some parts."""
        shares = [each.shares for part in parts for each in self.parts[part]]
        return tuning.lean([each for each in shares if each is not None])


class Teaching:
    """Learns from what disagreement tells of a collection, and judges what was learnt.

    Args:
        store: The file.
        searching: Asks it.
        embedder: The file's model.
        settings: Of the searches.
    """

    def __init__(
        self, store: Store, searching: Searching, embedder: Embedder, settings: Settings
    ) -> None:
        self._store = store
        self._searching = searching
        self._embedder = embedder
        self._kept = settings.log_searches
        self._asking = Asking(store, searching, embedder.info.dimension, settings)

    def taught(self, lesson: Lesson) -> Iterator[Taught]:
        """What each learner learnt; nothing is stored.

        Raises:
            LearningError: When there is too little to learn from.
        """
        course = self._class(lesson)
        weights = self._in_use(lesson).weights
        if "fusion" in lesson.learners:
            taught, learnt = self._fusion(course)
            weights = learnt if taught.decision.accepted else weights
            yield taught
        if "adapter" in lesson.learners:
            yield self._adapter(course, weights)

    def _class(self, lesson: Lesson) -> _Class:
        start = time.perf_counter()
        with self._store.read() as reader:
            examples = reader.learned.examples(lesson.collection, _MOST)
            if reader.chunk_count and reader.awaiting_count == reader.chunk_count:
                raise LearningError("No chunk has its vector yet: run `vstash embed` first.")
        asked = self._asking.asked(lesson, examples)
        for each in asked:
            origin = "answered" if each.example.answers else each.example.origin
            lesson.examples[origin] = lesson.examples.get(origin, 0) + 1
        marks = [each.marks for each in asked]
        parts = split(marks, seed=lesson.seed)
        if min(map(len, parts.values())) < gate.LEAST:
            sizes = ", ".join(str(len(places)) for places in parts.values())
            hint = (
                "Search more, or give"
                if self._kept == "full"
                else f"The setting log_searches is {self._kept}, which keeps no query: set it to full, or give"
            )
            raise LearningError(
                f"There are too few different queries to learn from, to choose by and to judge by: {sizes} "
                f"that have nothing in common, where it takes {gate.LEAST} of each. {hint} queries with "
                "judgements by `vstash learn label`. Nothing was changed."
            )
        return _Class(
            lesson,
            {name: [asked[place] for place in places] for name, places in parts.items()},
            len(leaks(marks, parts)),
            hashlib.sha256(repr(sorted(examples)).encode()).hexdigest(),
            start,
        )

    def _in_use(self, lesson: Lesson) -> Learnt:
        with self._store.read() as reader:
            return self._searching.learnt.of(reader, lesson.collection)

    def _fusion(self, course: _Class) -> tuple[Taught, FusionWeights]:
        course.lesson.step("fusion", 0, 1)
        fit = course.answered("fit") + course.answered("tune")
        held = course.answered("held")
        if min(len(fit), len(held)) >= gate.LEAST_ANSWERED:
            factor = tuning.best_factor(_by_factor(fit))
            before, after = (
                np.array([ndcg(each.ranked(x, 10), each.example.answers) for each in held])
                for x in (1.0, factor)
            )
            figure = gate.compared(
                "held-out nDCG@10 of known answers", before, after, seed=course.lesson.seed
            )
            verdict = gate.judge_answers(figure, factor)
        else:
            whole = course.lean("fit", "tune", "held")
            factor = tuning.factor(whole, course.parts["held"][0].trust)
            verdict = gate.judge_lean(course.lean("fit"), course.lean("tune", "held"), factor)
        weights = replace(BUILT_IN, keyword=round(factor, 4))
        settings: JsonObject = {"keyword": weights.keyword, "sure": gate.SURE}
        return Taught("fusion", weights.packed(), _decision(course, verdict, settings)), weights

    def _adapter(self, course: _Class, weights: FusionWeights) -> Taught:
        lesson, factor = course.lesson, weights.keyword
        taught_with = lessons(self._asking, course.parts["fit"], factor)
        if taught_with is None:
            raise LearningError(
                "No chunk that was found has its vector yet: run `vstash embed` first."
            )
        adapter = adapting.fit(
            taught_with, seed=lesson.seed, step=lambda done, of: lesson.step("adapter", done, of)
        )
        strength = self._strength(course, adapter, factor)
        chosen = Learnt(adapting.scaled(adapter, strength), weights)
        held = course.parts["held"][:_MOST_ASKED]
        agreed = gate.compared(
            "held-out agreement of vectors with the fused list",
            self._agreements(course, held, NOTHING_LEARNT, factor),
            self._agreements(course, held, chosen, factor),
            seed=lesson.seed,
        )
        verdict = gate.judge_adapter(
            agreed,
            course.lean("fit", "tune", "held"),
            self._general(chosen, lesson),
            self._known(course, chosen),
        )
        settings: JsonObject = {
            "strength": strength,
            "rank": adapting.RANK,
            "steps": adapting.STEPS,
            "keyword": factor,
            "least_closed": gate.LEAST_CLOSED,
            "most_lost": gate.MOST_LOST,
            "most_forgotten": gate.MOST_FORGOTTEN,
        }
        assert chosen.adapter is not None  # noqa: S101 - it was given above
        return Taught("adapter", chosen.adapter.packed(), _decision(course, verdict, settings))

    def _strength(self, course: _Class, adapter: Adapter, factor: float) -> float:
        """How much of a map is used: the largest share that gains nearly as much as the best one."""
        tune = course.parts["tune"][:_MOST_ASKED]
        before = self._agreements(course, tune, NOTHING_LEARNT, factor).mean()
        gains = {}
        for strength in adapting.STRENGTHS:
            learnt = Learnt(adapting.scaled(adapter, strength))
            gains[strength] = self._agreements(course, tune, learnt, factor).mean() - before
        best = max(gains.values())
        if best <= 0:
            return min(gains)
        return max(each for each, gain in gains.items() if gain >= _NEARLY * best)

    def _agreements(
        self, course: _Class, asked: Sequence[AskedExample], learnt: Learnt, factor: float
    ) -> FloatArray:
        values = []
        for done, each in enumerate(asked):
            course.lesson.step("judge", done, len(asked))
            listed = self._asking.listed(each, learnt)
            values.append(adapting.agreement(listed, each.ranked(factor, 10)))
        return np.array(values)

    def _general(self, learnt: Learnt, lesson: Lesson) -> LearningFigure:
        assert learnt.adapter is not None  # noqa: S101 - it is what is judged
        questions = general_questions()
        vectors = []
        for start in range(0, len(questions), _BATCH):
            lesson.step("general", start, len(questions))
            batch = questions[start : start + _BATCH]
            queries = self._embedder.embed_queries([each.query for each in batch])
            passages = self._embedder.embed_passages([each.passage for each in batch])
            mapped = np.stack([learnt.adapter.apply(query) for query in queries])
            vectors.append((queries, mapped, passages))
        own, moved, answers = (np.concatenate(each) for each in zip(*vectors, strict=True))
        before, after = scored(own, answers), scored(moved, answers)
        return gate.compared("nDCG@10 on general questions", before, after, seed=lesson.seed)

    def _known(self, course: _Class, learnt: Learnt) -> LearningFigure | None:
        held = course.answered("held")
        if len(held) < gate.LEAST_ANSWERED:
            return None
        without = replace(learnt, adapter=None)
        before, after = (
            np.array([ndcg(self._asking.first(each, way), each.example.answers) for each in held])
            for way in (without, learnt)
        )
        return gate.compared(
            "held-out nDCG@10 of known answers", before, after, seed=course.lesson.seed
        )


def _by_factor(asked: Sequence[AskedExample]) -> FloatArray:
    return np.array(
        [
            [ndcg(each.ranked(factor, 10), each.example.answers) for factor in tuning.FACTORS]
            for each in asked
        ]
    )


def _decision(course: _Class, verdict: Verdict, settings: JsonObject) -> LearningDecision:
    reasons, accepted = verdict.reasons, verdict.accepted
    if course.leaked:
        reasons, accepted = (f"{course.leaked} queries or documents stand on both sides",), False
    sizes: JsonObject = {name: len(each) for name, each in course.parts.items()}
    return LearningDecision(
        accepted=accepted,
        reasons=reasons,
        figures=verdict.figures,
        examples=dict(course.lesson.examples),
        data_sha256=course.data_sha256,
        seed=course.lesson.seed,
        settings={**settings, "queries": sizes},
        versions={"vstash": version("vstash"), "numpy": np.__version__},
        seconds=round(time.perf_counter() - course.start, 3),
    )
