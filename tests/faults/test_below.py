"""Faults below SQLite: power cuts, failing calls, full disks, too little memory. docs/faults.md tells of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import ROOT

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="they fork, limit memory and mount, as Linux does"
)


def measured(fault: str, folder: Path, *, count: int) -> Any:
    """Run one fault in a process of its own, which forks; returns its row."""
    rows = folder / "rows.jsonl"
    command = [sys.executable, "-m", "tests.faults", fault, "--count", str(count)]
    done = subprocess.run(
        [*command, "--seed", "7", "--rows", str(rows)],
        cwd=ROOT,
        env=os.environ | {"VSTASH_CONFIG": os.devnull},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(rows.read_text(encoding="utf-8"))


@pytest.mark.timeout(240)
def test_a_power_cut_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """With full durability all is there, with normal no file is damaged; without syncs files are."""
    row = measured("power", tmp_path, count=20)
    full, normal, control = row["full"], row["normal"], row["control"]
    assert full["cuts"] == 20
    assert (full["corrupt"], full["lost"]) == (0, 0), full
    assert normal["corrupt"] == 0, normal
    assert normal["lost"] > 0, "the cuts missed what was not yet synced"
    assert full["in_flight"] > 3
    assert control["corrupt"] > 3, control


@pytest.mark.timeout(240)
def test_a_failing_disk_leaves_all_or_nothing(tmp_path: Path) -> None:
    """Whatever call fails, a write is there or absent, and repeated it is there once."""
    row = measured("io", tmp_path, count=4)
    for kind, seen in row["kinds"].items():
        assert seen["wrong"] == 0, (kind, seen)
        assert seen["runs"] >= 4
    assert sum(seen["with_errors"] for seen in row["kinds"].values()) > 20
    assert any("words_missing" in each for each in row["control"]["wrong_how"]), row["control"]


@pytest.mark.timeout(240)
def test_a_full_disk_refuses_writes_and_nothing_else(tmp_path: Path) -> None:
    """However it is full, reads go on, nothing is lost, and with room writes go on by themselves."""
    row = measured("full", tmp_path, count=1)
    for way in ("disk", "size", "pages", "call"):
        if way == "disk" and row[way] is None:
            # Only root may mount one; the limit on the size of files stands for it.
            continue
        assert row[way]["wrong"] == [], (way, row[way])
        assert row[way]["refused"] > 0, way
    service = {name: row["service"][name] for name in ("refused", "code", "search", "list")}
    assert service == {"refused": 507, "code": "store_full", "search": 200, "list": 200}
    assert (row["service"]["again"], row["service"]["lost"]) == (201, 0)
    assert row["service"]["findings"] == 0
    assert row["control"]["wrong"], "what acknowledges a refused write was not caught"


@pytest.mark.timeout(240)
def test_too_little_memory_damages_nothing(tmp_path: Path) -> None:
    """Whatever the limit, there is an error or the work is done, and the file is whole."""
    row = measured("memory", tmp_path, count=10)
    assert row["wrong"] == 0, row
    assert sum(row["errors"].values()) > 3
    assert row["control"]["wrong"] > 0, row["control"]
