"""Whatever is done to a file in whatever order, it holds what a dictionary would."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.faults.model_loop import FileAgainstDictionary, words_kept

FileAgainstDictionary.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestFileAgainstDictionary = FileAgainstDictionary.TestCase


def test_a_store_that_keeps_words_diverges() -> None:
    """The control: a delete that forgets one index is found."""
    assert len(words_kept()) == 1
