"""What both indexes say of a question: the completed union of their candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.embed.validate import validated
from vstash.pipeline.background import Backgrounds
from vstash.pipeline.exact import NO_TERMS, ExactFound, find_exact
from vstash.pipeline.keyword_leg import KeywordLeg, KeywordScores
from vstash.pipeline.turns import Turns
from vstash.search.bm25 import best as best_words
from vstash.search.candidates import complete
from vstash.search.words import QueryWords, idf
from vstash.store.faults import IndexDamagedError
from vstash.store.rows import Leg

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.pipeline.question import Question
    from vstash.pipeline.stopwatch import Stopwatch
    from vstash.search.fusion import Background, Candidates
    from vstash.settings import Settings
    from vstash.store.allowed import Allowed
    from vstash.store.session import Reader
    from vstash.types import FloatArray, IdArray

__all__ = ["Answers", "Legs"]

# The first hits by vectors that must be the true ones; those after them are candidates to fuse.
_SURE: Final = 10
_NOTHING: Final = Leg(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Answers:
    """What the indexes said.

    Attributes:
        candidates: The completed union of both legs and of exact matches.
        vectors: Of the candidates in their order, shape (n, dimension), rows of zeros for those that
            await theirs; empty where the strategy does not ask for them.
        sample: Vectors of chunks spread over what was searched, shape (m, dimension).
        background: Of the query's cosines.
        frequencies: In how many chunks each looked-up word occurs.
        count: Number of chunks in the file.
        idfs: Of each looked-up word.
        exact: What stands in chunks to the letter.
        degraded: Reasons why an index said less than it could.
        allowed: Chunks that may be returned, None for all.
        bm25: By chunk id, of candidates and of all others; chunks beyond its end have none.
        depth: How many candidates each leg was asked for.
    """

    candidates: Candidates
    vectors: FloatArray
    sample: FloatArray
    background: Background
    frequencies: Sequence[int]
    count: int
    idfs: Mapping[str, float]
    exact: ExactFound
    degraded: tuple[str, ...]
    allowed: Allowed | None
    bm25: FloatArray
    depth: int


@dataclass(slots=True)
class _Asked:
    """One question on its way through the indexes."""

    reader: Reader
    question: Question
    words: QueryWords
    allowed: Allowed | None
    degraded: list[str] = field(default_factory=list)


class Legs:
    """Asks both indexes; safe to share between threads.

    Args:
        embedder: The file's model.
        model: Its number in the file.
        settings: What is kept in memory.
    """

    def __init__(self, embedder: Embedder, model: int, settings: Settings) -> None:
        self.turns = Turns()
        self._embedder = embedder
        self._model = model
        self._in_memory = settings.codes_in_memory
        self._keyword_leg = KeywordLeg(settings.words_in_memory_mb * 2**20)
        self._backgrounds = Backgrounds(model, embedder.info)

    def embedded(self, question: Question) -> FloatArray | None:
        """The question's vector, None where vectors are not asked."""
        if question.mode == "keyword":
            return None
        if question.vector is not None:
            return question.vector
        made = self._embedder.embed_queries([question.query])
        vector: FloatArray = validated(made, count=1, dimension=self._embedder.info.dimension)[0]
        return vector

    def ask(
        self, reader: Reader, question: Question, words: QueryWords, watch: Stopwatch, *, now: int
    ) -> Answers:
        """Ask what the question's mode asks.

        Args:
            reader: A consistent view of the file.
            question: What is asked, with its vector where vectors are.
            words: Its words.
            watch: Stages are booked there.
            now: Microseconds since the epoch.
        """
        allowed = reader.allowed(question.collection, question.where, now=now)
        asked = _Asked(reader, question, words, allowed)
        watch.lap("filter")
        looked_up = () if question.mode == "vector" else words.informative
        by_words, keyword_ids = self._keywords(asked, looked_up)
        exact = self._exact(asked, by_words) if question.scored else NO_TERMS
        watch.lap("keyword")
        sample = self._warmed(reader, question, allowed)
        watch.lap("warm")
        vector = question.vector
        leg = _NOTHING if vector is None else self._vectors(asked, vector)
        watch.lap("vector")
        lists = (leg.ids[: question.depth], keyword_ids, exact.ids)
        vectors = np.empty((0, 0), dtype=np.float32)
        cosines = None
        if vector is not None and question.scored:
            ids = np.unique(np.concatenate(lists))
            cosines, vectors = self._read(reader, vector, ids)
        elif vector is not None:
            cosines = self._completed(reader, vector, leg, keyword_ids)
        answers = Answers(
            candidates=complete(*lists, cosines, by_words.scores),
            vectors=vectors,
            sample=sample,
            background=self._backgrounds.of(sample, vector),
            frequencies=by_words.frequencies,
            count=by_words.count,
            idfs={
                word: idf(by_words.count, df)
                for word, df in zip(looked_up, by_words.frequencies, strict=True)
            },
            exact=exact,
            degraded=tuple(asked.degraded),
            allowed=allowed,
            bm25=by_words.scores,
            depth=question.depth,
        )
        watch.lap("complete")
        return answers

    def nearest(
        self,
        reader: Reader,
        question: Question,
        words: QueryWords,
        vector: FloatArray,
        allowed: Allowed | None,
    ) -> Leg:
        """The vector leg alone, as deep as the question asks."""
        return self._vectors(_Asked(reader, question, words, allowed), vector)

    def background(self, answers: Answers, vector: FloatArray) -> Background:
        """The background of a vector's cosines, among what a question was asked of."""
        return self._backgrounds.of(answers.sample, vector)

    def warm(self, reader: Reader, question: Question, *, now: int) -> None:
        """Load what a question's vector will be compared with, before it has one.

        Args:
            reader: A consistent view of the file.
            question: What is going to be asked.
            now: Microseconds since the epoch.
        """
        allowed = reader.allowed(question.collection, question.where, now=now)
        self._warmed(reader, question, allowed)

    def _warmed(self, reader: Reader, question: Question, allowed: Allowed | None) -> FloatArray:
        """Load what vectors will be compared with; returns the sample of the background."""
        if question.mode == "keyword":
            return np.empty((0, self._embedder.info.dimension), dtype=np.float32)
        if self._in_memory:
            # What is damaged is told by the search itself.
            with suppress(IndexDamagedError):
                reader.warm(self._model, allowed)
        return self._backgrounds.sample(reader, allowed)

    def _vectors(self, asked: _Asked, vector: FloatArray) -> Leg:
        depth = asked.question.depth

        def leg(*, in_memory: bool) -> Leg:
            return asked.reader.vector_leg(
                self._model,
                vector,
                depth=depth,
                sure=min(max(asked.question.k, _SURE), depth),
                allowed=asked.allowed,
                in_memory=in_memory,
            )

        try:
            return leg(in_memory=self._in_memory)
        except IndexDamagedError:
            asked.degraded.append(
                "codes_damaged: vectors were searched by the slow way; run `vstash check`"
            )
            return leg(in_memory=False)

    def _keywords(self, asked: _Asked, looked_up: Sequence[str]) -> tuple[KeywordScores, IdArray]:
        reader, words, depth = asked.reader, asked.words, asked.question.depth
        try:
            scores = self._keyword_leg.score(reader, looked_up, words.all, words.variants)
        except IndexDamagedError:
            asked.degraded.append(
                "postings_damaged: keywords were ranked by FTS5 instead; run `vstash check`"
            )
            forms = words.forms if looked_up else ()
            leg = reader.ranked_by_fts(forms, depth=depth, allowed=asked.allowed)
            return _of_leg(leg, looked_up, reader.chunk_count), leg.ids
        ids = None if asked.allowed is None else asked.allowed.ids
        return scores, best_words(scores.scores, depth, ids)

    def _exact(self, asked: _Asked, by_words: KeywordScores) -> ExactFound:
        try:
            return find_exact(
                asked.reader,
                asked.question.query,
                asked.words,
                by_words.frequencies,
                asked.allowed,
                count=by_words.count,
            )
        except IndexDamagedError:
            asked.degraded.append(
                "keyword_damaged: phrases and identifiers were not looked up; run `vstash check`"
            )
            return NO_TERMS

    def _read(
        self, reader: Reader, vector: FloatArray, ids: IdArray
    ) -> tuple[tuple[IdArray, FloatArray], FloatArray]:
        """Cosines of those that have a vector, and the vectors of all, zeros where there is none."""
        found, values = reader.vectors(self._model, ids)
        # Unlike a product of matrices, it rounds equal vectors alike, so that equal texts tie.
        cosines = (found, np.einsum("ij,j->i", values, vector))
        if len(found) == len(ids):
            return cosines, values
        vectors = np.zeros((len(ids), len(vector)), dtype=np.float32)
        vectors[np.searchsorted(ids, found)] = values
        return cosines, vectors

    def _completed(
        self, reader: Reader, vector: FloatArray, leg: Leg, keyword_ids: IdArray
    ) -> tuple[IdArray, FloatArray]:
        """Cosines of both legs' chunks: those that the vector leg read need no second look."""
        # Of some dozens, sets tell the difference in a third of numpy's time.
        missing = sorted({*keyword_ids.tolist()}.difference(leg.ids.tolist()))
        unread = np.array(missing, dtype=np.int64)
        ids, cosines = reader.cosines(self._model, vector, unread)
        return np.concatenate([leg.ids, ids]), np.concatenate([leg.scores, cosines])


def _of_leg(leg: Leg, looked_up: Sequence[str], count: int) -> KeywordScores:
    """What a list of scores says of every chunk; nothing is known of how often words occur."""
    scores = np.zeros(int(leg.ids.max()) + 1 if len(leg.ids) else 0, dtype=np.float32)
    scores[leg.ids] = leg.scores
    return KeywordScores(scores, [1] * len(looked_up), count)
