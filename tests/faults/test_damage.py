"""A damaged file gives named errors or findings, never a crash and never wrong text unseen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vstash import Memory, NewDocument

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the child forks")

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("damage_child.py")
CASES = [
    ("whole", 0),
    *(("flipped", seed) for seed in range(25)),
    *(("zeroed", seed) for seed in range(6)),
    *(("truncated", seed) for seed in range(6)),
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What became of every damaged copy."""
    base = tmp_path_factory.mktemp("damage")
    words = [
        "amber",
        "lamp",
        "basil",
        "leaf",
        "cedar",
        "door",
        "the",
        "port",
        "of",
        "the",
        "server",
        "is",
        "open",
    ]
    held = {
        f"key{number}": " ".join(words[(number * 5 + step) % 13] for step in range(30 + number * 9))
        for number in range(30)
    }
    with Memory(base / "whole.db", model="fake") as memory:
        memory.add_batch(
            [
                NewDocument(text, key=key, title=key, tags=["t"], metadata={"n": key})
                for key, text in held.items()
            ]
        )
        memory.feedback(memory.search("amber lamp").id, 1, "helpful")
    (base / "held.json").write_text(json.dumps(held), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(base), json.dumps(CASES)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "VSTASH_CONFIG": os.devnull},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_untouched_copy_has_no_findings(outcomes: list[dict[str, Any]]) -> None:
    """The control: the same trial on an undamaged copy gives no error and no finding."""
    assert outcomes[0] == {
        "kind": "whole",
        "seed": 0,
        "exit": 0,
        "typed": [],
        "untyped": [],
        "wrong": [],
        "found": [],
    }


def test_no_damage_crashes_the_process(outcomes: list[dict[str, Any]]) -> None:
    """Every trial ends by itself and has an answer."""
    assert [(case["kind"], case["seed"]) for case in outcomes if case["exit"]] == []


def test_every_error_is_one_of_ours(outcomes: list[dict[str, Any]]) -> None:
    """No operation on a damaged file lets anything escape that is not a VstashError."""
    escaped = [(case["kind"], case["seed"], case["untyped"]) for case in outcomes]
    assert [one for one in escaped if one[2]] == []


def test_wrong_text_is_never_unseen(outcomes: list[dict[str, Any]]) -> None:
    """Where a changed text can be read, the check had reported the file."""
    silent = [case for case in outcomes if case["wrong"] and case["found"] == []]
    assert silent == []


def test_damage_is_seen(outcomes: list[dict[str, Any]]) -> None:
    """A cut end is always noticed, and a lost page nearly always: some pages hold nothing."""
    unseen = [case["kind"] for case in outcomes[1:] if not case["typed"] and not case["found"]]
    assert unseen.count("truncated") == 0
    assert unseen.count("zeroed") <= 2
