"""Relevance as a search tells it, with a model that was calibrated and without."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from vstash import Memory
from vstash.search.relevance import ABSTAIN_BELOW
from vstash.search.words import idf
from vstash.testing import FakeEmbedder
from vstash.types import Hit, ModelInfo, SearchResult

TEXTS = ("amber lamp", "the lamp of Ada", "cedar door and amber", "basil", "cedar amber lamp lamp")


class Calibrated(FakeEmbedder):
    """The fake model with a calibration of its own.

    Args:
        calibration: Six numbers, the intercept last.
    """

    def __init__(self, *calibration: float) -> None:
        super().__init__()
        self._calibration = calibration

    @property
    def info(self) -> ModelInfo:
        """With the calibration."""
        return replace(super().info, calibration=self._calibration)


def asked(
    path: Path, query: str, *calibration: float, texts: Sequence[str] = TEXTS
) -> SearchResult:
    """Search texts, each a document, by a model with this calibration."""
    with Memory(path, model=Calibrated(*calibration)) as memory:
        memory.add_many(list(texts), keys=list(texts))
        return memory.search(query, k=50, explain=True)


def logit(hit: Hit) -> float:
    """What the logistic function was applied to."""
    assert hit.relevance is not None
    return math.log(hit.relevance / (1 - hit.relevance))


def test_a_calibrated_model_says_so(tmp_path: Path) -> None:
    """Its own numbers are used: with the cosine alone and an intercept of -.25."""
    result = asked(tmp_path / "x.db", "amber lamp", 2.0, 0, 0, 0, 0, -0.25)
    assert result.calibrated
    for hit in result.hits:
        assert hit.vector_score is not None
        assert logit(hit) == pytest.approx(2 * hit.vector_score - 0.25, abs=1e-4)


def test_the_share_of_the_words(tmp_path: Path) -> None:
    """BM25 by the IDFs of the query's words as often as they are asked, also of those in no text."""
    result = asked(tmp_path / "x.db", "amber amber zebra", 0, 3.0, 0, 0, 0, 0)
    most = 2 * idf(5, 3) + idf(5, 0)
    for hit in result.hits:
        assert hit.keyword_score is not None
        assert logit(hit) == pytest.approx(3 * hit.keyword_score / most, abs=1e-4)


def test_a_query_without_a_word_has_no_share(tmp_path: Path) -> None:
    """Nothing is divided by zero."""
    result = asked(tmp_path / "x.db", "the of", 0, 3.0, 0, 0, 0, 1.0)
    assert [logit(hit) for hit in result.hits] == pytest.approx([1.0] * 5, abs=1e-4)


def test_the_lead(tmp_path: Path) -> None:
    """The first leads the second, which is of another document; others fall behind it, by 3 at most."""
    result = asked(tmp_path / "x.db", "amber lamp", 0, 0, 1.0, 0, 0, 0)
    scores = [hit.score for hit in result.hits]
    expected = [
        min(scores[0] - scores[1], 3.0),
        *(max(score - scores[0], -3.0) for score in scores[1:]),
    ]
    assert [logit(hit) for hit in result.hits] == pytest.approx(expected, abs=1e-3)


def test_the_agreement_of_a_new_collection(tmp_path: Path) -> None:
    """Is the usual one, .38."""
    result = asked(tmp_path / "x.db", "amber lamp", 0, 0, 0, 0, 5.0, 0)
    assert [logit(hit) for hit in result.hits] == pytest.approx([1.9] * 5, abs=1e-4)


def test_what_was_learnt_of_the_file_comes_first(tmp_path: Path) -> None:
    """It counts as calibrated, whether or not the model was."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add_many(list(TEXTS))
        assert not memory.search("amber").calibrated
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("INSERT INTO calibration VALUES (1, '[0, 0, 0, 0, 0, 0.5]', 9, 0)")
    with Memory(path, model="fake") as memory:
        result = memory.search("amber")
        assert result.calibrated
        assert [logit(hit) for hit in result.hits] == pytest.approx([0.5] * 5, abs=1e-4)


def test_abstaining_is_told_by_the_likeliest_of_the_best(tmp_path: Path) -> None:
    """Just below the limit no hit is likely, just above it one is."""
    limit = math.log(ABSTAIN_BELOW / (1 - ABSTAIN_BELOW))
    below = asked(tmp_path / "a.db", "amber", 0, 0, 0, 0, 0, limit - 0.01)
    assert below.abstained is not None
    assert below.abstained.startswith("unlikely: the best hit has a relevance of ")
    assert below.abstained.endswith(f"less than {ABSTAIN_BELOW:g}")
    assert len(below.hits) == 5
    assert asked(tmp_path / "b.db", "amber", 0, 0, 0, 0, 0, limit + 0.01).abstained is None


def test_a_hit_is_never_left_with_a_reason_to_abstain(tmp_path: Path) -> None:
    """What is relevant enough is a hit and no abstaining, also far behind the best by score."""
    rng = random.Random(4)
    words = [f"word{number}x" for number in range(30)]
    texts = [" ".join(rng.choices(words, k=6)) for _ in range(60)]
    path = tmp_path / "x.db"
    # By this model the farthest from the query are the most relevant.
    with Memory(path, model=Calibrated(-10.0, 0, 0, 0, 0, 0)) as memory:
        memory.add_many(texts)
        everything = memory.search("word3x word7x", k=60)
        first = max(hit.relevance or 0 for hit in everything.hits[:10])
        most = max(hit.relevance or 0 for hit in everything.hits)
        assert first < most
        middle = (first + most) / 2
        found = memory.search("word3x word7x", k=60, min_relevance=middle)
        assert found.hits
        assert found.abstained is None
        none = memory.search("word3x word7x", k=60, min_relevance=1)
        assert none.hits == ()
        assert none.abstained is not None
