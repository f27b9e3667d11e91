"""The code of docs/backup.md is run, and prints what stands there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.unit.test_readme import ROOT, environment, run_blocks

__all__ = ["environment"]

PAGE = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="as the other pages")


def test_the_code_prints_what_stands_there(tmp_path: Path, environment: dict[str, str]) -> None:
    """The block of Python, and the block after it."""
    found = re.search(r"^```python\n(.*?)^```\n\n^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert run_blocks([found[1]], tmp_path, environment) == [found[2]]
