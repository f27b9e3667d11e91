"""Jobs outlive their process: what was finished is there, and nobody waits for the dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX signal")

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("job_child.py")
FILES = 400


@dataclass(frozen=True)
class Served:
    """A process that serves a file."""

    process: subprocess.Popen[str]
    http: httpx.Client

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def get(self, address: str) -> Any:
        """What is read there."""
        answer = self.http.get(address)
        assert answer.is_success, answer.text
        return answer.json()

    def start(self, folder: Path) -> str:
        """Start an ingest and return its job's id."""
        answer = self.http.post("/v1/jobs", json={"kind": "ingest", "paths": [str(folder)]})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def findings(self) -> Any:
        """What the check finds."""
        return self.http.post("/v1/check").json()["findings"]

    @property
    def documents(self) -> int:
        """How many there are."""
        return int(self.get("/v1/stats")["documents"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """More files than a service is ahead of what it stored."""
    made = (tmp_path / "notes").resolve()
    made.mkdir()
    for number in range(FILES):
        (made / f"{number:03}.md").write_text(f"Note {number} says something.", encoding="utf-8")
    return made


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """The file that lets a service go on in the middle of its job."""
    return tmp_path / "gate"


@pytest.fixture
def serve(tmp_path: Path, folder: Path, gate: Path) -> Iterator[Callable[[], Served]]:
    """Starts processes that serve one file."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "VSTASH_CONFIG": os.devnull}
    with ExitStack() as stack:

        def start() -> Served:
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), str(tmp_path / "x.db"), str(folder), str(gate)],
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdout is not None
            address = stack.enter_context(process.stdout).readline().strip()
            client = httpx.Client(base_url=address, timeout=30, trust_env=False)
            return Served(process, stack.enter_context(client))

        yield start


def until(seen: Callable[[], bool]) -> None:
    """Wait for something that must happen."""
    end = time.monotonic() + 40
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_service_that_was_killed(serve: Callable[[], Served], folder: Path, gate: Path) -> None:
    """Its job is interrupted at once, its part is there whole, and a new job does the rest."""
    service = serve()
    job = service.start(folder)
    until(lambda: service.documents >= 64)
    service.kill()
    gate.touch()
    service = serve()
    shown = service.get(f"/v1/jobs/{job}")
    assert (shown["state"], shown["report"]) == ("interrupted", None)
    assert shown["finished"] >= shown["started"]
    stored = service.documents
    assert 64 <= stored < FILES
    assert service.findings() == []
    again = service.start(folder)
    until(lambda: service.get(f"/v1/jobs/{again}")["state"] == "done")
    report = service.get(f"/v1/jobs/{again}")["report"]
    assert (report["unchanged"], report["added"]) == (stored, FILES - stored)
    assert service.findings() == []
    assert service.get(f"/v1/jobs/{job}")["state"] == "interrupted"


def test_a_job_of_a_living_process(serve: Callable[[], Served], folder: Path, gate: Path) -> None:
    """The control: another service on the same file leaves it alone, shows it, and can stop it."""
    first = serve()
    job = first.start(folder)
    until(lambda: first.documents >= 64)
    second = serve()
    assert second.get(f"/v1/jobs/{job}")["state"] == "running"
    assert second.http.post(f"/v1/jobs/{job}:cancel").json()["state"] == "running"
    time.sleep(2)  # The sign of life with which the first hears of it comes every second.
    assert second.get(f"/v1/jobs/{job}")["state"] == "running"
    gate.touch()
    until(lambda: second.get(f"/v1/jobs/{job}")["state"] == "cancelled")
    shown = second.get(f"/v1/jobs/{job}")
    assert first.get(f"/v1/jobs/{job}") == shown
    assert 64 <= shown["report"]["added"] == second.documents < FILES
    assert second.findings() == []


def test_a_service_that_was_told_to_stop(
    serve: Callable[[], Served], folder: Path, gate: Path
) -> None:
    """It stops between two batches, says how far it came, and leaves what waits to the next."""
    service = serve()
    job, waiting = service.start(folder), service.start(folder)
    until(lambda: service.documents >= 64)
    service.process.send_signal(signal.SIGTERM)
    until(lambda: refused(service))
    time.sleep(0.5)  # From the last answer to the end of what it serves.
    gate.touch()
    assert service.process.wait(30) == 0
    service = serve()
    shown = service.get(f"/v1/jobs/{job}")
    assert shown["state"] == "interrupted"
    stored = shown["report"]["added"]
    assert 64 <= stored < FILES
    until(lambda: service.get(f"/v1/jobs/{waiting}")["state"] == "done")
    report = service.get(f"/v1/jobs/{waiting}")["report"]
    assert (report["unchanged"], report["added"]) == (stored, FILES - stored)
    assert service.findings() == []


def refused(service: Served) -> bool:
    """Whether it takes no more connections."""
    try:
        httpx.get(f"{service.http.base_url}/healthz", trust_env=False)
    except httpx.TransportError:
        return True
    return False
