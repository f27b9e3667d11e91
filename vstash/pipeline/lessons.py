"""What learners are taught with: queries of a collection, as both indexes answer them without what was learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.learn.adapting import LIST, Lessons, targets
from vstash.learn.tuning import crossed
from vstash.learning import LearnerName
from vstash.pipeline.learned import NOTHING_LEARNT, Learnt
from vstash.pipeline.question import plain_question
from vstash.pipeline.search import asked_words
from vstash.pipeline.stopwatch import Stopwatch
from vstash.search.candidates import order
from vstash.text.normalise import tokens

if TYPE_CHECKING:
    from vstash.pipeline.question import Question
    from vstash.pipeline.search import Found, Searching
    from vstash.search.words import QueryWords
    from vstash.settings import Settings
    from vstash.store.examples import StoredExample
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.types import FloatArray, IdArray

__all__ = ["AskedExample", "Asking", "Lesson", "lessons", "ndcg"]

_FIRST: Final = 10


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
class AskedExample:
    """A query and what both indexes say of it.

    Attributes:
        question: With its own vector.
        ids: Candidates, ascending.
        score: By the built-in weights, in their order.
        keyword_part: Of the score, the same.
        shares: From `crossed`.
        trust: In keywords, as the collection has it.
        marks: What it must not have in common with a query of another part.
    """

    example: StoredExample
    question: Question
    words: QueryWords
    ids: IdArray
    score: FloatArray
    keyword_part: FloatArray
    shares: tuple[float, float] | None
    trust: float
    marks: tuple[tuple[str, object], ...]

    def weighed(self, factor: float) -> FloatArray:
        """Scores with another weight of keywords, but for what feedback makes of that."""
        weighed: FloatArray = self.score + np.float32(factor - 1) * self.keyword_part
        return weighed

    def ranked(self, factor: float, most: int) -> IdArray:
        """Candidates, best first."""
        return self.ids[order(self.ids, self.weighed(factor), most)]


class Asking:
    """Asks queries for learning; nothing is logged.

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

    def asked(self, lesson: Lesson, examples: Sequence[StoredExample]) -> list[AskedExample]:
        """Ask each query; those that nothing answers are left out."""
        found = []
        for done, example in enumerate(examples):
            lesson.step("ask", done, len(examples))
            answered = self._asked(lesson.collection, example)
            if answered is not None:
                found.append(answered)
        return found

    def _asked(self, collection: str, example: StoredExample) -> AskedExample | None:
        question = self._searching.embedded(
            plain_question(
                example.query,
                k=_FIRST,
                collection=collection,
                settings=self._settings,
                dimension=self._dimension,
            )
        )
        words = asked_words(question.query)
        with self._store.read() as reader:
            found = self._found(reader, question, words, NOTHING_LEARNT)
            ids = found.candidates.ids
            if not len(ids):
                return None
            best = ids[order(ids, found.fused.score, 1)]
            answers = np.array(example.answers, dtype=np.int64)
            owners = reader.owners(np.unique(np.concatenate([best, answers])))
        marks = [("query", " ".join(sorted(set(tokens(example.query)))) or example.query)]
        marks += [("document", owner) for owner in sorted(set(owners.values()))]
        return AskedExample(
            example,
            question,
            words,
            ids,
            found.fused.score,
            found.fused.keyword_part,
            crossed(found.candidates.vector_rank, found.candidates.keyword_rank, question.depth),
            found.fused.trust,
            tuple(marks),
        )

    def _found(
        self, reader: Reader, question: Question, words: QueryWords, learnt: Learnt
    ) -> Found:
        return self._searching.find(reader, question, words, Stopwatch(), learnt=learnt)

    def first(self, asked: AskedExample, learnt: Learnt) -> IdArray:
        """The first hits of a query when it is searched with something learnt."""
        with self._store.read() as reader:
            found = self._found(reader, asked.question, asked.words, learnt)
        ids = found.candidates.ids
        return ids[order(ids, found.fused.score, _FIRST)]

    def listed(self, asked: AskedExample, learnt: Learnt) -> IdArray:
        """The first chunks of the vector leg alone, the same way."""
        vector = learnt.mapped(asked.question).vector
        assert vector is not None  # noqa: S101 - a question of both legs has one
        with self._store.read() as reader:
            allowed = reader.allowed(asked.question.collection, None, now=self._searching.now())
            leg = self._searching.legs.nearest(reader, asked.question, asked.words, vector, allowed)
        return leg.ids[:_FIRST]

    def vectors(self, ids: IdArray) -> tuple[IdArray, FloatArray]:
        """Vectors of chunks that have one, by ascending id."""
        with self._store.read() as reader:
            return reader.vectors(self._searching.model, ids)


def lessons(asking: Asking, asked: Sequence[AskedExample], factor: float) -> Lessons | None:
    """Fused lists as an adapter learns from them; None where no candidate has a vector.

    Args:
        asking: Reads the candidates' vectors.
        asked: Queries to learn from.
        factor: On the weight of keywords.
    """
    ranked = [each.ranked(factor, LIST) for each in asked]
    known, passages = asking.vectors(np.unique(np.concatenate(ranked)))
    queries, places, shares = [], [], []
    for each, listed in zip(asked, ranked, strict=True):
        ids = listed[np.isin(listed, known)]
        if len(ids) == 0 or each.question.vector is None:
            continue
        scores = each.weighed(factor)[np.searchsorted(each.ids, ids)]
        row = np.full(LIST, -1, dtype=np.int64)
        row[: len(ids)] = np.searchsorted(known, ids)
        share = np.zeros(LIST, dtype=np.float32)
        share[: len(ids)] = targets(scores)
        queries.append(each.question.vector)
        places.append(row)
        shares.append(share)
    if not queries:
        return None
    return Lessons(np.stack(queries), passages, np.stack(places), np.stack(shares))


def ndcg(ranked: IdArray, answers: Sequence[int]) -> float:
    """nDCG@10 where each answer counts the same.

    Args:
        ranked: Chunk ids, best first.
        answers: Those that answer, at least one.
    """
    discounts = 1 / np.log2(np.arange(2, _FIRST + 2))
    hits = np.isin(ranked[:_FIRST], answers)
    return float(discounts[: len(hits)][hits].sum() / discounts[: len(set(answers))].sum())
