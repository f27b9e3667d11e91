"""Learning how relevance follows from evidence, by asking the file for what is known to be in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.errors import CalibrationError
from vstash.filters import parse
from vstash.pipeline.documents import require_collection
from vstash.pipeline.prepare import MOST_SEED, check_whole
from vstash.pipeline.question import Question, plain_question
from vstash.pipeline.search import asked_words
from vstash.pipeline.stopwatch import Stopwatch
from vstash.reports import CalibrationProgress, CalibrationQuality, CalibrationReport
from vstash.search.calibrating import cross_validated, fit, held
from vstash.search.candidates import order
from vstash.search.relevance import FEATURES, relevance, shipped
from vstash.text.probes import AskableWord, askable

if TYPE_CHECKING:
    from vstash.pipeline.search import Searching
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.types import FloatArray, IdArray, ModelInfo

__all__ = ["Calibrating"]

_LEAST_PROBES: Final = 50
_MOST_PROBES: Final = 1000
_LEAST_WORDS: Final = 4
_MOST_WORDS: Final = 8
# Chunks of one part of the file that are looked at until one gives a probe.
_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class _Probe:
    """A query, and the document that it was made from."""

    query: str
    document: str
    key: str


@dataclass(frozen=True, slots=True)
class _Answered:
    """The features of the best hit, shape (5,), and of the best one with the document left out."""

    there: FloatArray
    found: bool
    left_out: FloatArray


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a calibration is fitted to: two rows a probe."""

    features: FloatArray
    labels: np.ndarray[tuple[int], np.dtype[np.bool_]]
    answerable: np.ndarray[tuple[int], np.dtype[np.bool_]]
    probes: IdArray


class Calibrating:
    """Calibrates relevance for one file.

    Args:
        store: The file.
        searching: Asks it.
        info: The file's model.
        model: Its number in the file.
        settings: Of the searches.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        searching: Searching,
        info: ModelInfo,
        model: int,
        settings: Settings,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._searching = searching
        self._info = info
        self._model = model
        self._settings = settings
        self._clock = clock

    def calibrate(
        self,
        *,
        collection: str | None,
        probes: int,
        seed: int,
        progress: Callable[[CalibrationProgress], None] | None,
    ) -> CalibrationReport:
        """Ask, fit, and store what holds better; see `Memory.calibrate`."""
        start = time.perf_counter()
        check_whole("probes", probes, _LEAST_PROBES, _MOST_PROBES)
        check_whole("seed", seed, 0, MOST_SEED)
        # A question of which only the collection is used.
        name = self._question("calibrate", collection).collection
        with self._store.write():
            # What cannot be written is refused before the work, not after it.
            pass
        answered = self._ask(name, probes, seed, progress)
        if len(answered) < _LEAST_PROBES:
            raise CalibrationError(
                f"Only {len(answered)} of {probes} probes could be made and asked; it takes "
                f"{_LEAST_PROBES}. Nothing was stored: relevance stays what it was. Store more "
                "documents, of sentences with five words and more, and calibrate again."
            )
        rows = _rows(answered)
        prior = shipped(self._info)
        learnt = fit(rows.features, rows.labels, prior)
        before = _quality(rows, relevance(rows.features, prior))
        after = _quality(rows, cross_validated(rows.features, rows.labels, rows.probes, prior))
        weights = (*learnt.weights, learnt.intercept)
        better = after.log_loss < before.log_loss
        if better:
            with self._store.write() as writer:
                writer.calibrate(self._model, weights, queries=len(answered), now=self._clock())
        return CalibrationReport(
            probes=probes,
            used=len(answered),
            found_first=sum(each.found for each in answered) / len(answered),
            before=before,
            after=after,
            weights=weights,
            stored=better,
            seconds=round(time.perf_counter() - start, 3),
        )

    def reset(self) -> bool:
        """Forget what was learnt; see `Memory.reset_calibration`."""
        with self._store.write() as writer:
            return writer.forget_calibration(self._model)

    def _ask(
        self,
        collection: str,
        count: int,
        seed: int,
        progress: Callable[[CalibrationProgress], None] | None,
    ) -> list[_Answered]:
        rng = Random(seed)  # noqa: S311 - a sample that can be repeated, no secret
        with self._store.read() as reader:
            require_collection(reader, collection)
            parts = _parts(self._chunks(reader, collection), count)
        answered = []
        for asked, part in enumerate(parts, 1):
            # A view for each: one for all would keep the write-ahead log from shrinking.
            with self._store.read() as reader:
                made = self._probe(reader, part, rng)
                found = None if made is None else self._answered(reader, made, collection)
            if found is not None:
                answered.append(found)
            if progress is not None:
                progress(CalibrationProgress(asked, len(parts)))
        return answered

    def _chunks(self, reader: Reader, collection: str) -> IdArray:
        allowed = reader.allowed(collection, None, now=self._clock())
        return np.flatnonzero(reader.lengths().living) if allowed is None else allowed.ids

    def _probe(self, reader: Reader, part: IdArray, rng: Random) -> _Probe | None:
        """The first probe that some chunks of a part of the file give."""
        tried = rng.sample(part.tolist(), min(_TRIES, len(part)))
        chunks = reader.chunks(np.array(tried, dtype=np.int64))
        for chunk, document in (chunks[each] for each in tried if each in chunks):
            asked = [words for words in askable(chunk.text) if len(words) > _LEAST_WORDS]
            if asked:
                words = _chosen(reader, rng.choice(asked), rng)
                return _Probe(" ".join(words), document.id, document.key)
        return None

    def _answered(self, reader: Reader, probe: _Probe, collection: str) -> _Answered | None:
        question = self._searching.embedded(self._question(probe.query, collection))
        without = replace(question, where=parse({"key": {"ne": probe.key}}))
        there = self._best(reader, question)
        left_out = self._best(reader, without)
        if there is None or left_out is None:
            return None
        return _Answered(there[1], there[0] == probe.document, left_out[1])

    def _question(self, query: str, collection: str | None) -> Question:
        return plain_question(
            query,
            k=1,
            collection=collection,
            settings=self._settings,
            dimension=self._info.dimension,
        )

    def _best(self, reader: Reader, question: Question) -> tuple[str, FloatArray] | None:
        """The document of the best hit and its features; None where evidence is missing."""
        found = self._searching.find(reader, question, asked_words(question.query), Stopwatch())
        ids = found.candidates.ids
        if found.judged is None or not len(ids) or found.answers.degraded:
            return None
        best = int(order(ids, found.fused.score, 1)[0])
        if np.isnan(found.candidates.cosine[best]):
            # It awaits its vector.
            return None
        owner = reader.owners(ids[best : best + 1]).get(int(ids[best]), "")
        return owner, found.judged.features[best]


def _parts(ids: IdArray, count: int) -> list[IdArray]:
    """Ids cut into parts of equal size, at most so many."""
    return np.array_split(ids, min(count, len(ids))) if len(ids) else []


def _chosen(reader: Reader, words: list[AskableWord], rng: Random) -> Iterator[str]:
    """Some of the words in order, not all; those of no other chunk only where there are too few others."""
    tokens = {token for word in words for token in word.tokens}
    postings = reader.postings([*tokens], reader.lengths())
    common = {token for token, posting in postings.items() if len(posting.ids) > 1}
    shared = [at for at, word in enumerate(words) if common.issuperset(word.tokens)]
    among = shared if len(shared) >= _LEAST_WORDS else [*range(len(words))]
    size = rng.randint(_LEAST_WORDS, min(_MOST_WORDS, len(words) - 1))
    return (words[at].text for at in sorted(rng.sample(among, min(size, len(among)))))


def _rows(answered: list[_Answered]) -> _Rows:
    there = [each.there for each in answered]
    features = np.stack([*there, *(each.left_out for each in answered)])
    # A new file's agreement swings with each search, later it does not: it keeps its prior weight.
    agreement = FEATURES.index("agreement")
    features[:, agreement] = features[:, agreement].mean()
    count = len(answered)
    labels = np.array([each.found for each in answered] + [False] * count)
    return _Rows(features, labels, np.arange(2 * count) < count, np.arange(2 * count) % count)


def _quality(rows: _Rows, probabilities: FloatArray) -> CalibrationQuality:
    found = held(probabilities, rows.labels, rows.answerable)
    return CalibrationQuality(found.error, found.loss, found.auroc)
