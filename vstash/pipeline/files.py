"""Finding the files to ingest: folders walked, .gitignore respected, nothing read yet."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

from vstash.errors import FieldError, MediaTypeError, PathNotFoundError

if TYPE_CHECKING:
    from vstash.pipeline.safe_files import Entry, Files

__all__ = ["FoundFile", "checked_ignore", "checked_paths", "found_files", "is_folder", "resolved"]

_IGNORE_FILE = ".gitignore"
_MAX_IGNORE_BYTES = 1_048_576
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that an ingest came across.

    Attributes:
        path: Absolute and resolved.
        size: Bytes.
        mtime_ns: Modification time.
        named: Whether the caller named it, so that it must not be passed over in silence.
        problem: Why it cannot be read, empty when nothing is known.
    """

    path: Path
    size: int
    mtime_ns: int
    named: bool
    problem: str = ""

    @property
    def key(self) -> str:
        """The document's key: the absolute resolved path with forward slashes."""
        return self.path.as_posix()


def checked_paths(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Paths as text that can be a key.

    Raises:
        FieldError: When one is empty, holds a NUL character, or is not UTF-8.
    """
    found = []
    for given in paths:
        path = os.fspath(given) if isinstance(given, str | os.PathLike) else ""
        if not path or not isinstance(path, str) or _UNSTORABLE.search(path):
            raise FieldError(
                "A path is a text that is not empty, and holds neither NUL nor bytes that are not "
                "UTF-8.",
                pointer="/paths",
            )
        found.append(path)
    return found


def resolved(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Absolute paths without links.

    Raises:
        PathNotFoundError: When one of them does not exist.
        FieldError: When one cannot be a key.
    """
    return [_resolved(path) for path in checked_paths(paths)]


def _resolved(path: str) -> Path:
    try:
        return Path(path).expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise PathNotFoundError(
            "A file or folder to ingest does not exist or cannot be reached.",
            pointer="/paths",
            local_detail=path,
        ) from error


def found_files(files: Files, roots: Sequence[Path], ignore: Sequence[str]) -> Iterator[FoundFile]:
    """Walk files and folders in a stable order, each file once.

    Args:
        files: Looks at them.
        roots: Absolute, resolved, existing.
        ignore: Patterns in .gitignore's language, relative to each folder named.

    Yields:
        Files; links and what is not a regular file are left out, and so are hidden names and what
        .gitignore files name.

    Raises:
        FieldError: When a pattern is malformed.
    """
    spec = checked_ignore(ignore)
    seen: set[Path] = set()
    for root in roots:
        for file in _found_at(files, root, spec):
            if file.path not in seen:
                seen.add(file.path)
                yield file


def is_folder(files: Files, path: Path) -> bool:
    """Whether a folder stands at an absolute path; what cannot be reached is none."""
    try:
        return stat.S_ISDIR(files.status(path).st_mode)
    except OSError:
        return False


def _found_at(files: Files, root: Path, spec: GitIgnoreSpec) -> Iterator[FoundFile]:
    try:
        status = files.status(root)
    except OSError as error:
        return iter([_unreadable(root, error)])
    if stat.S_ISDIR(status.st_mode):
        return _walk(files, root, [(root, spec)])
    return iter([_described(root, status, named=True)])


def _unreadable(path: Path, error: OSError) -> FoundFile:
    return FoundFile(path, 0, 0, named=True, problem=f"unreadable: {error.strerror}")


def checked_ignore(ignore: Sequence[str]) -> GitIgnoreSpec:
    """Patterns in .gitignore's language.

    Raises:
        FieldError: When they are not a list, or one is malformed.
    """
    message = 'Patterns to ignore are a list in .gitignore\'s language, such as ["*.log"].'
    if isinstance(ignore, str):
        raise FieldError(message, pointer="/ignore")
    try:
        return GitIgnoreSpec.from_lines(ignore)
    except (ValueError, TypeError) as error:
        raise FieldError(message, pointer="/ignore") from error


def _found(text: str) -> GitIgnoreSpec:
    # git passes over a line that it cannot read.
    good = []
    for line in text.splitlines():
        with suppress(ValueError):
            GitIgnoreSpec.from_lines([line])
            good.append(line)
    return GitIgnoreSpec.from_lines(good)


def _described(path: Path, status: os.stat_result, *, named: bool) -> FoundFile:
    problem = "" if stat.S_ISREG(status.st_mode) else "not_a_file: not a regular file"
    return FoundFile(path, status.st_size, status.st_mtime_ns, named, problem)


def _walk(
    files: Files, folder: Path, specs: list[tuple[Path, GitIgnoreSpec]]
) -> Iterator[FoundFile]:
    try:
        entries = files.entries(folder)
    except OSError as error:
        yield _unreadable(folder, error)
        return
    own = folder / _IGNORE_FILE
    if any(_is_ignore_file(entry) for entry in entries):
        try:
            text = _ignore_text(files, own)
        except OSError as error:
            # What was to be left out is not known, so nothing of this folder is read.
            yield _unreadable(own, error)
            return
        specs = [*specs, (folder, _found(text))]
    for entry in entries:
        mode = entry.status.st_mode
        path = folder / entry.name
        if entry.name.startswith(".") or stat.S_ISLNK(mode):
            continue
        if _ignored(path, specs, is_folder=stat.S_ISDIR(mode)):
            continue
        if stat.S_ISDIR(mode):
            yield from _walk(files, path, specs)
        elif stat.S_ISREG(mode):
            yield _described(path, entry.status, named=False)


def _ignore_text(files: Files, path: Path) -> str:
    try:
        content = files.read(path, limit=_MAX_IGNORE_BYTES + 1)
    except MediaTypeError as error:
        raise OSError(errno.EPERM, error.message) from error
    if len(content) > _MAX_IGNORE_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return content.decode("utf-8", "replace")


def _is_ignore_file(entry: Entry) -> bool:
    return entry.name == _IGNORE_FILE and stat.S_ISREG(entry.status.st_mode)


def _ignored(path: Path, specs: list[tuple[Path, GitIgnoreSpec]], *, is_folder: bool) -> bool:
    # The nearest .gitignore that says anything decides, as git does.
    for base, spec in reversed(specs):
        name = path.relative_to(base).as_posix() + ("/" if is_folder else "")
        verdict = spec.check_file(name).include
        if verdict is not None:
            return verdict
    return False
