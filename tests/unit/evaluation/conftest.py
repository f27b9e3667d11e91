"""A judged set, and settings that load no model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.evaluation.sets import write_set
from vstash.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four documents, three queries, each with one relevant document."""
    return write_set(tmp_path / "tiny")


@pytest.fixture
def settings() -> Settings:
    """The embedder without a model."""
    return Settings(model="fake")
