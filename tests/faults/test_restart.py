"""A service that stops and starts again under load loses nothing and applies nothing twice."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.faults.restart_loop import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def test_restarts_under_load(tmp_path: Path) -> None:
    """Every acknowledged write is there once, whether the service was told to stop or killed."""
    seen = run(tmp_path, 2, stops=(signal.SIGTERM, signal.SIGKILL))
    assert (seen.lost, seen.twice, seen.findings) == (0, 0, 0)
    assert seen.acknowledged > 20
    assert seen.attempts > seen.acknowledged, "nobody met a stopped service"
    assert seen.exit_codes == {"0": 1, "-9": 1}


def test_without_keys_and_patience_some_are_there_twice(tmp_path: Path) -> None:
    """The control: who repeats what may have been applied, and has no key, writes it twice."""
    seen = run(tmp_path, 1, stops=(signal.SIGKILL,), keyed=False, patient=False)
    assert seen.twice > 0
    assert (seen.lost, seen.findings) == (0, 0)
