"""What every benchmark row says about where it was measured."""

from __future__ import annotations

import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

__all__ = ["append_row", "machine"]

_LIBRARIES = ("vstash", "apsw", "sqlite-vec", "onnxruntime", "tokenizers", "numpy")


def machine() -> dict[str, object]:
    """Processor, cores, Python and the versions that decide speed and quality."""
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def append_row(path: Path, row: dict[str, object]) -> None:
    """Append one JSON line with the machine's description to a results file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**machine(), **row}, ensure_ascii=False) + "\n")
