"""Files that earlier schemas left."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest


@pytest.fixture
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the file that the test's module names as FILE, unpacked."""
    copied = tmp_path / "old.db"
    copied.write_bytes(lzma.decompress(request.module.FILE.read_bytes()))
    return copied
