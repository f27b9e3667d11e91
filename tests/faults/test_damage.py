"""A damaged file gives named errors or findings, never a crash and never wrong text unseen; what is saved is true."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="the child forks"),
    # All look at what one process found.
    pytest.mark.xdist_group("damage"),
]

ROOT = Path(__file__).resolve().parents[2]
COUNT = 26


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of two damaged copies of each kind."""
    rows = tmp_path_factory.mktemp("rows") / "rows.jsonl"
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


def test_an_untouched_copy_has_no_findings(figures: dict[str, Any]) -> None:
    """The control: the same trial on an undamaged copy gives no error, no finding, and all is saved."""
    nothing: dict[str, list[str]] = {
        name: [] for name in ("touched", "unlike", "typed", "untyped", "wrong", "found")
    }
    assert figures["control"] == {**nothing, "exit": 0, "saved": "ok", "whole": 30, "told": 0}


def test_no_damage_crashes_the_process(figures: dict[str, Any]) -> None:
    """Every trial ends by itself and has an answer."""
    assert figures["crashed"] == []


def test_every_error_is_one_of_ours(figures: dict[str, Any]) -> None:
    """No operation on a damaged file, nor its salvage, lets anything escape that is not a VstashError."""
    assert figures["untyped"] == figures["salvage_untyped"] == []


def test_wrong_text_is_never_unseen(figures: dict[str, Any]) -> None:
    """Where a changed text can be read, the check had reported the file."""
    assert figures["silently_wrong"] == []


def test_damage_of_what_is_in_use_is_seen(figures: dict[str, Any]) -> None:
    """The check or an error tells it, but for the log of searches, which nothing else in the file tells."""
    assert figures["live"] >= 5
    assert figures["unseen"] == []


def test_what_is_saved_is_what_was_stored(figures: dict[str, Any]) -> None:
    """Every document that a salvage calls whole has its text, and the source is not changed."""
    assert figures["salvage_unlike"] == []
    # What changes one page costs few of the 30 documents; with its log a file has five more.
    for kind in ("flipped", "one_bit", "zeroed", "swapped", "stale", "foreign_page"):
        assert figures["whole_by_kind"][kind] > 20
    assert figures["whole_by_kind"]["shared_garbage"] == 35
