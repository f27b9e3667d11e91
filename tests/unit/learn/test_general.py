"""General questions: different ones, whose answers are told apart by vectors."""

from __future__ import annotations

import numpy as np
import pytest

from vstash.learn.general import general_questions, scored


def test_questions() -> None:
    """No question and no answer comes twice, and no question is answered in its own words."""
    questions = general_questions()
    assert len({each.query for each in questions}) == len(questions) == 150
    assert len({each.passage for each in questions}) == 150
    assert len({each.topic for each in questions}) == 30
    assert not any(each.query.casefold() in each.passage.casefold() for each in questions)


def test_scored() -> None:
    """1 where the own answer is first, 1 / log2(3) where one is before it, 0 beyond the tenth."""
    passages = np.eye(12, dtype=np.float32)
    np.testing.assert_allclose(scored(passages, passages), 1.0)
    second = passages.copy()
    second[0] += 2 * passages[1]
    assert scored(second, passages)[0] == pytest.approx(1 / np.log2(3))
    assert scored(passages[::-1].copy() - passages, passages)[0] == 0.0
