"""Joining two lists into one set in which every score is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from vstash.search.candidates import complete, order

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray


def ids(*numbers: int) -> IdArray:
    """Chunk ids as an array."""
    return np.array(numbers, dtype=np.int64)


def scores(*numbers: float) -> FloatArray:
    """Scores as an array."""
    return np.array(numbers, dtype=np.float32)


def dense(**by_id: float) -> FloatArray:
    """Scores by chunk id up to 40, 0 where none is given."""
    made = np.zeros(41, dtype=np.float32)
    for name, score in by_id.items():
        made[int(name.removeprefix("c"))] = score
    return made


def test_a_chunk_of_one_leg_gets_its_true_score_from_the_other() -> None:
    """The union is by id, ranks are those of the lists, and no score is invented."""
    found = complete(
        ids(30, 10),
        ids(20, 30),
        ids(),
        (ids(10, 20, 30), scores(0.5, 0.2, 0.9)),
        dense(c10=1, c20=7, c30=3),
    )
    assert found.ids.tolist() == [10, 20, 30]
    assert found.cosine.tolist() == pytest.approx([0.5, 0.2, 0.9])
    assert found.bm25.tolist() == [1, 7, 3]
    assert found.vector_rank.tolist() == [2, 0, 1]
    assert found.keyword_rank.tolist() == [0, 1, 2]


def test_a_chunk_without_any_word_scores_zero() -> None:
    """What the keyword index does not know has BM25 0, not NaN."""
    found = complete(ids(1, 2), ids(), ids(), (ids(1, 2), scores(1, 0.5)), dense())
    assert found.bm25.tolist() == [0, 0]
    assert found.keyword_rank.tolist() == [0, 0]


def test_an_exact_match_is_a_candidate_that_no_leg_lists() -> None:
    """It has no rank, its true scores all the same, and those that a leg lists stay one candidate."""
    found = complete(
        ids(3), ids(9), ids(3, 5), (ids(3, 5, 9), scores(0.3, 0.5, 0.9)), dense(c5=2, c9=4)
    )
    assert found.ids.tolist() == [3, 5, 9]
    assert found.cosine.tolist() == pytest.approx([0.3, 0.5, 0.9])
    assert found.bm25.tolist() == [0, 2, 4]
    assert found.vector_rank.tolist() == [1, 0, 0]
    assert found.keyword_rank.tolist() == [0, 0, 1]


def test_some_candidates_keep_every_column() -> None:
    """Chosen by position, in the order asked for."""
    found = complete(ids(1, 2), ids(2), ids(), (ids(1, 2), scores(0.1, 0.2)), dense(c2=3))
    some = found.at(ids(1))
    assert (some.ids.tolist(), some.bm25.tolist()) == ([2], [3])
    assert (some.vector_rank.tolist(), some.keyword_rank.tolist()) == ([2], [1])
    assert some.cosine.tolist() == pytest.approx([0.2])
    assert found.at(ids()).ids.tolist() == []


def test_without_vectors_there_is_no_cosine() -> None:
    """In keyword mode the cosine is unknown, which is NaN and not 0."""
    found = complete(ids(), ids(5, 4), ids(), None, dense(c4=1, c5=2))
    assert found.ids.tolist() == [4, 5]
    assert np.isnan(found.cosine).all()
    assert found.bm25.tolist() == [1, 2]
    assert found.keyword_rank.tolist() == [2, 1]
    assert found.vector_rank.tolist() == [0, 0]


def test_scores_of_strangers_are_passed_over() -> None:
    """Scores of chunks outside the union change nothing."""
    found = complete(ids(2), ids(), ids(), (ids(1, 2, 3), scores(0.1, 0.2, 0.3)), dense(c2=2, c9=9))
    assert found.ids.tolist() == [2]
    assert found.cosine.tolist() == pytest.approx([0.2])
    assert found.bm25.tolist() == [2]


def test_a_chunk_beyond_the_scores_has_none() -> None:
    """A chunk that is newer than the scores by words counts as one without any word."""
    found = complete(ids(3, 1), ids(1), ids(), (ids(1, 3), scores(0.1, 0.2)), scores(0, 5, 0))
    assert found.ids.tolist() == [1, 3]
    assert found.bm25.tolist() == [5, 0]


def test_nothing_is_the_union_of_nothing() -> None:
    """Two empty lists give an empty set."""
    found = complete(ids(), ids(), ids(), (ids(), scores()), scores())
    assert found.ids.shape == (0,)


@pytest.mark.parametrize(
    ("k", "expected"),
    [(1, [2]), (2, [2, 0]), (3, [2, 0, 1]), (4, [2, 0, 1, 3]), (99, [2, 0, 1, 3])],
)
def test_the_best_come_first_and_ties_by_id(k: int, expected: list[int]) -> None:
    """Positions in the order of score, equal scores in the order of id."""
    assert order(ids(7, 8, 9, 10), scores(1, 1, 2, 1), k).tolist() == expected
    # The same set in another order gives the same chunks.
    mixed = ids(10, 9, 8, 7)
    assert mixed[order(mixed, scores(1, 2, 1, 1), k)].tolist() == [
        ids(7, 8, 9, 10)[position] for position in expected
    ]
