"""What a job may read: checked when it is asked for, and again when it is worked on."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vstash.errors import FieldError, PathForbiddenError, PathNotFoundError
from vstash.pipeline.files import checked_paths, resolved
from vstash.pipeline.safe_files import ConfinedFiles, Files, is_ours

__all__ = ["checked_roots"]

_MAX_PATH_BYTES: Final = 4_096
_MAX_NAME_BYTES: Final = 255


def checked_roots(
    store: Path, paths: Sequence[str | os.PathLike[str]], within: Sequence[str] | None
) -> tuple[Files, list[Path]]:
    """Where an ingest starts, and what looks at files for it.

    Args:
        store: The vstash file.
        paths: As they were asked for.
        within: The folders to stay below, None for no bounds.

    Returns:
        The paths are absolute, without links, and exist.

    Raises:
        FieldError: When a path is malformed.
        PathForbiddenError: When one is outside, is reached by a link, or is no file or folder.
        PathNotFoundError: When there is nothing.
    """
    if within is None:
        return Files(store), resolved(paths)
    names = checked_paths(paths)
    for position, name in enumerate(names):
        _check_form(name, f"/paths/{position}")
    if not within:
        raise PathForbiddenError(
            "This service reads no files: the setting `ingest_roots` names the folders whose files "
            "may be ingested over HTTP, and it is empty.",
            pointer="/paths",
        )
    files = ConfinedFiles(store, within)
    return files, [
        _confined(files, store, name, f"/paths/{position}") for position, name in enumerate(names)
    ]


def _check_form(name: str, pointer: str) -> None:
    parts = name.rstrip("/").split("/")[1:]
    if not Path(name).is_absolute() or {"", ".", ".."} & set(parts):
        raise FieldError(
            "A path is absolute here, and written without `.`, `..` and empty parts.",
            pointer=pointer,
        )
    longest = max((len(os.fsencode(part)) for part in parts), default=0)
    if longest > _MAX_NAME_BYTES or len(os.fsencode(name)) > _MAX_PATH_BYTES:
        raise FieldError("The path is too long.", pointer=pointer)


def _confined(files: ConfinedFiles, store: Path, name: str, pointer: str) -> Path:
    path = files.below(name)
    if path is None:
        raise PathForbiddenError(
            "This path is not below a folder of the setting `ingest_roots`.", pointer=pointer
        )
    try:
        mode = files.status(path).st_mode
    except FileNotFoundError as error:
        raise PathNotFoundError(
            "There is no such file or folder.", pointer=pointer, local_detail=name
        ) from error
    except OSError as error:
        raise _forbidden(pointer) from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or is_ours(path, store):
        raise _forbidden(pointer)
    return path


def _forbidden(pointer: str) -> PathForbiddenError:
    return PathForbiddenError(
        "This is neither a file nor a folder, is reached by a link, or is not to be read by anybody.",
        pointer=pointer,
    )
