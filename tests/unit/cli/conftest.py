"""A file that does not exist yet, and notes to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.command import Vstash


@pytest.fixture
def vstash(tmp_path: Path) -> Vstash:
    """The command over a file that does not exist yet."""
    folder = tmp_path / "home"
    folder.mkdir()
    environment = {
        "VSTASH_DB": str(folder / "memory.db"),
        "VSTASH_MODEL": "fake",
        # Judged sets are kept there where no folder is named.
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "VSTASH_CONFIG": str(folder / "absent.toml"),
        "VSTASH_DEBUG": "",
    }
    return Vstash(folder, environment)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder of three notes and a file that is not read."""
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, text in (
        ("ports", "# Ports\n\nThe staging server listens on port 8090.\n"),
        ("tea", "# Tea\n\nAda prefers green tea in the morning.\n"),
        ("trains", "# Trains\n\nThe night train to Vienna leaves at ten.\n"),
    ):
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder
