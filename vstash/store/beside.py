"""What SQLite keeps beside a file, looked at by path alone: no descriptor is opened."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["BESIDE", "log_bytes", "total_bytes"]

BESIDE: Final = ("-wal", "-shm", "-journal")
"""What the names of such files add to that of the file."""


def log_bytes(path: Path) -> int:
    """Size of a file's write-ahead log, 0 without one."""
    with suppress(OSError):
        return path.with_name(f"{path.name}-wal").stat().st_size
    return 0


def total_bytes(path: Path) -> int:
    """Size of a file and its write-ahead log."""
    return (path.stat().st_size if path.exists() else 0) + log_bytes(path)
