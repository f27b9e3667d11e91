"""One interface for each test, over a fresh file and with no settings but its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest

from tests.contract.interface import KINDS, Interface, Kind
from tests.contract.opening import Opener


@pytest.fixture(scope="module", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No settings of the machine's owner, and the embedder that loads no model."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("VSTASH_"):
                patch.delenv(name)
        patch.setenv("VSTASH_CONFIG", str(tmp_path_factory.getbasetemp() / "no-such-vstash.toml"))
        patch.setenv("VSTASH_MODEL", "fake")
        yield


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each of the interfaces in turn."""
    return cast("Kind", request.param)


@pytest.fixture(scope="module")
def later() -> Iterator[ExitStack]:
    """What is finished when all tests of a module are."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test's file will be."""
    return tmp_path / "memory.db"


@pytest.fixture
def opening(kind: Kind, later: ExitStack) -> Iterator[Opener]:
    """Opens files through the interface under test."""
    opener = Opener(kind, later)
    yield opener
    opener.close()


@pytest.fixture
def interface(opening: Opener, path: Path) -> Interface:
    """The interface under test over a fresh file."""
    return opening(path)
