"""Writes that are repeated because their connection was cut are applied once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults.cut_loop import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="linger is told otherwise there")

WRITES = 60


def test_every_write_is_applied_once(tmp_path: Path) -> None:
    """Sent several times each, the connection cut anywhere: all are there, none twice."""
    outcome = run(tmp_path, WRITES)
    assert outcome.attempts > 2 * WRITES
    assert (outcome.documents, outcome.once, outcome.findings) == (WRITES, WRITES, 0)


def test_without_a_key_some_are_applied_twice(tmp_path: Path) -> None:
    """The control: the same cuts leave repetitions in the file where nothing names a request."""
    outcome = run(tmp_path, WRITES, keyed=False)
    assert outcome.documents > WRITES
    assert outcome.findings == 0
