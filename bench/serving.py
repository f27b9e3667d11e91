"""The service in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

__all__ = ["served"]


@contextmanager
def served(path: Path, port: int, log: Path | None = None, **settings: str) -> Iterator[int]:
    """Serve a file as ``vstash serve`` does, until the block ends.

    Args:
        path: The file.
        port: To listen on, on this machine.
        log: Where its log goes, None for nowhere.
        settings: Others, as text by the names of their variables.

    Yields:
        The number of the process, once it is ready.
    """
    environment = {**environ, "VSTASH_DB": str(path), "VSTASH_PORT": str(port), **settings}
    with Path(log or "/dev/null").open("w", encoding="utf-8") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "vstash", "serve"], env=environment, stderr=told
        )
        try:
            while not _ready(port):
                if process.poll() is not None:
                    raise SystemExit("vstash serve ended; run it by hand to see why")
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def _ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz"):
            return True
    except (URLError, ConnectionError):
        return False
