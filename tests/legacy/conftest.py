"""Files that earlier schemas left."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parent


@pytest.fixture
def unpacked(tmp_path: Path) -> Callable[[int], tuple[Path, dict[str, Any]]]:
    """A copy of the file of a schema, and what it must hold."""

    def unpack(schema: int) -> tuple[Path, dict[str, Any]]:
        path = tmp_path / f"schema-{schema}.db"
        path.write_bytes(lzma.decompress((FOLDER / f"{path.name}.xz").read_bytes()))
        facts = lzma.decompress((FOLDER / f"schema-{schema}.json.xz").read_bytes())
        return path, json.loads(facts)

    return unpack
