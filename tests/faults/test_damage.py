"""A damaged file gives named errors or findings, never a crash and never wrong text unseen; what is saved is true."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the child forks")

ROOT = Path(__file__).resolve().parents[2]
COUNT = 26


def measured(rows: Path) -> dict[str, Any]:
    """What became of two damaged copies of each kind."""
    command = ["-m", "tests.faults", "damage", "--count", str(COUNT), "--rows", str(rows)]
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        cwd=ROOT,
        env=os.environ | {"VSTASH_CONFIG": os.devnull},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(rows.read_text(encoding="utf-8"))
    return found


def test_damage_is_told_and_what_is_saved_is_true(tmp_path: Path) -> None:
    """No crash, no error but ours, no wrong text unseen; what a salvage calls whole is what was stored.

    The control, an undamaged copy, gives no error and no finding, and all of it is saved. (One test: all
    of it looks at the figures of one process.)
    """
    figures = measured(tmp_path / "rows.jsonl")
    nothing: dict[str, list[str]] = {
        name: [] for name in ("touched", "unlike", "typed", "untyped", "wrong", "found")
    }
    assert figures["control"] == {**nothing, "exit": 0, "saved": "ok", "whole": 30, "told": 0}
    assert figures["crashed"] == []
    assert figures["untyped"] == figures["salvage_untyped"] == []
    assert figures["silently_wrong"] == []
    assert figures["live"] >= 5
    assert figures["unseen"] == []
    assert figures["salvage_unlike"] == []
    # What changes one page costs few of the 30 documents; with its log a file has five more.
    for kind in ("flipped", "one_bit", "zeroed", "swapped", "stale", "foreign_page"):
        assert figures["whole_by_kind"][kind] > 20
    assert figures["whole_by_kind"]["shared_garbage"] == 35
