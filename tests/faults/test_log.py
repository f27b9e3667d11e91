"""kill -9 loses no logged search that was acknowledged as written."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX signal")


def test_no_acknowledged_search_is_lost() -> None:
    """What `flush_log` returned after is there after each kill; the control, without it, loses some."""
    # In a process of its own, since it forks.
    program = (
        "import json; from tests.faults.log_loop import measure; print(json.dumps(measure(4, 3)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["lost"], seen["findings"]) == (0, [])
    assert seen["acknowledged"] > 0
    assert seen["control_lost"] > 0
