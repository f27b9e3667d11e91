"""The strategy score, compared with values worked out by hand and with plain arithmetic."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.search.candidate_rows import NAN, candidates
from vstash.search.fusion import Background, Candidates
from vstash.search.score import Scored, Surroundings, damping, score, standardised
from vstash.search.trust import UNKNOWN, Evidence, Experience
from vstash.types import Weights

if TYPE_CHECKING:
    from vstash.types import FloatArray

BACKGROUND = Background(0.5, 0.1)
# Standardised 4, 0 and 2. BM25 has the sum 12 and the squares 80; as 50 candidates: sqrt(80 / 50 - .24^2).
THREE = candidates((0.9, 4.0, 1, 2), (0.5, 8.0, 3, 1), (0.7, 0.0, 2, 0))
SPREAD = 1.2419339
VECTORS = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], dtype=np.float32)


def scored(
    among: Candidates = THREE,
    vectors: FloatArray = VECTORS,
    *,
    sample: FloatArray | None = None,
    experience: Experience = UNKNOWN,
    exact: tuple[float, ...] | None = None,
    words: int = 12,
) -> Scored:
    """Score against a background of mean .5 and deviation .1."""
    gains = np.zeros(len(among.ids)) if exact is None else np.array(exact)
    sampled = vectors[:0] if sample is None else sample
    around = Surroundings(BACKGROUND, vectors, sampled, experience)
    return score(among, around, gains.astype(np.float32), word_count=words)


def many(count: int, *, seed: int = 3) -> tuple[Candidates, FloatArray]:
    """Candidates of both legs in an order of their own, and their vectors."""
    rng = np.random.default_rng(seed)
    cosine, bm25 = rng.uniform(0.3, 0.9, count), rng.uniform(0.0, 9.0, count)
    vectors = rng.normal(size=(count, 8))
    made = Candidates(
        ids=np.arange(10, 10 + count, dtype=np.int64),
        cosine=cosine.astype(np.float32),
        bm25=bm25.astype(np.float32),
        vector_rank=(np.argsort(np.argsort(-cosine)) + 1).astype(np.int64),
        keyword_rank=(np.argsort(np.argsort(-bm25)) + 1).astype(np.int64),
    )
    return made, (vectors / np.linalg.norm(vectors, axis=1)[:, None]).astype(np.float32)


def test_each_part_by_hand() -> None:
    """(z + .4 z_c) / 1.4 + .4 * 1 * 1 * bm25 / spread, with z_c against the mean of the three best."""
    fused = scored().fused
    # Without feedback the scores are 4 + 1.6 / s, 3.2 / s and 2, their softmax 1, e^-2.7117, e^-3.2883.
    weights = (1.0, 0.0664244, 0.0373168)
    centre = (weights[0] + 0.6 * weights[2], weights[1] + 0.8 * weights[2])
    length = math.hypot(*centre)
    x, y = centre[0] / length, centre[1] / length
    feedback = [(cosine - 0.5) / 0.1 for cosine in (x, y, 0.6 * x + 0.8 * y)]
    assert fused.vector_part.tolist() == pytest.approx([4 / 1.4, 0, 2 / 1.4], abs=1e-5)
    assert fused.keyword_part.tolist() == pytest.approx([1.6 / SPREAD, 3.2 / SPREAD, 0], rel=1e-5)
    assert fused.feedback_part.tolist() == pytest.approx(
        [0.4 / 1.4 * value for value in feedback], rel=1e-4
    )
    assert fused.feedback_part.tolist() == pytest.approx([1.41599, -1.16070, 0.49246], abs=2e-4)
    assert fused.exact_part.tolist() == [0, 0, 0]
    assert fused.vector_normalised.tolist() == pytest.approx([4, 0, 2], abs=1e-5)
    assert fused.keyword_normalised.tolist() == pytest.approx([4 / SPREAD, 8 / SPREAD, 0], rel=1e-5)
    assert (fused.weights.vector, fused.weights.keyword) == pytest.approx((1 / 1.4, 0.4))
    assert (fused.damping, fused.trust) == (1.0, 1.0)


def test_the_background_of_feedback_is_that_of_the_sample() -> None:
    """Its mean is blended as that of the query's cosines; the deviation is blended with the query's."""
    # One candidate is all the feedback: the centre is its vector, its cosine with itself 1.
    one, alone = candidates((0.9, 0.0, 1, 0)), VECTORS[:1]
    sample = np.array([[0.2, math.sqrt(0.96)], [0.6, 0.8]] * 32, dtype=np.float32)
    # Mean .4 by 64 samples, which are believed whole; variance .04 and .01 count a half each.
    expected = 0.4 / 1.4 * (1 - 0.4) / math.sqrt((0.04 + 0.01) / 2)
    assert scored(one, alone, sample=sample).fused.feedback_part.tolist() == pytest.approx(
        [expected], rel=1e-5
    )


@pytest.mark.parametrize("words", [0, 1, 3, 12, 200])
def test_the_parts_add_up(words: int) -> None:
    """The score is the sum of four parts; the first two are weights times normalised scores."""
    among, vectors = many(60)
    exact = tuple(8.0 if place % 7 == 0 else 0.0 for place in range(60))
    fused = scored(among, vectors, exact=exact, words=words, sample=vectors[:20]).fused
    total = fused.vector_part + fused.keyword_part + fused.feedback_part + fused.exact_part
    assert fused.score.tolist() == total.tolist()
    assert fused.exact_part.tolist() == list(exact)
    assert np.abs(fused.feedback_part).min() > 0
    for part, weight, normalised in (
        (fused.vector_part, fused.weights.vector, fused.vector_normalised),
        (fused.keyword_part, fused.weights.keyword, fused.keyword_normalised),
    ):
        assert part.tolist() == pytest.approx((weight * normalised).tolist(), rel=1e-5)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        *((0, 2.0), (1, 2.0), (3, 2.0), (4, math.sqrt(3)), (12, 1.0)),
        *((13, math.sqrt(12 / 13)), (48, 0.5), (1200, 0.1)),
    ],
)
def test_damping_by_hand(words: int, expected: float) -> None:
    """min(2, sqrt(12 / words)), which the weight of keywords is multiplied by."""
    assert damping(words) == pytest.approx(expected)
    fused = scored(words=words).fused
    assert fused.damping == pytest.approx(expected)
    assert fused.weights.keyword == pytest.approx(0.4 * expected)


def test_trust_multiplies_the_weight_of_keywords() -> None:
    """A gap of 5.4, twice the usual, is a trust of 2^1.5; three candidates tell nothing more."""
    found = scored(experience=Experience(1, 5.4, 4.7, 0))
    assert found.fused.trust == pytest.approx(2**1.5)
    assert found.fused.weights.keyword == pytest.approx(0.4 * 2**1.5)
    assert (found.evidence, found.experience) == (None, Experience(1, 5.4, 4.7, 0))


def test_a_search_is_part_of_its_own_experience() -> None:
    """What it tells counts before it is fused."""
    among, vectors = many(40)
    found = scored(among, vectors)
    z = (among.cosine.astype(float) - 0.5) / 0.1
    bm25 = among.bm25.astype(float)
    wide = float(np.std([*bm25, *[0.0] * 10]))
    expected = Evidence(
        (max(bm25) - sorted(bm25)[-10]) / wide, max(z), int(z.argmax()) == int(bm25.argmax())
    )
    assert found.evidence is not None
    assert found.evidence.gap == pytest.approx(expected.gap, rel=1e-5)
    assert found.evidence.best == pytest.approx(expected.best, rel=1e-5)
    assert found.evidence.agreed == expected.agreed
    assert found.experience == UNKNOWN.after(found.evidence)
    assert found.fused.trust == found.experience.trust != 1


def test_a_chunk_that_awaits_its_vector_counts_as_unrelated() -> None:
    """Its words count in full, its vector neither for nor against it, and nothing is fed back of it."""
    among = candidates((0.9, 4.0, 1, 2), (NAN, 8.0, 0, 1), (0.7, 0.0, 2, 0))
    vectors = VECTORS * np.array([[1], [0], [1]], dtype=np.float32)
    fused = scored(among, vectors).fused
    assert fused.score[1] == fused.keyword_part[1] == pytest.approx(3.2 / SPREAD)
    assert np.isfinite(fused.score).all()
    # The other two are fed back alone: 4 + 1.6 / s and 2 weigh 1 and e^-(2 + 1.6 / s).
    weight = math.exp(-(2 + 1.6 / SPREAD))
    centre = (1 + 0.6 * weight, 0.8 * weight)
    cosine = centre[0] / math.hypot(*centre)
    assert fused.feedback_part[0] == pytest.approx(0.4 / 1.4 * (cosine - 0.5) / 0.1, rel=1e-4)


def test_without_any_vector_the_words_decide() -> None:
    """Nothing is fed back, the vectors' weight is whole, and such a search tells nothing of trust."""
    rows = [(NAN, float(30 - place), 0, place + 1) for place in range(30)]
    found = scored(candidates(*rows), np.zeros((30, 2), dtype=np.float32))
    assert found.fused.weights.vector == 1
    assert found.fused.score.tolist() == found.fused.keyword_part.tolist()
    assert found.fused.feedback_part.tolist() == [0] * 30
    assert (found.evidence, found.experience) == (None, UNKNOWN)


def test_without_any_word_the_vectors_decide() -> None:
    """The weight of keywords is 0 and nothing is divided by zero."""
    rows = [(0.9 - place / 100, 0.0, place + 1, 0) for place in range(30)]
    found = scored(candidates(*rows), np.tile(VECTORS[:1], (30, 1)))
    assert found.fused.weights == Weights(1 / 1.4, 0.0)
    assert found.fused.keyword_part.tolist() == [0] * 30
    assert found.evidence is None
    assert found.fused.score.argsort().tolist() == list(range(29, -1, -1))


def test_no_candidates_give_no_scores() -> None:
    """An empty union is scored without an error."""
    found = scored(candidates(), VECTORS[:0])
    assert found.fused.score.shape == (0,)
    assert (found.evidence, found.experience) == (None, UNKNOWN)


def test_best_hits_without_a_direction_feed_nothing_back() -> None:
    """Two opposite vectors of equal score have no mean direction."""
    among = candidates((0.6, 0.0, 1, 0), (0.6, 0.0, 2, 0))
    fused = scored(among, np.array([[1, 0], [-1, 0]], dtype=np.float32)).fused
    assert fused.score.tolist() == pytest.approx([1, 1], abs=1e-5)
    assert fused.weights.vector == 1


def test_deeper_legs_say_the_same() -> None:
    """Asked for more than 50, the spread, the evidence and so the weights stay what they were."""
    among, vectors = many(40)
    more, further = many(90, seed=9)
    more = replace(
        more,
        ids=more.ids + 100,
        cosine=more.cosine - np.float32(0.2),
        bm25=more.bm25 * 3,
        vector_rank=more.vector_rank + 50,
        keyword_rank=np.where(more.keyword_rank % 2, 0, more.keyword_rank + 50),
    )
    both = Candidates(
        *(
            np.concatenate([getattr(among, name), getattr(more, name)])
            for name in ("ids", "cosine", "bm25", "vector_rank", "keyword_rank")
        )
    )
    shallow, deep = scored(among, vectors), scored(both, np.concatenate([vectors, further]))
    assert deep.evidence == shallow.evidence
    assert deep.fused.weights == shallow.fused.weights
    assert deep.fused.keyword_normalised[:40].tolist() == shallow.fused.keyword_normalised.tolist()


def test_what_no_leg_lists_says_nothing_of_the_spread() -> None:
    """A candidate by an exact term alone does not change the weights of the others."""
    among = candidates((0.9, 4.0, 1, 2), (0.5, 8.0, 3, 1), (0.7, 0.0, 2, 0), (0.1, 40.0, 0, 0))
    fused = scored(among, np.concatenate([VECTORS, VECTORS[:1]]), exact=(0, 0, 0, 8)).fused
    assert fused.keyword_normalised.tolist() == pytest.approx(
        [4 / SPREAD, 8 / SPREAD, 0, 40 / SPREAD], rel=1e-5
    )


def test_an_exact_match_is_fed_back() -> None:
    """The chunk that holds the term leads the feedback: its own direction gains, others lose."""
    plain, exact = scored().fused, scored(exact=(0, 16, 0)).fused
    assert exact.exact_part.tolist() == [0, 16, 0]
    assert exact.feedback_part[1] > 0 > plain.feedback_part[1]
    assert exact.score.argmax() == 1


def test_equal_scores_feed_back_by_id() -> None:
    """Of four equal candidates the three with the lowest ids are fed back."""
    among = candidates(*[(0.9, 0.0, rank, 0) for rank in (1, 2, 3, 4)])
    vectors = np.eye(4, dtype=np.float32)
    part = scored(among, vectors).fused.feedback_part
    third = 0.4 / 1.4 * (math.sqrt(1 / 3) - 0.5) / 0.1
    assert part.tolist() == pytest.approx([third] * 3 + [0.4 / 1.4 * -5], rel=1e-4)


def test_standardised_by_hand() -> None:
    """Deviations from the mean, 0 where there is no vector."""
    cosine = np.array([0.5, 0.7, NAN, 0.2], dtype=np.float32)
    assert standardised(cosine, BACKGROUND).tolist() == pytest.approx([0, 2, 0, -3], abs=1e-5)
