"""Explanations: numbers that add up, and a sentence that says the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.search.candidate_rows import NAN, candidates
from vstash.search.explain import explain
from vstash.search.fusion import Fused, by_ranks, one_leg
from vstash.types import Explanation, MatchedWord, Mode, StrategyName, Weights

IDFS = {"port": 2.0, "amber": 3.0, "lamp": 3.0, "absent": 9.0}
PRESENT = {"title": {"amber", "other"}, "heading": {"lamp"}, "body": {"port", "lamp", "amber"}}


def scored(*, damping: float = 1.0, trust: float = 1.0) -> Fused:
    """Two candidates as the strategy score might see them."""
    return Fused(
        vector_part=np.array([1.5, 0.0], dtype=np.float32),
        keyword_part=np.array([0.0, 1.0], dtype=np.float32),
        feedback_part=np.array([0.25, -0.5], dtype=np.float32),
        exact_part=np.array([0.0, 4.0], dtype=np.float32),
        vector_normalised=np.array([2.0, 0.0], dtype=np.float32),
        keyword_normalised=np.array([0.0, 2.5], dtype=np.float32),
        weights=Weights(0.75, 0.4),
        damping=damping,
        trust=trust,
    )


def explained(
    position: int,
    mode: Mode = "hybrid",
    strategy: StrategyName = "score",
    *,
    damping: float = 1.0,
    trust: float = 1.0,
    exact: tuple[str, ...] = (),
) -> tuple[Explanation, float]:
    """Explain one of two candidates; returns its score too."""
    vectors, words = mode != "keyword", mode != "vector"
    two = candidates(
        (0.75 if vectors else NAN, 0.0, int(vectors), 0),
        (0.25 if vectors else NAN, 6.0, 2 * vectors, int(words)),
    )
    if mode != "hybrid":
        fused = one_leg(mode, two)
    elif strategy == "score":
        fused = scored(damping=damping, trust=trust)
    else:
        fused = by_ranks(two, Weights(0.5, 0.5))
    found = explain(
        position,
        two,
        fused,
        mode=mode,
        strategy=strategy,
        idfs=IDFS,
        present=PRESENT,
        exact=exact,
    )
    return found, float(fused.score[position])


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
@pytest.mark.parametrize("strategy", ["score", "rrf", "adaptive-rrf"])
def test_the_parts_add_up_to_the_score(position: int, mode: Mode, strategy: StrategyName) -> None:
    """In every mode and strategy the four parts are the score of the hit."""
    found, score = explained(position, mode, strategy)
    total = found.vector_part + found.keyword_part + found.feedback_part + found.exact_part
    assert total == pytest.approx(score, rel=1e-6)
    assert (found.feedback_part != 0) == (mode == "hybrid" and strategy == "score")


def test_each_part_is_that_of_the_candidate() -> None:
    """So are the normalised scores; damping and trust are those of the search."""
    found, _ = explained(1, damping=0.5, trust=1.25, exact=("E-9",))
    assert (found.vector_part, found.keyword_part) == (0.0, 1.0)
    assert (found.feedback_part, found.exact_part) == (-0.5, 4.0)
    assert (found.vector_normalised, found.keyword_normalised) == (0.0, 2.5)
    assert (found.damping, found.trust, found.exact) == (0.5, 1.25, ("E-9",))


def test_matched_words_come_rarest_first() -> None:
    """Words of the query that occur, by falling IDF and then by name, each with where it occurs."""
    found, _ = explained(1)
    assert found.matched == (
        MatchedWord("amber", 3.0, ("title", "body")),
        MatchedWord("lamp", 3.0, ("heading", "body")),
        MatchedWord("port", 2.0, ("body",)),
    )


def test_what_moved_a_weight_of_nothing_is_not_told() -> None:
    """Where no word occurs, neither the length of the query nor other searches matter."""
    fused = replace(scored(damping=2.0, trust=1.25), weights=Weights(0.75, 0.0))
    two = candidates((0.75, 0.0, 1, 0), (0.25, 0.0, 2, 0))
    found = explain(0, two, fused, mode="hybrid", strategy="score", idfs={}, present={}, exact=())
    assert found.why == (
        "Number 1 by vectors, not listed by keywords; score weighs vectors 0.75 and keywords 0.00."
    )


def test_what_was_not_asked_is_none() -> None:
    """A leg that was not asked has no normalised score."""
    assert explained(1, "vector")[0].keyword_normalised is None
    assert explained(1, "keyword")[0].vector_normalised is None
    assert explained(0)[0].vector_normalised == 2.0
    assert explained(1)[0].keyword_normalised == 2.5


def test_a_chunk_without_a_vector_has_no_cosine_to_normalise() -> None:
    """NaN is shown as nothing."""
    one = candidates((NAN, 2.0, 0, 1))
    fused = replace(
        by_ranks(one, Weights(0.5, 0.5)), vector_normalised=np.array([NAN], dtype=np.float32)
    )
    found = explain(0, one, fused, mode="hybrid", strategy="rrf", idfs={}, present={}, exact=())
    assert found.vector_normalised is None


BOTH = "Number 2 by vectors, number 1 by keywords (amber, lamp, port); "
WEIGHTS = "score weighs vectors 0.75 and keywords 0.40"


@pytest.mark.parametrize(
    ("position", "mode", "options", "sentence"),
    [
        (0, "vector", {}, "Number 1 by vectors."),
        (1, "keyword", {}, "Number 1 by keywords (amber, lamp, port)."),
        (1, "hybrid", {}, f"{BOTH}{WEIGHTS}."),
        (
            *(0, "hybrid", {}),
            f"Number 1 by vectors, not listed by keywords (amber, lamp, port); {WEIGHTS}.",
        ),
        (
            *(1, "hybrid", {"strategy": "rrf"}),
            f"{BOTH}rrf weighs vectors 0.50 and keywords 0.50.",
        ),
        (
            *(1, "hybrid", {"damping": 0.5}),
            f"{BOTH}{WEIGHTS}; 0.50 times the usual for a long query.",
        ),
        (
            *(1, "hybrid", {"damping": 2.0, "trust": 1.25, "exact": ("E-9", "x_y")}),
            (
                f"{BOTH}{WEIGHTS}; 2.00 times the usual for a short query; 1.25 times by the "
                "collection's other searches; to the letter: E-9, x_y."
            ),
        ),
    ],
)
def test_the_sentence(position: int, mode: Mode, options: dict[str, object], sentence: str) -> None:
    """The sentence names both ranks, the words, the weights and what moved them."""
    assert explained(position, mode, **options)[0].why == sentence  # type: ignore[arg-type] # a table
