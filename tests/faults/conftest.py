"""Running a script of this folder as a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def rights_child() -> Callable[..., Any]:
    """Runs rights_child.py; returns what it printed."""

    def run(work: str, folder: Path) -> Any:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("rights_child.py")), work, str(folder)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT), "VSTASH_CONFIG": os.devnull},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    return run


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach; the one of pytest belongs to its user alone."""
    made = Path(tempfile.mkdtemp(prefix="vstash-test-"))
    made.chmod(0o755)
    yield made
    for folder in (made, *made.rglob("*")):
        if folder.is_dir():
            folder.chmod(0o755)
    shutil.rmtree(made)
