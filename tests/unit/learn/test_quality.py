"""How good a triple is."""

from __future__ import annotations

import math
from typing import Any

import pytest

from vstash.learn.quality import Quality, quality, spread
from vstash.types import TripleKind


def scores(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Evidence as it is stored."""
    return {"positive": ours, "negative": theirs}


OURS = {"sure_rank": 1, "cosine": 0.5, "bm25": 8.0, "fused": 5.0}
THEIRS = {"cosine": 0.7, "bm25": 2.0, "fused": 2.0}


def looked(kind: TripleKind = "dense_blind_spot", **given: Any) -> Quality:
    """The quality of one triple, with what is given in place of the rest."""
    fields: dict[str, Any] = {
        "origin": "search",
        "evidence": scores(OURS, THEIRS),
        "said_of_positive": None,
        "said_of_negative": None,
        "deviation": 0.05,
    }
    return quality(kind, **(fields | given))


def test_by_hand() -> None:
    """Right half of the time at rank 1, wrong by the share of the fused score."""
    found = looked()
    assert found.evidence == pytest.approx(1 / 2 * (1 - 2 / 5))
    assert found.gradient == pytest.approx(1 / (1 + math.exp(-0.2 / 0.05)))
    assert found.margin == pytest.approx(1 - 2 / 8)
    assert found.worth == pytest.approx(found.evidence * found.gradient)
    assert found.false == 0.006


def test_the_other_kind() -> None:
    """Cosines in deviations, and less to learn where they are right already."""
    evidence = scores(OURS | {"cosine": 0.8}, THEIRS)
    found = looked("lexical_blind_spot", evidence=evidence)
    assert found.margin == pytest.approx(0.1 / 0.05)
    assert found.gradient == pytest.approx(1 / (1 + math.exp(0.1 / 0.05)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"origin": "made"}, 0.6),
        ({"origin": "labelled"}, 0.6),
        ({"said_of_positive": "helpful"}, 0.6),
        ({"said_of_positive": "cited"}, 0.6),
        ({"said_of_positive": "opened"}, 0.3),
        ({"said_of_positive": "not_helpful"}, 0.0),
        ({"origin": "made", "said_of_positive": "not_helpful"}, 0.0),
        ({"said_of_negative": "not_helpful"}, 0.5),
        ({"said_of_negative": "helpful"}, 0.0),
        ({"said_of_negative": "opened"}, 0.3),
        ({"evidence": scores(OURS | {"sure_rank": 3}, THEIRS)}, 0.15),
        ({"evidence": scores(OURS, THEIRS | {"fused": 9.0})}, 0.0),
        ({"evidence": scores(OURS, THEIRS | {"fused": -1.0})}, 0.5),
    ],
)
def test_what_evidence_depends_on(given: dict[str, Any], expected: float) -> None:
    """How the query was made, feedback, ranks, and scores."""
    assert looked(**given).evidence == pytest.approx(expected)


def test_what_is_missing_is_worth_nothing() -> None:
    """Evidence may come from an earlier version, or lack a cosine."""
    found = looked(evidence={})
    assert (found.evidence, found.gradient, found.worth) == (0.0, 0.0, 0.0)
    assert math.isnan(found.margin)
    without = looked(evidence=scores(OURS | {"cosine": None}, THEIRS))
    assert without.gradient == 0.0
    # Where no strategy `score` fused, the sure leg says it alone.
    ranked = looked(evidence=scores({"sure_rank": 1, "bm25": 8.0}, {"bm25": 2.0}))
    assert ranked.evidence == pytest.approx(1 / 2 * (1 - 2 / 8))


def test_spread() -> None:
    """Quantiles with what lies between them; NaN is left out."""
    found = spread([math.nan, 3.0, 1.0, 2.0])
    assert found is not None
    assert (found.mean, found.quantiles) == (2.0, (1.1, 1.5, 2.0, 2.5, 2.9))
    assert spread([math.nan]) is None
