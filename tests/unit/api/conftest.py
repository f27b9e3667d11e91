"""A running service for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.api.service import Service, running


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VSTASH_CONFIG", str(tmp_path / "none.toml"))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """The service on an empty file."""
    with running(tmp_path) as started:
        yield started
