"""The commands and the code of docs/api.md are run against a service."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.unit.test_readme import PORT, ROOT, environment, run_blocks, served, shell

__all__ = ["environment"]

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="the page's commands are for a POSIX shell"
)


def block(language: str) -> str:
    """The one fenced block of a language."""
    (body,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(body)


def commands() -> list[str]:
    """The lines of the shell block, those that go on joined, without the services elsewhere."""
    lines = re.sub(r"\\\n\s*", "", block("sh")).splitlines()
    here = [line for line in lines if line.startswith("export ") or f":{PORT}/" in line]
    assert len(here) == len(lines) - 2
    return here


def test_every_command_is_answered(tmp_path: Path, environment: dict[str, str]) -> None:
    """Each as it stands there, but for the port and the folder; none is answered with a problem."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "a.txt").write_text("The staging server listens on port 8090.", encoding="utf-8")
    export, *rest = commands()
    with served(tmp_path, {**environment, "VSTASH_INGEST_ROOTS": str(notes)}) as lines:
        port = lines.splitlines()[0].rpartition(":")[2]
        for command in rest:
            here = command.replace(PORT, port).replace("/srv/notes", str(notes))
            printed = shell(f"{export}; {here}", tmp_path, environment)
            assert printed or "--output" in command
            assert not printed or "code" not in json.loads(printed), f"{command}\n{printed}"
        run_blocks([block("python").replace(PORT, port)], tmp_path, environment)
    assert (tmp_path / "notes.ndjson").read_text(encoding="utf-8").count("\n") >= 3
