"""Folding, collapsing and MMR against values worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from vstash.search.diversity import chosen_by_mmr, collapsed, folded

if TYPE_CHECKING:
    from vstash.types import FloatArray, Mmr

# Angles between the first and the others: 0.8, 0, and of the second with the third 0.6.
VECTORS: FloatArray = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
RELEVANCE: FloatArray = np.array([10, 8, 5], dtype=np.float32)


def chosen(among: Mmr, trade: float, documents: str = "aab", k: int = 3) -> list[int]:
    """What MMR chooses of the three."""
    found = chosen_by_mmr(RELEVANCE, VECTORS, list(documents), k=k, among=among, trade=trade)
    return [int(place) for place in found]


@pytest.mark.parametrize(
    ("trade", "expected"),
    [
        # Relevance is 1, .6, 0. Second turn: .6 t - .8 (1 - t) against 0.
        (1.0, [0, 1, 2]),
        (0.6, [0, 1, 2]),  # .36 - .32 = .04
        (0.5, [0, 2, 1]),  # .30 - .40 = -.10
        (0.0, [0, 2, 1]),
    ],
)
def test_mmr_across_is_as_published(trade: float, expected: list[int]) -> None:
    """A chunk near one that was chosen waits once likeness weighs more than relevance."""
    assert chosen("across", trade) == expected


def test_mmr_within_compares_chunks_of_one_document_only() -> None:
    """The second is of the first's document, or it is not, and only then keeps its place."""
    assert chosen("within", 0.5, "aab") == [0, 2, 1]
    assert chosen("within", 0.5, "aba") == [0, 1, 2]


def test_mmr_takes_k_and_a_chunk_without_vector_is_like_nothing() -> None:
    """Zeros as a vector cost nothing, opposite vectors gain nothing, and no list is no choice."""
    assert chosen("across", 0.5, k=2) == [0, 2]
    vectors = np.array([[1, 0], [-1, 0], [0, 0]], dtype=np.float32)
    found = chosen_by_mmr(RELEVANCE, vectors, ["a", "b", "c"], k=3, among="across", trade=0.1)
    assert found.tolist() == [0, 1, 2]
    none = np.empty(0, dtype=np.float32)
    nobody = np.empty((0, 2), dtype=np.float32)
    assert chosen_by_mmr(none, nobody, [], k=3, among="across", trade=0.5).tolist() == []


def test_equal_scores_stay_in_their_order() -> None:
    """Where all are equally relevant and unlike, the list is as it was."""
    same = np.ones(3, dtype=np.float32)
    vectors = np.eye(3, dtype=np.float32)
    found = chosen_by_mmr(same, vectors, ["a"] * 3, k=3, among="across", trade=0.7)
    assert found.tolist() == [0, 1, 2]


def test_folding_goes_into_the_first_that_is_kept() -> None:
    """By text or by a cosine of .98; a folded one does not draw others after it."""
    near = [np.cos(0.18), np.sin(0.18)]  # .984 with the first
    far = [np.cos(0.36), np.sin(0.36)]  # .984 with that, .936 with the first
    vectors = np.array([[1, 0], near, far, [0, 1], [0, 0], [0, 0]], dtype=np.float32)
    texts = ["one", "two", "three", "one", "four", "four"]
    assert folded(vectors, texts).tolist() == [0, 0, 2, 0, 4, 4]


def test_a_text_that_went_away_with_its_chunk_draws_no_other() -> None:
    """What equals a folded chunk's text, but no kept one's, stays."""
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert folded(vectors, ["one", "two", "two"]).tolist() == [0, 0, 2]


def test_a_document_is_its_first_chunk() -> None:
    """Each chunk points to the best of its document."""
    assert collapsed(["b", "a", "b", "c", "a"]).tolist() == [0, 1, 0, 3, 1]
    assert collapsed([]).tolist() == []
