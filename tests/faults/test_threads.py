"""Many threads on one Memory, in a process that a crash of SQLite would end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.faults.service_process import ENVIRONMENT

SCRIPT = Path(__file__).with_name("thread_child.py")
# What one thread is told when another was faster.
RACES = {
    "document_not_found",
    "precondition_failed",
    "collection_not_found",
    "chunk_not_found",
    "search_not_found",
}


def test_eight_threads_do_everything_until_it_is_closed(tmp_path: Path) -> None:
    """Nothing crashes or hangs, every error has a type, and the check is clean."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "x.db"), "1.5"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert not set(seen["told"]) - RACES
    assert (seen["alive"], seen["findings"]) == (0, [])
    assert len(seen["done"]) >= 8
