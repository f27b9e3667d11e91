"""Why a search does not return a document: the search is asked again and followed stage by stage."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.misses import MissingWord, MissStage, WhyNot
from vstash.pipeline.documents import require_collection
from vstash.pipeline.hits import explained, listed_row, present_words
from vstash.pipeline.question import MAX_K, Question, checked_question
from vstash.pipeline.ranks import Ranks, keyword_ranks, last_listed, vector_ranks
from vstash.pipeline.search import Found, Searching, asked_words
from vstash.pipeline.shaping import Shaped, recency_part, shaped
from vstash.pipeline.sought import Sought, check_sought, outside, sought
from vstash.pipeline.stopwatch import Stopwatch
from vstash.search.misses import advice, failed_conditions, lacking, sentence
from vstash.search.words import QueryWords

if TYPE_CHECKING:
    from vstash.pipeline.shape import Shape
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.types import (
        AnyVector,
        Explanation,
        FloatArray,
        IdArray,
        JsonObject,
        Mode,
        StrategyName,
    )

__all__ = ["Misses"]

# A deeper search has other candidates too: how often its k is corrected.
_ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class _Traced:
    """A search, with what came after the last hit.

    Attributes:
        question: What was asked, with its vector.
        found: The candidates that may be returned.
        order: All of them that no other stands for, in the order of the answer.
        scores: Of all, with the part of recency.
        recency: That part, None where it was not asked for.
    """

    question: Question
    found: Found
    order: Shaped
    scores: FloatArray
    recency: FloatArray | None

    def rank(self, chunk: int) -> int | None:
        """The place of a chunk in the answer if it were long enough, from 1."""
        places = np.flatnonzero(self.found.candidates.ids[self.order.positions] == chunk)
        return int(places[0]) + 1 if len(places) else None

    def position(self, chunk: int) -> int:
        """Where a candidate stands among all."""
        return int(np.searchsorted(self.found.candidates.ids, chunk))


class Misses:
    """Follows searches.

    Args:
        store: The file.
        searching: Searches it.
        model: The model's number in the file.
        dimension: Of its vectors.
        settings: Limits and the default strategy.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        searching: Searching,
        model: int,
        dimension: int,
        settings: Settings,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._searching = searching
        self._model = model
        self._dimension = dimension
        self._settings = settings
        self._clock = clock

    def why_not(
        self,
        query: str,
        *,
        document: str | None,
        key: str | None,
        chunk: int | None,
        vector: AnyVector | None,
        k: int,
        collection: str | None,
        where: JsonObject | None,
        mode: Mode,
        strategy: StrategyName | None,
        min_relevance: float | None,
        shape: Shape,
    ) -> WhyNot:
        """Follow one search; see `Memory.why_not`."""
        question = checked_question(
            query,
            vector=vector,
            k=k,
            collection=collection,
            where=where,
            mode=mode,
            strategy=strategy,
            explain=True,
            min_relevance=min_relevance,
            shape=shape,
            settings=self._settings,
            dimension=self._dimension,
        )
        check_sought(document, key, chunk)
        words = asked_words(question.query)
        with self._store.read() as reader:
            require_collection(reader, question.collection)
            target = sought(reader, question.collection, document, key, chunk)
            told = self._told(reader, question, words, target)
        return replace(told, query=query)

    def _told(
        self, reader: Reader, question: Question, words: QueryWords, target: Sought
    ) -> WhyNot:
        document = target.document
        known = WhyNot(
            query=question.query,
            stage=outside(question, document, self._clock()) or "returned",
            document_id=document.id,
            key=document.key,
            collection=document.collection,
            chunk_id=int(target.chunks[0]) if target.alone else None,
            k=question.k,
        )
        beyond: tuple[str, ...] = ()
        if known.stage == "returned":
            question = self._searching.embedded(question)
            known = self._followed(reader, question, words, target, known)
        elif known.stage == "filtered" and question.where is not None:
            known = replace(known, failed=failed_conditions(question.where, document))
            without = self._told(reader, replace(question, where=None), words, target)
            beyond = (f"without the filter: {without.why[0].lower()}{without.why[1:]}",)
        lines = advice(known, question.mode, plain=question.shape.plain)
        why = sentence(known, question.collection, question.min_relevance)
        return replace(known, why=why, advice=lines + beyond)

    def _followed(
        self,
        reader: Reader,
        question: Question,
        words: QueryWords,
        target: Sought,
        known: WhyNot,
    ) -> WhyNot:
        """The search among what may be returned, and what it made of the target."""
        traced = self._traced(reader, question, words)
        candidates = traced.found.candidates.ids
        stage: MissStage
        if len(np.intersect1d(candidates, target.chunks)):
            chunk = _best(traced, target.chunks)
            stage, behind = self._lost(reader, traced, chunk)
        else:
            answers = traced.found.answers
            behind = None
            if len(np.intersect1d(answers.candidates.ids, target.chunks)):
                stage = "below_min_relevance"
                open_to_all = replace(question, min_relevance=None, least_depth=answers.depth)
                traced = self._traced(reader, open_to_all, words)
                chunk = _best(traced, target.chunks)
            else:
                stage = "not_a_candidate"
                chunk = self._nearest(reader, traced, words, target.chunks)
        known = replace(known, stage=stage, behind=behind, chunk_id=chunk)
        known = self._with_legs(reader, traced, words, known, chunk)
        known = _with_words(reader, traced, words, known, chunk)
        if stage != "not_a_candidate":
            known = _with_score(reader, traced, words, known, chunk)
        if stage in {"not_a_candidate", "below_min_relevance", "mmr", "outscored"}:
            known = replace(known, k_needed=self._k_needed(reader, traced, words, known, chunk))
        return known

    def _traced(self, reader: Reader, question: Question, words: QueryWords) -> _Traced:
        found, _ = self._searching.chosen(reader, question, words, Stopwatch())
        now = self._clock()
        candidates, scores = found.candidates, found.fused.score
        order = shaped(
            question.shape,
            candidates,
            scores,
            reader=reader,
            model=self._model,
            k=max(len(scores), 1),
            now=now,
        )
        newer = recency_part(question.shape, candidates.ids, scores, reader=reader, now=now)
        whole = scores if newer is None else scores + newer
        return _Traced(question, found, order, whole, newer)

    def _lost(self, reader: Reader, traced: _Traced, chunk: int) -> tuple[MissStage, int | None]:
        """Where a candidate was lost, and the chunk that stands for it."""
        k, ids = traced.question.k, traced.found.candidates.ids
        rank = traced.rank(chunk)
        if rank is None:
            position = traced.position(chunk)
            for gave_way in traced.order.gave_way:
                place = np.flatnonzero(gave_way.positions == position)
                into = int(gave_way.into[place[0]])
                if into != position:
                    return gave_way.step, int(ids[into])
        elif rank > k:
            kept = traced.order
            better = kept.scores > traced.scores[traced.position(chunk)]
            if traced.question.shape.mmr is not None and np.count_nonzero(better) < k:
                return "mmr", self._most_like(reader, ids[kept.positions[:k]], chunk)
            return "outscored", None
        return "returned", None

    def _most_like(self, reader: Reader, hits: IdArray, chunk: int) -> int | None:
        """The hit whose vector is nearest to a chunk's, None where there are no vectors."""
        _, ours = reader.vectors(self._model, np.array([chunk], dtype=np.int64))
        ids, vectors = reader.vectors(self._model, hits)
        if not len(ours) or not len(ids):
            return None
        return int(ids[int(np.argmax(vectors @ ours[0]))])

    def _ranks(
        self, reader: Reader, traced: _Traced, words: QueryWords, chunks: IdArray
    ) -> tuple[Ranks, Ranks]:
        """Places by vectors and by keywords."""
        answers, question = traced.found.answers, traced.found.asked
        legs = self._searching.legs
        by_vector = vector_ranks(reader, legs, self._model, question, words, answers, chunks)
        return by_vector, keyword_ranks(reader, answers, chunks)

    def _nearest(self, reader: Reader, traced: _Traced, words: QueryWords, chunks: IdArray) -> int:
        """Of chunks that are no candidates the one that comes first in either leg."""
        places = [ranks.ranks for ranks in self._ranks(reader, traced, words, chunks)]
        first = np.minimum(*(np.where(each > 0, each, np.iinfo(np.int64).max) for each in places))
        return int(chunks[int(first.argmin())])

    def _with_legs(
        self, reader: Reader, traced: _Traced, words: QueryWords, known: WhyNot, chunk: int
    ) -> WhyNot:
        one = np.array([chunk], dtype=np.int64)
        by_vector, by_keyword = self._ranks(reader, traced, words, one)
        answers, mode = traced.found.answers, traced.question.mode
        listed = answers.candidates
        position = int(np.searchsorted(listed.ids, chunk))
        vector_rank, keyword_rank = int(by_vector.ranks[0]), int(by_keyword.ranks[0])
        if position < len(listed.ids) and listed.ids[position] == chunk:
            # A large file's leg lists by estimates: its own word on what it listed counts.
            vector_rank = int(listed.vector_rank[position]) or vector_rank
            keyword_rank = int(listed.keyword_rank[position]) or keyword_rank
        cosine = float(by_vector.scores[0])
        return replace(
            known,
            depth=answers.depth,
            degraded=traced.found.degraded,
            awaiting=mode != "keyword" and math.isnan(cosine),
            vector_rank=vector_rank or None,
            vector_deeper_than=None if vector_rank or math.isnan(cosine) else by_vector.deeper_than,
            vector_score=None if math.isnan(cosine) else cosine,
            vector_needed=last_listed(listed.vector_rank, listed.cosine, answers.depth),
            keyword_rank=keyword_rank or None,
            keyword_score=None if mode == "vector" else float(by_keyword.scores[0]),
            keyword_needed=last_listed(listed.keyword_rank, listed.bm25, answers.depth),
        )

    def _k_needed(
        self, reader: Reader, traced: _Traced, words: QueryWords, known: WhyNot, chunk: int
    ) -> int | None:
        """A k with which it is returned; None where up to 1,000 none was found."""
        places = (known.vector_rank, known.keyword_rank)
        asked = known.rank or min((place for place in places if place), default=0)
        enough = None
        for _ in range(_ROUNDS):
            if not known.k < asked <= MAX_K:
                break
            rank = self._traced(reader, traced.question.asking(asked), words).rank(chunk)
            if rank is None:
                break
            if rank <= asked:
                enough = asked
            if rank == asked:
                break
            asked = rank
        return enough


def _best(traced: _Traced, chunks: IdArray) -> int:
    """Of some chunks the first that is returned, or else the candidate with the best score."""
    ids = traced.found.candidates.ids
    returned = ids[traced.order.positions[: traced.question.k]]
    first = np.flatnonzero(np.isin(returned, chunks))
    if len(first):
        return int(returned[int(first[0])])
    ours = np.flatnonzero(np.isin(ids, chunks))
    return int(ids[ours[int(traced.scores[ours].argmax())]])


def _with_words(
    reader: Reader, traced: _Traced, words: QueryWords, known: WhyNot, chunk: int
) -> WhyNot:
    answers = traced.found.answers
    row = listed_row(reader.chunks(np.array([chunk], dtype=np.int64)), chunk)
    present = set().union(*present_words(words, row).values())
    missing = [
        MissingWord(word, value, often)
        for (word, value), often in zip(answers.idfs.items(), answers.frequencies, strict=True)
        if word not in present
    ]
    missing.sort(key=lambda each: (-each.idf, each.word))
    return replace(known, missing_words=tuple(missing))


def _with_score(
    reader: Reader, traced: _Traced, words: QueryWords, known: WhyNot, chunk: int
) -> WhyNot:
    """Its score and that of the last hit, each with where it comes from."""
    found, order, k = traced.found, traced.order, traced.question.k
    position = traced.position(chunk)
    ours = _explanation(reader, traced, words, position)
    last = score_needed = None
    if len(order.positions) >= k:
        # MMR's own order is not that of the scores.
        kth = int(np.argsort(-order.scores, kind="stable")[k - 1])
        score_needed = float(order.scores[kth])
        last = _explanation(reader, traced, words, int(order.positions[kth]))
    return replace(
        known,
        rank=traced.rank(chunk),
        score=float(traced.scores[position]),
        score_needed=score_needed,
        lacks=lacking(ours, last) if last is not None and known.stage == "outscored" else None,
        relevance=None if found.judged is None else float(found.judged.relevance[position]),
        explanation=ours,
        explanation_of_last=last,
    )


def _explanation(reader: Reader, traced: _Traced, words: QueryWords, position: int) -> Explanation:
    ids = traced.found.candidates.ids[[position]]
    row = listed_row(reader.chunks(ids), int(ids[0]))
    found = explained(traced.question, words, traced.found, position, row)
    if traced.recency is None:
        return found
    return replace(found, recency_part=float(traced.recency[position]))
