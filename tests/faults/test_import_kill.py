"""kill -9 in the middle of an import leaves whole documents, and importing again completes it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.generated_documents import generated_documents
from vstash import Memory

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX signal")

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("import_child.py")
DOCUMENTS = 2_000


@dataclass(slots=True)
class Seen:
    """What a number of kills left behind."""

    between: int = 0
    broken: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    incomplete: int = 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An export of two thousand documents."""
    path = tmp_path_factory.mktemp("exported") / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add_batch(generated_documents(DOCUMENTS))
        return b"".join(memory.export())


def killed(work: str, path: Path, export: Path, after_s: float) -> None:
    """Begin to import, and kill the process after a while."""
    child = subprocess.Popen(
        [sys.executable, str(SCRIPT), work, str(path), str(export)],
        stdout=subprocess.PIPE,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "VSTASH_CONFIG": os.devnull, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"begins\n"
        time.sleep(after_s)
        child.kill()
        child.wait()


def run(folder: Path, whole: bytes, work: str, *, kills: int) -> Seen:
    """Kill imports into fresh files at random moments, look, and import again."""
    export = folder / "whole.ndjson"
    export.write_bytes(whole)
    known = set(whole.splitlines()[1:-1])
    rng, seen = random.Random(5), Seen()
    for number in range(kills):
        path = folder / f"{number}.db"
        killed(work, path, export, rng.uniform(0.02, 0.35))
        with Memory(path, model="fake") as memory:
            held = b"".join(memory.export()).splitlines()[1:-1]
            seen.between += 0 < len(held) < DOCUMENTS
            seen.broken += [line[:60].decode() for line in held if line not in known]
            seen.findings += [finding.code for finding in memory.check().findings]
            memory.import_documents([whole])
            seen.incomplete += b"".join(memory.export()) != whole
        if seen.broken:
            break
    return seen


def test_a_killed_import_leaves_whole_documents(tmp_path: Path, whole: bytes) -> None:
    """Each as it was exported; to import again gives the whole export, byte by byte."""
    seen = run(tmp_path, whole, "imported", kills=6)
    assert (seen.broken, seen.findings, seen.incomplete) == ([], [], 0)
    assert seen.between >= 3, "the kills missed the imports"


def test_an_import_in_two_steps_is_caught(tmp_path: Path, whole: bytes) -> None:
    """The control: documents that are completed later are seen to be incomplete."""
    assert run(tmp_path, whole, "planted", kills=4).broken
