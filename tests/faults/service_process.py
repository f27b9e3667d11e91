"""A service in a process of its own, at a port that stays when it is started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

import httpx

__all__ = ["ENVIRONMENT", "Served", "vstash"]

ROOT: Final = Path(__file__).resolve().parents[2]
ENVIRONMENT: Final = os.environ | {
    "PYTHONPATH": str(ROOT),
    "VSTASH_CONFIG": os.devnull,
    "VSTASH_MODEL": "fake",
    "OPENBLAS_NUM_THREADS": "1",
}
_PATIENCE_S: Final = 60


def vstash(*arguments: str) -> list[str]:
    """The command line that runs vstash."""
    return [sys.executable, "-m", "vstash", *arguments]


class Served:
    """A service on a file.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Served:  # noqa: PYI034 - Self needs Python 3.11
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self.process is not None:
            self.stop(signal.SIGKILL)

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def http(self, timeout_s: float = _PATIENCE_S) -> httpx.Client:
        """A client of it; several may be used at the same time."""
        return httpx.Client(base_url=self.address, timeout=timeout_s, trust_env=False)

    def start(self) -> float:
        """Start it and wait until it answers; returns the seconds."""
        begin = time.monotonic()
        self.process = subprocess.Popen(
            vstash("serve", "--db", str(self.path), "--port", str(self.port)),
            env=ENVIRONMENT,
            stderr=subprocess.DEVNULL,
        )
        with self.http() as http:
            while time.monotonic() - begin < _PATIENCE_S:
                assert self.process.poll() is None
                with suppress(httpx.TransportError):
                    if http.get("/readyz").is_success:
                        return time.monotonic() - begin
                time.sleep(0.01)
        message = "the service does not start"
        raise AssertionError(message)

    def stop(self, number: signal.Signals) -> int:
        """End it by a signal; returns its exit code."""
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(number)
        return process.wait(_PATIENCE_S)
