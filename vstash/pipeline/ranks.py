"""Where chunks stand in each leg, however deep: what a search lists is only the beginning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.pipeline.shaping import MOST_DEPTH

if TYPE_CHECKING:
    from vstash.pipeline.legs import Answers, Legs
    from vstash.pipeline.question import Question
    from vstash.search.words import QueryWords
    from vstash.store.session import Reader
    from vstash.types import FloatArray, IdArray

__all__ = ["Ranks", "keyword_ranks", "last_listed", "vector_ranks"]

# Up to so many allowed chunks every vector is read, .2 s; of more, as many as the leg can list.
_READ_ALL: Final = 50_000
_PART: Final = 4096


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where chunks stand in one leg.

    Attributes:
        ranks: From 1, 0 where there is none or it is not known, shape (n,).
        scores: NaN where there is none, shape (n,).
        deeper_than: How many are ahead of each whose rank is not known; None where all are known.
    """

    ranks: IdArray
    scores: FloatArray
    deeper_than: int | None = None


def keyword_ranks(reader: Reader, answers: Answers, chunks: IdArray) -> Ranks:
    """Places by BM25, exact for every chunk that holds a word of the query.

    Args:
        reader: The view that the answers came from.
        answers: What the indexes said.
        chunks: Ids of chunks that may be returned, shape (n,).
    """
    size = max(len(answers.bm25), int(chunks.max(initial=0)) + 1)
    scores = np.zeros(size, dtype=np.float32)
    scores[: len(answers.bm25)] = answers.bm25
    every = _allowed(reader, answers)
    every = every[every < size]
    with_word = every[scores[every] > 0]
    return Ranks(_places(with_word, scores[with_word], chunks), scores[chunks])


def vector_ranks(
    reader: Reader,
    legs: Legs,
    model: int,
    question: Question,
    words: QueryWords,
    answers: Answers,
    chunks: IdArray,
) -> Ranks:
    """Places by cosine; beyond 50,000 chunks only as deep as the leg can list.

    Args:
        reader: The view that the answers came from.
        legs: Lists chunks of a large file.
        model: The model's number in the file.
        question: What was asked, with its vector.
        words: Its words.
        answers: What the indexes said.
        chunks: Ids of chunks that may be returned, ascending, shape (n,).
    """
    scores = np.full(len(chunks), np.nan, dtype=np.float32)
    if question.vector is None:
        return Ranks(np.zeros(len(chunks), dtype=np.int64), scores)
    every = _allowed(reader, answers)
    deeper_than = None
    if len(every) <= _READ_ALL:
        parts = [
            reader.cosines(model, question.vector, every[start : start + _PART])
            for start in range(0, len(every), _PART)
        ]
        ids = np.concatenate([part[0] for part in parts])
        cosines = np.concatenate([part[1] for part in parts])
        held = np.isin(chunks, ids)
        scores[held] = cosines[np.searchsorted(ids, chunks[held])]
    else:
        deep = replace(question, least_depth=MOST_DEPTH)
        leg = legs.nearest(reader, deep, words, question.vector, answers.allowed)
        ids, cosines, deeper_than = leg.ids, leg.scores, len(leg.ids)
        found, values = reader.cosines(model, question.vector, chunks)
        scores[np.searchsorted(chunks, found)] = values
    return Ranks(_places(ids, cosines, chunks), scores, deeper_than)


def last_listed(ranks: IdArray, scores: FloatArray, depth: int) -> float | None:
    """The score of the last candidate of a leg, None where the leg had room for more.

    Args:
        ranks: Of candidates in that leg, 0 where it did not list one, shape (n,).
        scores: Theirs, shape (n,).
        depth: How many the leg was asked for.
    """
    if not len(ranks) or ranks.max() < depth:
        return None
    return float(scores[int(ranks.argmax())])


def _allowed(reader: Reader, answers: Answers) -> IdArray:
    if answers.allowed is not None:
        return answers.allowed.ids
    return np.flatnonzero(reader.lengths().living).astype(np.int64)


def _places(ids: IdArray, scores: FloatArray, chunks: IdArray) -> IdArray:
    """The place of each chunk in a leg, from 1; 0 for those that are not in it."""
    ordered = ids[np.lexsort((ids, -scores))]
    by_id = np.argsort(ordered)
    at = np.searchsorted(ordered, chunks, sorter=by_id)
    there = at < len(ordered)
    there[there] = ordered[by_id[at[there]]] == chunks[there]
    places = np.zeros(len(chunks), dtype=np.int64)
    places[there] = by_id[at[there]] + 1
    return places
