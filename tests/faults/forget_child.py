"""Forget a document and stop dead at a named point; a child process of the tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from vstash.pipeline.engine import open_engine


def main() -> None:
    """Forget the document with a key; end without a chance to tidy up the n-th time at the point."""
    path, key, point, times = sys.argv[1:]
    left = int(times)

    def crash(name: str) -> None:
        nonlocal left
        if name == point:
            left -= 1
            if left == 0:
                os._exit(9)

    engine = open_engine(Path(path), model="fake", crash_point=crash)
    engine.forgetting.forget(key=key)
    os._exit(0)


if __name__ == "__main__":
    main()
