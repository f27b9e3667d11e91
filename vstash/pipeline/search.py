"""One search: ask both indexes, fuse, judge, shape, reply, then log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import uuid6

from vstash.errors import ModelError
from vstash.pipeline.documents import require_collection
from vstash.pipeline.hits import made_hits
from vstash.pipeline.judge import Judged, Judging
from vstash.pipeline.learned import Learnt, LearntOf, unmapped
from vstash.pipeline.legs import Answers, Legs
from vstash.pipeline.question import Question, checked_question, checked_session
from vstash.pipeline.record import Logged
from vstash.pipeline.shape import PLAIN, Shape
from vstash.pipeline.shaping import Shaped, deeper, shaped, unshaped
from vstash.pipeline.stopwatch import Stopwatch
from vstash.pipeline.traffic import Traffic
from vstash.search.candidates import order
from vstash.search.fusion import Candidates, Fused, adaptive_weights, by_ranks, one_leg
from vstash.search.score import Scored, Surroundings, score
from vstash.search.weights import FusionWeights
from vstash.search.words import QueryWords, analyse
from vstash.text.query_terms import query_terms
from vstash.types import Hit, JsonObject, Mode, SearchResult, StrategyName, Weights

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.types import AnyVector

__all__ = ["Found", "Searching", "asked_words"]


@dataclass(frozen=True, slots=True)
class Found:
    """The scored candidates of a question, before any is read to be shown.

    Attributes:
        candidates: Those that may be returned.
        fused: Their scores.
        judged: Their relevance, None where it is not known.
        scored: What the strategy ``score`` said of all of them, None for others.
        answers: What the indexes said.
        asked: What they were asked: the question, with the vector as it was mapped.
        learnt: What the collection was searched with.
    """

    candidates: Candidates
    fused: Fused
    judged: Judged | None
    scored: Scored | None
    answers: Answers
    asked: Question
    learnt: Learnt

    @property
    def degraded(self) -> tuple[str, ...]:
        """Reasons why this is less than could be."""
        return (*self.answers.degraded, *self.learnt.degraded)


class Searching:
    """Answers searches.

    Args:
        store: The file.
        embedder: The file's model.
        model: Its number in the file.
        settings: Limits and the default strategy.
        record: Takes what is to be logged, without waiting.
        clock: Microseconds since the epoch.

    Attributes:
        legs: Ask both indexes.
        learnt: What collections are searched with.
        model: The model's number in the file.
        now: Microseconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        embedder: Embedder,
        model: int,
        settings: Settings,
        record: Callable[[Logged], None],
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self.model = model
        self._settings = settings
        self._record = record
        self.now = clock
        self._dimension = embedder.info.dimension
        self.legs = Legs(embedder, model, settings)
        self._traffic = Traffic()
        self.learnt = LearntOf(model, self._dimension)
        self._first = True
        self._judging = Judging(embedder.info, model)
        self.last_search = -math.inf
        """When somebody last searched, by `time.monotonic`."""

    def search(
        self,
        query: str,
        *,
        vector: AnyVector | None,
        k: int,
        collection: str | None,
        where: JsonObject | None,
        mode: Mode,
        strategy: StrategyName | None,
        explain: bool,
        log: bool,
        session: str | None = None,
        min_relevance: float | None = None,
        shape: Shape = PLAIN,
    ) -> SearchResult:
        """Answer one search; see `Memory.search`."""
        watch = Stopwatch()
        self.last_search = time.monotonic()
        session = checked_session(session)
        question = checked_question(
            query,
            vector=vector,
            k=k,
            collection=collection,
            where=where,
            mode=mode,
            strategy=strategy,
            explain=explain,
            min_relevance=min_relevance,
            shape=shape,
            settings=self._settings,
            dimension=self._dimension,
        )
        words = asked_words(question.query)
        watch.lap("analyse")
        # Before this thread has its turn: the model works beside the searches of others.
        question, without = self._with_vector(question, watch)
        watch.lap("embed")
        with self._store.read() as reader, self.legs.turns.taken():
            watch.lap("wait")
            require_collection(reader, question.collection)
            found, chosen = self.chosen(reader, question, words, watch)
            rows = reader.chunks(found.candidates.ids[chosen.positions])
            awaiting = reader.awaiting_count
            hits = made_hits(question, words, found, chosen, rows)
        watch.lap("read")
        result = _result(query, question, words, found, hits, watch, awaiting, without)
        self._remember(question, result, found, log=log, session=session)
        return result

    def _with_vector(
        self, question: Question, watch: Stopwatch
    ) -> tuple[Question, tuple[str, ...]]:
        """The question with its vector; for keywords alone where the model fails, with the reason."""
        if self._first:
            # In a new process the model is still being loaded, in its own thread.
            self._first = False
            with self._store.read() as reader:
                self.legs.warm(reader, question, now=self.now())
            watch.lap("warm")
        try:
            return self.embedded(question), ()
        except ModelError as error:
            if question.mode != "hybrid":
                raise
            # The keyword index alone knows no relevance to ask for.
            keywords = replace(question, mode="keyword", min_relevance=None)
            reason = f"model_unavailable: only keywords were asked, because of {error.code}"
            return keywords, (reason,)

    def chosen(
        self, reader: Reader, question: Question, words: QueryWords, watch: Stopwatch
    ) -> tuple[Found, Shaped]:
        """Find, and choose what is returned; deeper as long as that is too little.

        Args:
            reader: A consistent view of the file.
            question: What is asked.
            words: Its words.
            watch: Stages are booked there.
        """
        while True:
            found = self.find(reader, question, words, watch)
            if question.shape.plain:
                best = order(found.candidates.ids, found.fused.score, question.k)
                return found, unshaped(best, found.fused.score)
            chosen = shaped(
                question.shape,
                found.candidates,
                found.fused.score,
                reader=reader,
                model=self.model,
                k=question.k,
                now=self.now(),
            )
            watch.lap("shape")
            depth = deeper(
                question.shape,
                len(chosen.positions),
                found.candidates,
                k=question.k,
                depth=question.depth,
            )
            if depth is None:
                return found, chosen
            question = replace(question, least_depth=depth)

    def embedded(self, question: Question) -> Question:
        """The question with its vector, None where vectors are not asked."""
        vector = self.legs.embedded(question)
        own = question.embedded or (question.vector is None and vector is not None)
        return replace(question, vector=vector, embedded=own)

    def find(
        self,
        reader: Reader,
        question: Question,
        words: QueryWords,
        watch: Stopwatch,
        *,
        learnt: Learnt | None = None,
    ) -> Found:
        """Ask both indexes, fuse what they say, and judge how relevant it is.

        Args:
            reader: A consistent view of the file.
            question: What is asked, with its vector as the model made it.
            words: Its words.
            watch: Stages are booked there.
            learnt: To be searched with; None for what the collection is searched with.
        """
        learnt = learnt or self.learnt.of(reader, question.collection)
        asked = learnt.mapped(question)
        answers = self.legs.ask(reader, asked, words, watch, now=self.now())
        candidates = answers.candidates
        if not question.scored:
            fused = _fused(question, answers, words)
            watch.lap("fuse")
            return Found(candidates, fused, None, None, answers, asked, learnt)
        scored = self.scored(reader, question, words, answers, learnt.weights)
        watch.lap("fuse")
        own = None
        if asked is not question and question.vector is not None:
            against = self.legs.background(answers, question.vector)
            own = unmapped(question, answers, scored, against)
        judged = self._judging.judge(reader, question, words, answers, scored, own)
        fused = scored.fused
        if question.min_relevance is not None:
            kept = np.flatnonzero(judged.relevance >= question.min_relevance)
            candidates, fused, judged = candidates.at(kept), fused.at(kept), judged.at(kept)
        watch.lap("judge")
        return Found(candidates, fused, judged, scored, answers, asked, learnt)

    def scored(
        self,
        reader: Reader,
        question: Question,
        words: QueryWords,
        answers: Answers,
        weights: FusionWeights,
    ) -> Scored:
        """What the strategy ``score`` makes of answers with some weights.

        Args:
            reader: The view that the answers came from.
            question: What was asked.
            words: Its words.
            answers: What the indexes said.
            weights: Factors on the weights of keywords and of feedback.
        """
        experience = self._traffic.of(reader, question.collection)
        around = Surroundings(answers.background, answers.vectors, answers.sample, experience)
        exact = answers.exact.of(answers.candidates.ids)
        return score(answers.candidates, around, exact, word_count=words.length, weights=weights)

    def _remember(
        self,
        question: Question,
        result: SearchResult,
        found: Found,
        *,
        log: bool,
        session: str | None,
    ) -> None:
        """Learn from the search what it tells of its collection, and log it."""
        evidence = None if found.scored is None else found.scored.evidence
        if evidence is not None:
            self._traffic.saw(question.collection, evidence)
        # One leg alone says nothing about where the two disagree.
        logged = log and self._settings.log_searches != "off" and question.mode == "hybrid"
        if logged and not self._store.immutable:
            self._record(
                Logged(
                    result,
                    question.query,
                    question.collection,
                    repr(question.where),
                    session,
                    found.answers.candidates,
                    found.answers.background,
                    evidence,
                    self.now(),
                    None if found.scored is None else found.scored.fused.score,
                )
            )


def _result(
    query: str,
    question: Question,
    words: QueryWords,
    found: Found,
    hits: tuple[Hit, ...],
    watch: Stopwatch,
    awaiting: int,
    without: tuple[str, ...],
) -> SearchResult:
    return SearchResult(
        id=str(uuid6.uuid7()),
        query=query,
        mode=question.mode,
        strategy=question.strategy,
        weights=found.fused.weights,
        hits=hits,
        timings_ms=watch.times(),
        calibrated=found.judged is not None and found.judged.calibrated,
        abstained=None if found.judged is None else found.judged.abstained,
        degraded=(*without, *_degraded(question, words), *found.degraded),
        awaiting=awaiting,
        learned=found.learnt.used(found.asked),
    )


def asked_words(query: str) -> QueryWords:
    """The words of a query."""
    terms = query_terms(query)
    return analyse(terms.tokens, terms.function_words, terms.variants)


def _fused(question: Question, answers: Answers, words: QueryWords) -> Fused:
    candidates = answers.candidates
    if question.mode != "hybrid":
        return one_leg(question.mode, candidates)
    if question.strategy == "rrf":
        return by_ranks(candidates, Weights(0.5, 0.5))
    return by_ranks(candidates, adaptive_weights(words, answers.frequencies, answers.count))


def _degraded(question: Question, words: QueryWords) -> tuple[str, ...]:
    if question.mode != "vector" and not words.informative:
        return ("no_informative_word: the query has only function words or punctuation",)
    return ()
