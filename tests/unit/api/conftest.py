"""A running service for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.api.service import Service, running


@pytest.fixture(scope="module", autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VSTASH_CONFIG", str(tmp_path_factory.mktemp("none") / "none.toml"))
        yield


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """The service on an empty file."""
    with running(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def shared(_own_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service for tests that do not mind what others store."""
    with running(tmp_path_factory.mktemp("shared")) as started:
        yield started
