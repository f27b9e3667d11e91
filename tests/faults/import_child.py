"""Imports exports until it is killed; the parent is test_import_kill.py."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from vstash import Memory
from vstash.pipeline.incoming import Incoming


def imported(memory: Memory, whole: bytes) -> None:
    """Import, and rest a while after each batch, which is when most kills come."""
    memory.import_documents([whole], progress=lambda _: time.sleep(0.005))


def planted(memory: Memory, whole: bytes) -> None:
    """The control: half of each text first, all of it later."""
    model = memory.stats().model
    incoming = Incoming([whole], memory.settings, (model.dimension, model.sha256))
    for arrived in incoming.documents():
        memory.add(arrived.prepared.text[:20], key=arrived.key)
        time.sleep(0.001)
    imported(memory, whole)


def main() -> None:
    """Do what the first argument says with a file and an export."""
    work = {"imported": imported, "planted": planted}[sys.argv[1]]
    whole = Path(sys.argv[3]).read_bytes()
    with Memory(sys.argv[2], model="fake") as memory:
        print("begins", flush=True)
        work(memory, whole)


if __name__ == "__main__":
    main()
