"""Small disks in memory, on a system and for a user that may have them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["mount", "mounted"]


def mount(disk: Path, options: str, *more: str) -> bool:
    """Mount a disk in memory, or mount it again; whether that can be done here."""
    program = shutil.which("mount")
    if program is None:
        return False
    command = [program, "-t", "tmpfs", "-o", options, *more, "tmpfs", str(disk)]
    return not subprocess.run(command, capture_output=True, check=False).returncode


@contextmanager
def mounted(disk: Path, options: str) -> Iterator[bool]:
    """Make a folder a disk in memory for as long as the block lasts; gives whether it is one."""
    disk.mkdir(exist_ok=True)
    done = mount(disk, options)
    try:
        yield done
    finally:
        if done:
            subprocess.run(["umount", str(disk)], check=True)
