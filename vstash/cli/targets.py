"""Writing lines to a new file, whole or not at all, or to standard output."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vstash.cli.output import json_line, out, out_json, printable
from vstash.cli.render import counted
from vstash.errors import PathNotFoundError, RequestError, StoreIOError

if TYPE_CHECKING:
    from vstash.cli.options import Common

__all__ = ["ndjson_line", "require_file_for_json", "show_written", "write_lines"]

# Ends of the names of the files that SQLite keeps for one database.
_OF_SQLITE: Final = ("", "-wal", "-shm", "-journal")


def require_file_for_json(common: Common, target: str) -> None:
    """Refuse standard output where --json promises one document there."""
    if common.as_json and target == "-":
        raise RequestError("This prints JSON Lines, not the one document of --json: name a file.")


def ndjson_line(value: object) -> bytes:
    """A value as one line of JSON."""
    return json_line(value).encode("utf-8") + b"\n"


def write_lines(lines: Iterable[bytes], target: str, db: Path, *, force: bool | None = None) -> int:
    """Write lines to a file that only its owner can read, or to standard output for ``-``.

    The file appears when it is whole and on the disk.

    Args:
        lines: Each with its end.
        target: The file.
        db: The vstash file, which is never written over.
        force: Replace a file that exists; None where the command never does.

    Returns:
        How many lines were written.

    Raises:
        RequestError: When the file exists.
        PathNotFoundError: When its folder does not.
        StoreIOError: When it cannot be written.
    """
    if target == "-":
        written = 0
        for line in lines:
            click.echo(line, nl=False)
            written += 1
        return written
    path = Path(target)
    _require_free(path, db, force=force)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        written = _written(lines, part)
        part.replace(path)
        _sync_folder(path.parent)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PathNotFoundError(
            "The folder to write to does not exist.", local_detail=str(path.parent)
        ) from error
    except OSError as error:
        raise StoreIOError(
            "The file to write to cannot be written.", local_detail=f"{target}: {error.strerror}"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return written


def show_written(common: Common, count: int, target: str, thing: str = "line") -> None:
    """Say how much was written to a file."""
    if target == "-":
        return
    if common.as_json:
        out_json({"exported": count, "path": target})
    else:
        out(f"exported {counted(count, thing)} to {printable(target)}")


def _require_free(path: Path, db: Path, *, force: bool | None) -> None:
    beside = (
        path.name in {db.name + end for end in _OF_SQLITE}
        and path.parent.resolve() == db.parent.resolve()
    )
    if beside or (path.exists() and path.samefile(db)):
        raise RequestError("This is the vstash file itself: name another.", local_detail=str(path))
    if os.path.lexists(path) and not force:
        way_out = "name a new one." if force is None else "name a new one, or add --force."
        raise RequestError(f"The file to write to exists: {way_out}", local_detail=str(path))


def _written(lines: Iterable[bytes], part: Path) -> int:
    count = 0
    # Stored text is private: readable by its owner alone, like the vstash file itself.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        for line in lines:
            stream.write(line)
            count += 1
        stream.flush()
        os.fsync(stream.fileno())
    return count


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
