"""What goes on for long leaves nothing behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults.soak_loop import WAL_LIMIT, flat, open_and_close, slow_reader, soak

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process holds")


def test_all_operations_for_a_while(tmp_path: Path) -> None:
    """Descriptors, threads, memory and the log stay as they were, and all is there."""
    seen = soak(tmp_path, 0, seed=5, least=120)
    assert flat(seen) == {"descriptors": True, "threads": True, "rss": True, "wal": True}
    assert (seen.differs, seen.findings) == ([], [])


def test_a_leak_is_seen(tmp_path: Path) -> None:
    """The control: a connection and some memory kept each time are found after fewer."""
    assert not flat(soak(tmp_path, 0, seed=5, least=60, leaking=True))["descriptors"]


def test_opening_and_closing(tmp_path: Path) -> None:
    """Twenty rounds leave no descriptor and no thread, and hardly any memory."""
    seen = open_and_close(tmp_path, 20)
    assert seen["descriptors"][-1] <= seen["descriptors"][2]
    assert seen["threads"][-1] <= seen["threads"][2]
    assert seen["rss_mb"][-1] - seen["rss_mb"][5] < 8


def test_a_slow_reader(tmp_path: Path) -> None:
    """The log grows under a snapshot that is kept, and is cut again once it is given back."""
    seen = slow_reader(tmp_path, 60)
    assert seen["with_reader"] > 1.5 * seen["without_reader"]
    assert seen["with_reader"] * 2**20 < WAL_LIMIT
    assert seen["after"] == 0
