"""Copies of a file at one consistent moment."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

import apsw

from vstash.errors import StoreCorruptError
from vstash.store.connection import create_file, open_reader
from vstash.store.faults import translated

__all__ = ["copied"]

_PATIENCE_S: Final = 5.0


def copied(source: Path, target: Path) -> None:
    """Copy a file that others may have open, and check the copy.

    Args:
        source: A file of ours, whatever its schema.
        target: Where nothing is yet; it appears when it is whole.

    Raises:
        StoreError: When the file cannot be read, or the copy not be written or is not sound.
    """
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    create_file(part)
    try:
        with (
            translated(),
            closing(open_reader(source, busy_timeout_s=_PATIENCE_S, immutable=False)) as reader,
            closing(apsw.Connection(str(part))) as copy,
        ):
            with copy.backup("main", reader, "main") as backup:
                backup.step()
            rows = copy.execute("PRAGMA integrity_check(1)").fetchall()
        if rows != [("ok",)]:
            raise StoreCorruptError("The copy is damaged, as is the file: see `vstash salvage`.")
        part.replace(target)
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            part.with_name(part.name + ending).unlink(missing_ok=True)
