"""Disagreement, and the triples that follow from it."""

from __future__ import annotations

import math

import pytest

from vstash.learn.triples import (
    LegScores,
    Masks,
    Mined,
    RawTriple,
    disagreement_at,
    mine,
    mine_known,
)
from vstash.types import LegEntry


@pytest.mark.parametrize(
    ("vector", "keyword", "k", "expected"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4], 4, 0.0),
        ([1, 2, 3, 4], [4, 3, 2, 1], 4, 0.0),
        ([1, 2, 3, 4], [5, 6, 7, 8], 4, 1.0),
        ([1, 2, 3, 4], [1, 9, 8, 2], 4, 1 - 2 / 4),
        ([1, 2, 3, 4], [3, 4, 1, 2], 2, 1.0),
        ([], [], 10, 0.0),
        ([1], [], 10, 1.0),
        ([1, 2], [1, 2], 10, 0.0),
        ([1, 2, 3, 4], [1], 10, 1 - 1 / 4),
    ],
)
def test_disagreement_by_hand(
    vector: list[int], keyword: list[int], k: int, expected: float
) -> None:
    """1 - common / k, where the longer list stands for k if both are shorter."""
    assert disagreement_at(vector, keyword, k) == pytest.approx(expected)
    assert disagreement_at(keyword, vector, k) == pytest.approx(expected)


def legs(
    vector: list[int], keyword: list[int], scores: dict[int, tuple[str, float, float]]
) -> list[RawTriple]:
    """Mine at depth 5 with .4 as the cosine of unrelated text; no two chunks are alike."""
    return list(mined(vector, keyword, scores, alike={}).triples)


def mined(
    vector: list[int],
    keyword: list[int],
    scores: dict[int, tuple[str, float, float]],
    *,
    alike: dict[frozenset[int], float],
) -> Mined:
    """The same, with what was passed over.

    Args:
        vector: Chunks of the vector leg.
        keyword: Chunks of the keyword leg.
        scores: Document, cosine and bm25 by chunk.
        alike: Cosines of pairs of chunks, others are not known.
    """
    known = {chunk: LegScores(*values) for chunk, values in scores.items()}
    return mine(
        [LegEntry(chunk, known[chunk].cosine) for chunk in vector],
        [LegEntry(chunk, known[chunk].bm25) for chunk in keyword],
        known,
        typical_cosine=0.4,
        likeness=lambda one, other: alike.get(frozenset({one, other}), math.nan),
        k=5,
    )


# Vectors list 1 to 5, of which 1 and 3 lack every word; keywords lead with 8, which vectors miss.
VECTORS = {
    1: ("a", 0.9, 0.0),
    2: ("b", 0.8, 1.0),
    3: ("c", 0.7, 0.0),
    4: ("d", 0.6, 1.0),
    5: ("e", 0.55, 1.0),
}


def test_a_dense_blind_spot() -> None:
    """The positive leads the keywords and vectors miss it; the negative leads vectors wordless."""
    scores = {**VECTORS, 8: ("z", 0.45, 9.0)}
    (found,) = legs([1, 2, 3, 4, 5], [8, 2, 4, 5], scores)
    assert (found.kind, found.positive, found.negative) == ("dense_blind_spot", 8, 1)
    assert found.evidence == {
        "positive": {"sure_rank": 1, "blind_rank": None, "cosine": 0.45, "bm25": 9.0},
        "negative": {"blind_rank": 1, "cosine": 0.9, "bm25": 0.0},
    }


def test_a_lexical_blind_spot() -> None:
    """The mirror image: vectors are sure, keywords miss it, the negative is unrelated by cosine."""
    scores = {
        7: ("p", 0.95, 0.0),
        1: ("a", 0.3, 9.0),
        2: ("b", 0.6, 8.0),
        **{number: (f"d{number}", 0.6, 5.0) for number in (3, 4, 5)},
    }
    (found,) = legs([7, 2, 3, 4, 1], [1, 2, 3, 4, 5], scores)
    assert (found.kind, found.positive, found.negative) == ("lexical_blind_spot", 7, 1)
    assert found.evidence["negative"] == {"blind_rank": 1, "cosine": 0.3, "bm25": 9.0}


def test_both_kinds_from_one_search() -> None:
    """One search may show a blind spot of each leg, and never two of one."""
    scores = {
        7: ("p", 0.95, 0.0),
        6: ("q", 0.94, 0.0),
        1: ("a", 0.2, 9.0),
        2: ("b", 0.3, 8.0),
    }
    found = legs([7, 6], [1, 2], scores)
    assert [(one.kind, one.positive, one.negative) for one in found] == [
        ("dense_blind_spot", 1, 7),
        ("lexical_blind_spot", 7, 1),
    ]


def test_agreement_gives_nothing() -> None:
    """Where both legs list the same chunks there is nothing to learn."""
    assert legs([1, 2, 3], [2, 1, 3], VECTORS) == []
    assert legs([], [], {}) == []


def test_only_the_first_three_are_sure() -> None:
    """A chunk that keywords put fourth is no positive."""
    scores = {**VECTORS, 8: ("z", 0.45, 1.0)}
    assert legs([1, 2, 3, 4, 5], [2, 4, 5, 8], scores) == []
    (found,) = legs([1, 2, 3, 4, 5], [2, 4, 8, 5], scores)
    assert found.evidence["positive"] == {
        "sure_rank": 3,
        "blind_rank": None,
        "cosine": 0.45,
        "bm25": 1.0,
    }


def test_a_rank_beyond_the_depth_is_blind() -> None:
    """A positive that the other leg lists below its first k counts as missed, rank told."""
    scores = {**VECTORS, 6: ("f", 0.5, 1.0), 8: ("z", 0.45, 9.0)}
    (found,) = legs([1, 2, 3, 4, 5, 6, 8], [8, 2, 4, 5], scores)
    positive = found.evidence["positive"]
    assert isinstance(positive, dict)
    assert positive["blind_rank"] == 7
    within = legs([1, 2, 3, 4, 8, 5, 6], [8, 2, 4, 5], scores)
    assert within == []


def test_a_passage_of_the_same_document_is_no_negative() -> None:
    """The next candidate of another document is taken, or none."""
    scores = {**VECTORS, 1: ("z", 0.9, 0.0), 8: ("z", 0.45, 9.0)}
    (found,) = legs([1, 2, 3, 4, 5], [8, 2, 4, 5], scores)
    assert found.negative == 3
    scores[3] = ("z", 0.7, 0.0)
    assert legs([1, 2, 3, 4, 5], [8, 2, 4, 5], scores) == []


def test_without_a_negative_there_is_no_triple() -> None:
    """Where every chunk of the vector leg has a word of the query, nothing is a dense negative."""
    scores = {number: (f"d{number}", 0.9, 1.0) for number in range(1, 6)}
    scores[8] = ("z", 0.45, 9.0)
    assert legs([1, 2, 3, 4, 5], [8, 1, 2, 3, 4, 5], scores) == []


def test_an_unknown_cosine_is_told_as_such() -> None:
    """A chunk without a vector has no cosine in the evidence; JSON has no NaN."""
    scores = {**VECTORS, 8: ("z", float("nan"), 9.0)}
    (found,) = legs([1, 2, 3, 4, 5], [8, 2, 4, 5], scores)
    positive = found.evidence["positive"]
    assert isinstance(positive, dict)
    assert positive["cosine"] is None


def test_near_duplicates_of_the_positive_are_passed_over() -> None:
    """The next best negative is taken; a bound below is none."""
    scores = {**VECTORS, 8: ("z", 0.45, 9.0)}
    given = ([1, 2, 3, 4, 5], [8, 2, 4, 5], scores)
    found = mined(*given, alike={frozenset({8, 1}): 0.95})
    assert [triple.negative for triple in found.triples] == [3]
    assert found.masked == {"near_duplicate": 1}
    below = mined(*given, alike={frozenset({8, 1}): 0.9499})
    assert [triple.negative for triple in below.triples] == [1]
    assert below.masked == {}


def test_a_negative_that_scores_nearly_as_high_is_passed_over() -> None:
    """Of a lexical blind spot the sure leg is that of vectors: 95 % of the positive's cosine is too much."""
    keyword = [11, 12, 13, 14, 15, 16]
    scores = {chunk: (f"k{chunk}", 0.35, 9.0) for chunk in keyword}
    scores |= {1: ("a", 0.41, 0.0), 2: ("b", 0.40, 0.0), 11: ("k11", 0.39, 9.0)}
    found = mined([1, 2], keyword, scores, alike={})
    lexical = [triple for triple in found.triples if triple.kind == "lexical_blind_spot"]
    assert [(each.positive, each.negative) for each in lexical] == [(1, 12)]
    assert found.masked["near_score"] == 1


def test_a_document_is_no_negative_of_itself_and_counted() -> None:
    """What the positive's own document has is passed over as such."""
    scores = {**VECTORS, 1: ("z", 0.9, 0.0), 8: ("z", 0.45, 9.0)}
    found = mined([1, 2, 3, 4, 5], [8, 2, 4, 5], scores, alike={})
    assert [triple.negative for triple in found.triples] == [3]
    assert found.masked == {"same_document": 1}


def test_both_legs_together_may_doubt_a_negative() -> None:
    """60 % of the positive's fused score is too much, just below is not; without one the legs decide."""
    scores = {
        number: LegScores(name, cosine, bm25, 6.0)
        for number, (name, cosine, bm25) in {**VECTORS, 8: ("z", 0.45, 9.0)}.items()
    }
    scores[1] = LegScores("a", 0.9, 0.0, 3.6)
    scores[3] = LegScores("c", 0.7, 0.0, 3.59)
    vector = [LegEntry(chunk, 0.5) for chunk in (1, 2, 3, 4, 5)]
    keyword = [LegEntry(chunk, 1.0) for chunk in (8, 2, 4, 5)]

    def found(masks: Masks) -> Mined:
        return mine(
            vector,
            keyword,
            scores,
            typical_cosine=0.4,
            likeness=lambda one, other: math.nan,
            k=5,
            masks=masks,
        )

    masked = found(Masks())
    assert [triple.negative for triple in masked.triples] == [3]
    assert masked.masked == {"near_score": 1}
    assert masked.triples[0].evidence["negative"] == {
        "blind_rank": 3,
        "cosine": 0.7,
        "bm25": 0.0,
        "fused": 3.59,
    }
    # The control: without this mask the best of vectors is taken.
    assert [triple.negative for triple in found(Masks(fused=math.nan)).triples] == [1]


def known(
    positives: set[int],
    vector: list[int],
    keyword: list[int],
    also: frozenset[str] = frozenset(),
) -> Mined:
    """Mine what is known at depth 3; chunks 1 to 9 are of documents a to i, with falling scores."""
    scores = {
        chunk: LegScores("abcdefghi"[chunk - 1], 0.9 - chunk / 20, 10.0 - chunk)
        for chunk in range(1, 10)
    }
    return mine_known(
        positives,
        [LegEntry(chunk, scores[chunk].cosine) for chunk in vector],
        [LegEntry(chunk, scores[chunk].bm25) for chunk in keyword],
        scores,
        likeness=lambda one, other: 1.0 if {one, other} == {1, 2} else math.nan,
        also=also,
        k=3,
    )


def test_a_known_answer_needs_one_leg_alone() -> None:
    """Whatever words the negative has: it is the first of the blind leg that no mask holds."""
    found = known({2}, [7, 8, 9], [2, 8, 9])
    assert [(each.kind, each.positive, each.negative) for each in found.triples] == [
        ("dense_blind_spot", 2, 7)
    ]
    mirrored = known({2}, [2, 8, 9], [7, 8, 9])
    assert [(each.kind, each.negative) for each in mirrored.triples] == [("lexical_blind_spot", 7)]


def test_a_known_answer_that_both_or_none_list_teaches_nothing() -> None:
    """Nor does one that the sure leg lists below the depth."""
    assert known({2}, [7, 2, 9], [2, 8, 9]).triples == ()
    assert known({2}, [7, 8, 9], [4, 5, 6]).triples == ()
    assert known({2}, [7, 8, 9], [4, 5, 6, 2]).triples == ()


def test_what_is_judged_relevant_is_no_negative() -> None:
    """It is counted, after all masks that know nothing of judgements."""
    found = known({2}, [1, 7, 8], [2, 5, 6], frozenset({"g"}))
    assert [each.negative for each in found.triples] == [8]
    assert found.masked == {"near_duplicate": 1, "judged": 1}


def test_several_known_answers() -> None:
    """Each gives its own triple; answers are told apart by their documents."""
    found = known({2, 3}, [7, 8, 9], [2, 3, 9], frozenset({"b", "c"}))
    assert [(each.positive, each.negative) for each in found.triples] == [(2, 7), (3, 7)]
