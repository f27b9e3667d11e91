"""One search: ask both indexes, fuse, explain, reply, then log."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

import numpy as np
import uuid6

from vstash.embed.validate import validated
from vstash.errors import StoreCorruptError
from vstash.pipeline.background import Backgrounds
from vstash.pipeline.keyword_leg import KeywordLeg, KeywordScores
from vstash.pipeline.question import Question, checked_question
from vstash.pipeline.record import Logged
from vstash.pipeline.shape import PLAIN, Shape
from vstash.pipeline.shaping import Shaped, deeper, shaped, unshaped
from vstash.pipeline.stopwatch import Stopwatch
from vstash.pipeline.write import require_collection
from vstash.search import fusion
from vstash.search.bm25 import best as best_words
from vstash.search.candidates import complete, order
from vstash.search.explain import explain as explain_hit
from vstash.search.fusion import Background, Candidates, Fused
from vstash.search.words import QueryWords, analyse, idf
from vstash.store.faults import IndexDamagedError
from vstash.store.rows import Leg
from vstash.text.normalise import indexed
from vstash.text.query_terms import query_terms
from vstash.types import Chunk, Document, Hit, JsonObject, Mode, SearchResult, StrategyName

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.settings import Settings
    from vstash.store.allowed import Allowed
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.types import AnyVector, FloatArray, IdArray

__all__ = ["Searching"]

# The first hits by vectors that must be the true ones; those after them are candidates to fuse.
_SURE: Final = 10
_NOTHING: Final = Leg(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Found:
    """What the indexes said, fused, before anything is read to be shown."""

    candidates: Candidates
    fused: Fused
    background: Background
    idfs: Mapping[str, float]
    best: IdArray
    awaiting: int
    degraded: tuple[str, ...]


class Searching:
    """Answers searches.

    Args:
        store: The file.
        embedder: The file's model.
        model: Its number in the file.
        settings: Limits and the default strategy.
        record: Takes what is to be logged, without waiting.
        clock: Microseconds since the epoch.
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
        self._embedder = embedder
        self._model = model
        self._settings = settings
        self._record = record
        self._clock = clock
        self._keyword_leg = KeywordLeg(settings.words_in_memory_mb * 2**20)
        self._backgrounds = Backgrounds(model, embedder.info)

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
        shape: Shape = PLAIN,
    ) -> SearchResult:
        """Answer one search; see `Memory.search`."""
        watch = Stopwatch()
        question = checked_question(
            query,
            vector=vector,
            k=k,
            collection=collection,
            where=where,
            mode=mode,
            strategy=strategy,
            explain=explain,
            shape=shape,
            settings=self._settings,
            dimension=self._embedder.info.dimension,
        )
        terms = query_terms(question.query)
        words = analyse(terms.tokens, terms.function_words, terms.variants)
        watch.lap("analyse")
        with self._store.read() as reader:
            require_collection(reader, question.collection)
            found, chosen = self._chosen(reader, question, words, watch)
            rows = reader.chunks(found.candidates.ids[chosen.positions])
        hits = tuple(self._hits(question, words, found, chosen, rows))
        watch.lap("read")
        result = SearchResult(
            id=str(uuid6.uuid7()),
            query=query,
            mode=question.mode,
            strategy=question.strategy,
            weights=found.fused.weights,
            hits=hits,
            timings_ms=watch.times(),
            degraded=(*_degraded(question, words), *found.degraded),
            awaiting=found.awaiting,
        )
        if log and self._settings.log_searches and not self._store.immutable:
            self._log(question, result, found)
        return result

    def _embedded(self, question: Question) -> FloatArray | None:
        if question.mode == "keyword":
            return None
        if question.vector is not None:
            return question.vector
        made = self._embedder.embed_queries([question.query])
        vector: FloatArray = validated(made, count=1, dimension=self._embedder.info.dimension)[0]
        return vector

    def _chosen(
        self, reader: Reader, question: Question, words: QueryWords, watch: Stopwatch
    ) -> tuple[Found, Shaped]:
        """Find, and choose what is returned; deeper as long as that is too little."""
        while True:
            found = self._find(reader, question, words, watch)
            if question.shape.plain:
                return found, unshaped(found.best, found.fused.score)
            chosen = shaped(
                question.shape,
                found.candidates,
                found.fused.score,
                reader=reader,
                model=self._model,
                k=question.k,
                now=self._clock(),
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
            question = replace(question, least_depth=depth, vector=self._embedded(question))

    def _find(
        self,
        reader: Reader,
        question: Question,
        words: QueryWords,
        watch: Stopwatch,
    ) -> Found:
        allowed = reader.allowed(question.collection, question.where, now=self._clock())
        watch.lap("filter")
        degraded: list[str] = []
        asked = () if question.mode == "vector" else words.informative
        by_words, keyword_ids = self._keywords(reader, question, asked, words, allowed, degraded)
        watch.lap("keyword")
        # Last what needs the model: in a new process it is still being loaded in its own thread.
        sample = self._warmed(reader, question, allowed)
        watch.lap("warm")
        vector = self._embedded(question)
        watch.lap("embed")
        leg = (
            _NOTHING
            if vector is None
            else self._vectors(reader, question, vector, allowed, degraded)
        )
        vector_ids = leg.ids[: question.depth]
        watch.lap("vector")
        cosines = None if vector is None else self._completed(reader, vector, leg, keyword_ids)
        candidates = complete(vector_ids, keyword_ids, cosines, by_words.scores)
        background = self._backgrounds.of(sample, vector)
        watch.lap("complete")
        fused = fusion.fuse(
            question.mode,
            question.strategy,
            candidates,
            words=words,
            frequencies=by_words.frequencies,
            chunk_count=by_words.count,
            background=background,
        )
        idfs = {
            word: idf(by_words.count, df)
            for word, df in zip(asked, by_words.frequencies, strict=True)
        }
        best = order(candidates.ids, fused.score, question.k)
        watch.lap("fuse")
        return Found(
            candidates, fused, background, idfs, best, reader.awaiting_count, tuple(degraded)
        )

    def _warmed(
        self, reader: Reader, question: Question, allowed: Allowed | None
    ) -> FloatArray | None:
        """Load what vectors will be compared with; returns the sample of the background."""
        if question.mode == "keyword":
            return None
        if self._settings.codes_in_memory:
            # What is damaged is told by the search itself.
            with suppress(IndexDamagedError):
                reader.warm(self._model, allowed)
        return self._backgrounds.sample(reader, allowed)

    def _vectors(
        self,
        reader: Reader,
        question: Question,
        vector: FloatArray,
        allowed: Allowed | None,
        degraded: list[str],
    ) -> Leg:
        def leg(*, in_memory: bool) -> Leg:
            return reader.vector_leg(
                self._model,
                vector,
                depth=question.depth,
                sure=min(max(question.k, _SURE), question.depth),
                allowed=allowed,
                in_memory=in_memory,
            )

        try:
            return leg(in_memory=self._settings.codes_in_memory)
        except IndexDamagedError:
            degraded.append(
                "codes_damaged: vectors were searched by the slow way; run `vstash check`"
            )
            return leg(in_memory=False)

    def _keywords(
        self,
        reader: Reader,
        question: Question,
        asked: Sequence[str],
        words: QueryWords,
        allowed: Allowed | None,
        degraded: list[str],
    ) -> tuple[KeywordScores, IdArray]:
        try:
            scores = self._keyword_leg.score(reader, asked, words.all, words.variants)
        except IndexDamagedError:
            degraded.append(
                "postings_damaged: keywords were ranked by FTS5 instead; run `vstash check`"
            )
            forms = words.forms if asked else ()
            leg = reader.ranked_by_fts(forms, depth=question.depth, allowed=allowed)
            return _of_leg(leg, asked, reader.chunk_count), leg.ids
        ids = None if allowed is None else allowed.ids
        return scores, best_words(scores.scores, question.depth, ids)

    def _completed(
        self, reader: Reader, vector: FloatArray, leg: Leg, keyword_ids: IdArray
    ) -> tuple[IdArray, FloatArray]:
        """Cosines of both legs' chunks: those that the vector leg read need no second look."""
        # Of some dozens, sets tell the difference in a third of numpy's time.
        missing = sorted({*keyword_ids.tolist()}.difference(leg.ids.tolist()))
        unread = np.array(missing, dtype=np.int64)
        ids, cosines = reader.cosines(self._model, vector, unread)
        return np.concatenate([leg.ids, ids]), np.concatenate([leg.scores, cosines])

    def _hits(
        self,
        question: Question,
        words: QueryWords,
        found: Found,
        chosen: Shaped,
        rows: Mapping[int, tuple[Chunk, Document]],
    ) -> list[Hit]:
        candidates, hits = found.candidates, []
        for place, position in enumerate(map(int, chosen.positions)):
            row = rows.get(int(candidates.ids[position]))
            if row is None:
                raise StoreCorruptError(
                    "The file is damaged: an index lists a passage that does not exist. "
                    "`vstash check` tells what is wrong."
                )
            chunk, document = row
            explanation = None
            if question.explain:
                texts = (document.title, "\n".join(chunk.heading), chunk.text)
                present = words.found_in(" ".join(map(indexed, texts)).split())
                explanation = explain_hit(
                    position,
                    candidates,
                    found.fused,
                    mode=question.mode,
                    strategy=question.strategy,
                    idfs=found.idfs,
                    present=present,
                )
                if chosen.recency is not None:
                    explanation = replace(explanation, recency_part=float(chosen.recency[place]))
            cosine, bm25 = float(candidates.cosine[position]), float(candidates.bm25[position])
            hits.append(
                Hit(
                    score=float(chosen.scores[place]),
                    chunk=chunk,
                    document=document,
                    vector_rank=int(candidates.vector_rank[position]) or None,
                    keyword_rank=int(candidates.keyword_rank[position]) or None,
                    vector_score=None if math.isnan(cosine) else cosine,
                    keyword_score=None if question.mode == "vector" else bm25,
                    explanation=explanation,
                    more=int(chosen.more[place]),
                )
            )
        return hits

    def _log(self, question: Question, result: SearchResult, found: Found) -> None:
        if question.mode != "hybrid":
            # One leg alone says nothing about where the two disagree.
            return
        self._record(
            Logged(
                result,
                question.query,
                question.collection,
                found.candidates,
                found.background,
                datetime.now(timezone.utc),
            )
        )


def _degraded(question: Question, words: QueryWords) -> tuple[str, ...]:
    if question.mode != "vector" and not words.informative:
        return ("no_informative_word: the query has only function words or punctuation",)
    return ()


def _of_leg(leg: Leg, asked: Sequence[str], count: int) -> KeywordScores:
    """What a list of scores says of every chunk; nothing is known of how often words occur."""
    scores = np.zeros(int(leg.ids.max()) + 1 if len(leg.ids) else 0, dtype=np.float32)
    scores[leg.ids] = leg.scores
    return KeywordScores(scores, [1] * len(asked), count)
