"""BM25 over packed postings against scores computed by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from vstash.search.bm25 import BM25_B, BM25_K1, Term, best, bm25, term

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray, IdArray

Postings = tuple["IdArray", "NDArray[np.uint8]"]

# Three chunks of 4, 6 and 2 words with the ids 1, 2 and 4; there is no chunk 0 or 3.
LENGTHS = np.array([0, 4, 6, 0, 2], dtype=np.uint16)
COUNT = 3
MEAN = 4.0


def posting(**counts: int) -> Postings:
    """A word's chunks and counts: ``c2=3`` is three times in chunk 2."""
    ids = [int(name.removeprefix("c")) for name in counts]
    return np.array(ids, dtype=np.int64), np.array(list(counts.values()), dtype=np.uint8)


def terms(words: Sequence[Postings]) -> list[Term]:
    """What each word adds to its chunks."""
    return [term(chunks, counts, LENGTHS[chunks], MEAN) for chunks, counts in words]


def scores_of(words: Sequence[Postings], weights: Sequence[int]) -> FloatArray:
    """Scores of the three chunks, with gaps between them."""
    return bm25(terms(words), weights, size=len(LENGTHS), count=COUNT)


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
    scores = scores_of([amber, lamp], [1, 1])
    # ln(1 + (3 - df + .5) / (df + .5)): df 2 gives ln(1.6), df 1 gives ln(1 + 2.5 / 1.5).
    idf_amber, idf_lamp = math.log(1.6), math.log(8 / 3)
    # Norms: .9 * (.6 + .4 * 4 / 4) = .9 for chunk 1, .9 * (.6 + .4 * 6 / 4) = 1.08 for chunk 2.
    first = idf_amber * 1 * 1.9 / (1 + 0.9)
    second = idf_amber * 2 * 1.9 / (2 + 1.08) + idf_lamp * 1 * 1.9 / (1 + 1.08)
    assert scores.dtype == np.float32
    assert scores.tolist() == pytest.approx([0, first, second, 0, 0], rel=1e-6)
    assert first == pytest.approx(0.4700036, rel=1e-6)
    assert second == pytest.approx(1.4758244, rel=1e-6)


def test_a_word_adds_its_gain_to_each_of_its_chunks() -> None:
    """Without the idf: f * 1.9 / (f + .9 * (.6 + .4 * l / 4)), by chunk, in their order."""
    chunks, counts = posting(c4=5, c1=1, c2=2)
    found = term(chunks, counts, LENGTHS[chunks], MEAN)
    assert found.ids.tolist() == [4, 1, 2]
    # Norms: .9 * (.6 + .4 * 2 / 4) = .72 for chunk 4, .9 for chunk 1 and 1.08 for chunk 2.
    expected = [5 * 1.9 / 5.72, 1 * 1.9 / 1.9, 2 * 1.9 / 3.08]
    assert found.gains.tolist() == pytest.approx(expected, rel=1e-6)
    assert found.gains.dtype == np.float32


def test_a_word_asked_twice_counts_twice() -> None:
    """What a word adds is multiplied by how often the query has it."""
    words = [posting(c1=1, c2=2), posting(c4=5)]
    once, twice = scores_of(words, [1, 1]), scores_of(words, [2, 1])
    assert twice.tolist() == pytest.approx([0, 2 * once[1], 2 * once[2], 0, once[4]], rel=1e-6)


def test_a_shorter_chunk_and_more_occurrences_score_more() -> None:
    """At equal counts the shorter chunk wins; at equal lengths the one with more occurrences."""
    scores = scores_of([posting(c1=1, c2=1, c4=1)], [1])
    assert scores[4] > scores[1] > scores[2] > 0
    chunks, counts = posting(c1=1, c2=255)
    same = np.array([9, 9], dtype=np.uint16)
    scores = bm25([term(chunks, counts, same, 9.0)], [1], size=3, count=2)
    assert scores[2] > scores[1] > 0
    # The bound of what counts can bring is 1.9 times the idf.
    assert scores[2] < 1.9 * math.log(1.2)


def test_a_word_that_is_nowhere_changes_nothing() -> None:
    """No posting is no score, whatever it weighs, alone and beside another word."""
    assert scores_of([posting()], [4]).tolist() == [0] * 5
    assert scores_of([], []).tolist() == [0] * 5
    amber = posting(c1=1, c2=2)
    beside = scores_of([posting(), amber, posting()], [9, 1, 9])
    assert beside.tolist() == scores_of([amber], [1]).tolist()


def test_a_word_of_every_chunk_still_scores() -> None:
    """The idf is never negative, so a word that all chunks hold lists them all."""
    scores = scores_of([posting(c1=1, c2=1, c4=1)], [1])
    assert (scores[[1, 2, 4]] > 0).all()


def test_what_is_passed_in_is_not_changed() -> None:
    """Postings, lengths and terms are shared by every search."""
    chunks, counts = posting(c1=1, c2=2)
    lengths = LENGTHS[chunks]
    word = term(chunks, counts, lengths, MEAN)
    gains = word.gains.tolist()
    first = bm25([word, word], [1, 3], size=5, count=COUNT)
    again = bm25([word, word], [1, 3], size=5, count=COUNT)
    assert first.tolist() == again.tolist()
    assert lengths.tolist() == [4, 6]
    assert (chunks.tolist(), counts.tolist()) == ([1, 2], [1, 2])
    assert (word.ids.tolist(), word.gains.tolist()) == ([1, 2], gains)


def test_scores_reach_beyond_the_chunks_of_the_words() -> None:
    """There is a score for every id below the size, 0 for those that hold no word."""
    word = term(ids(1), np.array([1], dtype=np.uint8), LENGTHS[[1]], MEAN)
    scores = bm25([word], [1], size=1_000, count=COUNT)
    assert scores.shape == (1_000,)
    assert np.flatnonzero(scores).tolist() == [1]


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


@pytest.mark.parametrize("size", [1, 63, 64, 65, 640, 641, 5_000, 70_001])
@pytest.mark.parametrize("share", [0.0, 0.002, 0.3, 1.0])
def test_a_large_file_is_listed_like_a_small_one(size: int, share: float) -> None:
    """Whatever the number of chunks and of those with a score, the list is that of sorting all."""
    rng = np.random.default_rng(size)
    # Few distinct scores, so that there are ties at every cut.
    scores = rng.integers(1, 30, size).astype(np.float32)
    scores[rng.random(size) >= share] = 0
    allowed = np.flatnonzero(rng.random(size) < 0.5).astype(np.int64)
    for among in (None, allowed):
        listed = np.arange(size, dtype=np.int64) if among is None else among
        listed = listed[scores[listed] > 0]
        expected = listed[np.lexsort((listed, -scores[listed]))]
        for depth in (1, 10, 100, 1_000):
            found = best(scores, depth, among)
            assert found.tolist() == expected[:depth].tolist()
            assert found.dtype == np.dtype(np.int64)


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
