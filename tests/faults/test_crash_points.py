"""A crash between any two steps of a write leaves the old state or the new one."""

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
SCRIPT = Path(__file__).with_name("crash_child.py")
PUTS = ("put:text", "put:end")
ADDS = ("finish:chunks", "finish:words")
ENDS = ("finish:postings", "finish:vectors", "commit")
CASES = [
    *((work, point, 1) for work in ("added", "replaced") for point in (*PUTS, *ADDS, *ENDS)),
    *(("in_batch", point, 2) for point in PUTS),
    *(("in_batch", point, 1) for point in (*ADDS, *ENDS)),
    ("deleted", "delete:chunks", 1),
    *(("deleted", point, 1) for point in ENDS),
    *(("emptied", "delete:chunks", nth) for nth in (1, 2)),
    *(("emptied", point, 1) for point in ("delete:collection", *ENDS)),
    *(("for_later", point, 1) for point in (*PUTS, *ADDS, *ENDS)),
    *(("embedded", point, 1) for point in ENDS),
    *(("judged", "judge:end", nth) for nth in (1, 2)),
    # The first commit is the log's.
    ("judged", "commit", 2),
    *(("repeatable", point, 1) for point in (*PUTS, "reply:end", *ADDS, *ENDS)),
    *(("calibrated", point, 1) for point in ("calibrate:end", "commit")),
]
NEVER = [
    (work, "no such point", 1)
    for work in (
        *("added", "replaced", "in_batch", "deleted", "for_later", "embedded", "judged"),
        *("calibrated", "repeatable", "emptied"),
    )
]
PLANTED = ("planted", "no such point", 1)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, int], Any]:
    """What every case left behind, from one process that forks a child for each."""
    cases = [*CASES, *NEVER, PLANTED]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path_factory.mktemp("crash")), json.dumps(cases)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "VSTASH_CONFIG": os.devnull},
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(cases, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_a_crash_leaves_the_old_state(
    outcomes: dict[tuple[str, str, int], Any], case: tuple[str, str, int]
) -> None:
    """The process ends before the commit, so the file is as it was, and agrees with itself."""
    assert outcomes[case] == {"exit": 9, "state": "old", "found": [], "searched": True}


@pytest.mark.parametrize("case", NEVER, ids=lambda case: str(case[0]))
def test_without_a_crash_the_new_state_is_there(
    outcomes: dict[tuple[str, str, int], Any], case: tuple[str, str, int]
) -> None:
    """A control: the same work without a crash gives the new state, so old is not the default."""
    assert outcomes[case] == {"exit": 0, "state": "new", "found": [], "searched": True}


def test_a_crash_between_two_transactions_is_seen(
    outcomes: dict[tuple[str, str, int], Any],
) -> None:
    """The control: text and words written in two transactions are found apart."""
    seen = outcomes[PLANTED]
    assert seen["exit"] == 9
    assert {"words_missing", "vector_missing"} <= set(seen["found"])
