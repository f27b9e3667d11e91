"""Explanations: numbers that add up, and a sentence that says the same."""

from __future__ import annotations

import numpy as np
import pytest

from vstash.search.explain import explain
from vstash.search.fusion import Background, Candidates, fuse
from vstash.search.words import QueryWords
from vstash.types import Explanation, MatchedWord, Mode, StrategyName

IDFS = {"port": 2.0, "amber": 3.0, "lamp": 3.0, "absent": 9.0}


def explained(
    position: int, mode: Mode = "hybrid", strategy: StrategyName = "score", *, words: int = 3
) -> tuple[Explanation, float]:
    """Explain one of two candidates; returns its score too."""
    nan = float("nan")
    candidates = Candidates(
        ids=np.array([4, 9], dtype=np.int64),
        cosine=np.array([nan, nan] if mode == "keyword" else [0.75, 0.25], dtype=np.float32),
        bm25=np.array([0.0, 6.0], dtype=np.float32),
        vector_rank=np.array([0, 0] if mode == "keyword" else [1, 2], dtype=np.int64),
        keyword_rank=np.array([0, 0] if mode == "vector" else [0, 1], dtype=np.int64),
    )
    fused = fuse(
        mode,
        strategy,
        candidates,
        words=QueryWords(("x",) * words, tuple(IDFS)),
        frequencies=(5, 2, 2, 0),
        chunk_count=100,
        background=Background(0.25, 0.25),
    )
    found = explain(
        position,
        candidates,
        fused,
        mode=mode,
        strategy=strategy,
        idfs=IDFS,
        present={"port", "lamp", "amber", "other"},
    )
    return found, float(fused.score[position])


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
@pytest.mark.parametrize("strategy", ["score", "rrf", "adaptive-rrf"])
def test_the_parts_add_up_to_the_score(position: int, mode: Mode, strategy: StrategyName) -> None:
    """In every mode and strategy the two parts are the score of the hit."""
    found, score = explained(position, mode, strategy)
    assert found.vector_part + found.keyword_part == pytest.approx(score, rel=1e-6)


def test_matched_words_come_rarest_first() -> None:
    """Words of the query that occur, by falling IDF and then by name; absent ones are not there."""
    found, _ = explained(1)
    assert found.matched == (
        MatchedWord("amber", 3.0),
        MatchedWord("lamp", 3.0),
        MatchedWord("port", 2.0),
    )


def test_what_was_not_asked_is_none() -> None:
    """A leg that was not asked has no normalised score."""
    assert explained(1, "vector")[0].keyword_normalised is None
    assert explained(1, "keyword")[0].vector_normalised is None
    assert explained(1)[0].vector_normalised == pytest.approx(0.0)
    assert explained(1)[0].keyword_normalised == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("position", "mode", "words", "sentence"),
    [
        (0, "vector", 3, "Number 1 by vectors."),
        (1, "keyword", 3, "Number 1 by keywords (amber, lamp, port)."),
        (
            *(1, "hybrid", 3),
            (
                "Number 2 by vectors, number 1 by keywords (amber, lamp, port); score weighs vectors "
                "1.00 and keywords 2.00."
            ),
        ),
        (
            *(0, "hybrid", 48),
            (
                "Number 1 by vectors, not listed by keywords (amber, lamp, port); score weighs vectors "
                "1.00 and keywords 1.00; keywords damped to 0.50 in a long query."
            ),
        ),
    ],
)
def test_the_sentence(position: int, mode: Mode, words: int, sentence: str) -> None:
    """The sentence names both ranks, the words, the weights and the damping."""
    assert explained(position, mode, words=words)[0].why == sentence
