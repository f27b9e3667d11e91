"""kill -9 at any moment loses nothing that was acknowledged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX signal")

SCRIPT = Path(__file__).with_name("kill_loop.py")


def figures(*arguments: str) -> dict[str, Any]:
    """Run the loop in its own process, which forks the children that it kills."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_nothing_acknowledged_is_lost() -> None:
    """After 40 kills every acknowledged write is there whole, and text and indexes agree."""
    seen = figures("--kills", "40", "--seed", "7")
    assert seen["lost"] == []
    assert seen["findings"] == []
    assert seen["kills"] >= 25
    assert seen["acknowledged"] > 100
    assert seen["in_flight"] >= 10, "the kills missed the writes"
    assert seen["migrations"] == 4
    assert len(seen["done"]) >= 12, "not every operation came about"


def test_a_write_in_two_transactions_is_caught() -> None:
    """The control: text first and words later is found by the check after few kills."""
    seen = figures("--kills", "60", "--seed", "7", "--planted")
    assert {"words_missing", "vector_missing"} & set(seen["findings"]), seen
