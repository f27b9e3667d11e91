"""BM25 over packed postings against scores computed by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from vstash.search.bm25 import BM25_B, BM25_K1, best, bm25

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray, IdArray

Postings = tuple["NDArray[np.uint32]", "NDArray[np.uint8]"]

# Three chunks of 4, 6 and 2 words with the ids 1, 2 and 4; there is no chunk 0 or 3.
LENGTHS = np.array([0, 4, 6, 0, 2], dtype=np.uint16)
COUNT = 3
MEAN = 4.0


def posting(**counts: int) -> Postings:
    """A word's chunks and counts: ``c2=3`` is three times in chunk 2."""
    ids = [int(name.removeprefix("c")) for name in counts]
    return np.array(ids, dtype=np.uint32), np.array(list(counts.values()), dtype=np.uint8)


def ids(*numbers: int) -> IdArray:
    """Chunk ids as an array."""
    return np.array(numbers, dtype=np.int64)


def scored(*numbers: float) -> FloatArray:
    """Scores by chunk id."""
    return np.array(numbers, dtype=np.float32)


def test_the_constants_are_the_measured_ones() -> None:
    """The worked numbers below hold for these two."""
    assert (BM25_K1, BM25_B) == (0.9, 0.4)


def test_two_words_in_three_chunks() -> None:
    """Each score is the sum over the words of idf * f * 1.9 / (f + .9 * (.6 + .4 * l / 4))."""
    amber, lamp = posting(c1=1, c2=2), posting(c2=1)
    scores, frequencies = bm25([amber, lamp], [1, 1], LENGTHS, count=COUNT, mean=MEAN)
    assert frequencies == [2, 1]
    # ln(1 + (3 - df + .5) / (df + .5)): df 2 gives ln(1.6), df 1 gives ln(1 + 2.5 / 1.5).
    idf_amber, idf_lamp = math.log(1.6), math.log(8 / 3)
    # Norms: .9 * (.6 + .4 * 4 / 4) = .9 for chunk 1, .9 * (.6 + .4 * 6 / 4) = 1.08 for chunk 2.
    first = idf_amber * 1 * 1.9 / (1 + 0.9)
    second = idf_amber * 2 * 1.9 / (2 + 1.08) + idf_lamp * 1 * 1.9 / (1 + 1.08)
    assert scores.dtype == np.float32
    assert scores.tolist() == pytest.approx([0, first, second, 0, 0], rel=1e-6)
    assert first == pytest.approx(0.4700036, rel=1e-6)
    assert second == pytest.approx(1.4758244, rel=1e-6)


def test_a_word_asked_twice_counts_twice() -> None:
    """What a word adds is multiplied by how often the query has it."""
    words = [posting(c1=1, c2=2), posting(c4=5)]
    once, _ = bm25(words, [1, 1], LENGTHS, count=COUNT, mean=MEAN)
    twice, _ = bm25(words, [2, 1], LENGTHS, count=COUNT, mean=MEAN)
    assert twice.tolist() == pytest.approx([0, 2 * once[1], 2 * once[2], 0, once[4]], rel=1e-6)


def test_a_shorter_chunk_and_more_occurrences_score_more() -> None:
    """At equal counts the shorter chunk wins; at equal lengths the one with more occurrences."""
    scores, _ = bm25([posting(c1=1, c2=1, c4=1)], [1], LENGTHS, count=COUNT, mean=MEAN)
    assert scores[4] > scores[1] > scores[2] > 0
    same = np.array([0, 9, 9], dtype=np.uint16)
    scores, _ = bm25([posting(c1=1, c2=255)], [1], same, count=2, mean=9.0)
    assert scores[2] > scores[1] > 0
    # The bound of what counts can bring is 1.9 times the idf.
    assert scores[2] < 1.9 * math.log(1.2)


def test_chunks_that_are_gone_do_not_count() -> None:
    """A posting of a chunk of length 0 has no score and is not in the document frequency."""
    with_gone, frequencies = bm25(
        [posting(c0=7, c1=1, c3=9, c2=2)], [1], LENGTHS, count=COUNT, mean=MEAN
    )
    without, expected = bm25([posting(c1=1, c2=2)], [1], LENGTHS, count=COUNT, mean=MEAN)
    assert frequencies == expected == [2]
    assert with_gone.tolist() == without.tolist()


def test_a_word_that_is_nowhere_changes_nothing() -> None:
    """No posting, or only those of chunks that are gone, is a frequency of 0 and no score."""
    scores, frequencies = bm25([posting(), posting(c3=2)], [1, 4], LENGTHS, count=COUNT, mean=MEAN)
    assert frequencies == [0, 0]
    assert scores.tolist() == [0] * 5
    scores, frequencies = bm25([], [], LENGTHS, count=COUNT, mean=MEAN)
    assert (scores.tolist(), frequencies) == ([0] * 5, [])


def test_a_word_of_every_chunk_still_scores() -> None:
    """The idf is never negative, so a word that all chunks hold lists them all."""
    scores, frequencies = bm25([posting(c1=1, c2=1, c4=1)], [1], LENGTHS, count=3, mean=MEAN)
    assert frequencies == [3]
    assert (scores[[1, 2, 4]] > 0).all()


def test_what_is_passed_in_is_not_changed() -> None:
    """Postings and lengths are shared by every search."""
    word = posting(c1=1, c2=2)
    lengths = LENGTHS.copy()
    bm25([word, word], [1, 3], lengths, count=COUNT, mean=MEAN)
    assert lengths.tolist() == LENGTHS.tolist()
    assert (word[0].tolist(), word[1].tolist()) == ([1, 2], [1, 2])


@pytest.mark.parametrize(
    ("depth", "expected"),
    [(1, [2]), (2, [2, 1]), (3, [2, 1, 4]), (4, [2, 1, 4, 5]), (5, [2, 1, 4, 5, 7]), (99, [2, 1, 4, 5, 7])],
)  # fmt: skip
def test_the_best_come_first_and_ties_by_id(depth: int, expected: list[int]) -> None:
    """Chunks of equal score come in the order of their ids wherever the list is cut."""
    assert best(scored(0, 3, 9, 0, 3, 3, 0, 1), depth, None).tolist() == expected


def test_a_tie_at_the_cut_goes_to_the_lowest_ids() -> None:
    """Of a thousand equal chunks the first ones are listed, always the same."""
    scores = np.full(1000, 2, dtype=np.float32)
    scores[0] = 0
    scores[500] = 5
    assert best(scores, 4, None).tolist() == [500, 1, 2, 3]


def test_only_what_is_allowed_is_listed() -> None:
    """A chunk without a word is not listed even when it is allowed, nor one that is not allowed."""
    scores = scored(0, 3, 9, 0, 3, 3, 0, 1)
    assert best(scores, 9, ids(1, 3, 5, 6, 7)).tolist() == [1, 5, 7]
    assert best(scores, 2, ids(1, 3, 5, 6, 7)).tolist() == [1, 5]
    assert best(scores, 1, ids(4, 5)).tolist() == [4]
    assert best(scores, 9, ids(0, 3)).tolist() == []
    assert best(scores, 9, ids()).tolist() == []


def test_without_scores_nothing_is_listed() -> None:
    """A query without any known word has an empty list."""
    assert best(scored(0, 0, 0), 5, None).tolist() == []
    assert best(scored(0), 5, ids()).dtype == np.int64
