"""Finding the files to ingest: folders walked, .gitignore respected, nothing read yet."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from vstash.errors import FieldError, PathNotFoundError

__all__ = ["FoundFile", "found_files", "is_ours", "resolved"]

_IGNORE_FILE = ".gitignore"
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


def resolved(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Absolute paths without links.

    Raises:
        PathNotFoundError: When one of them does not exist.
        FieldError: When one is empty, holds a NUL character, or is not UTF-8 and so cannot be a key.
    """
    found = []
    for given in paths:
        path = os.fspath(given)
        if not path or _UNSTORABLE.search(path):
            raise FieldError(
                "A path is not empty, and holds neither NUL nor bytes that are not UTF-8.",
                pointer="/paths",
            )
        try:
            found.append(Path(path).expanduser().resolve(strict=True))
        except (OSError, RuntimeError) as error:
            raise PathNotFoundError(
                "A file or folder to ingest does not exist or cannot be reached.",
                pointer="/paths",
                local_detail=path,
            ) from error
    return found


def is_ours(path: Path, store: Path) -> bool:
    """Whether a path is that of the vstash file, or of one that SQLite keeps beside it.

    Reading it through a descriptor of our own would drop SQLite's locks when that closes.

    Args:
        path: Absolute and resolved.
        store: The vstash file.
    """
    return path.name.startswith(store.name) and path.parent == store.resolve().parent


def found_files(roots: Sequence[Path], ignore: Sequence[str]) -> Iterator[FoundFile]:
    """Walk files and folders in a stable order, each file once.

    Args:
        roots: Absolute, resolved, existing.
        ignore: Patterns in .gitignore's language, relative to each folder named.

    Yields:
        Files; links and what is not a regular file are left out, and so are hidden names and what
        .gitignore files name.

    Raises:
        FieldError: When a pattern is malformed.
    """
    spec = _asked(ignore)
    seen: set[Path] = set()
    for root in roots:
        found = (
            _walk(root, [(root, spec)])
            if root.is_dir()
            else iter([_described(root, root.stat(), named=True)])
        )
        for file in found:
            if file.path not in seen:
                seen.add(file.path)
                yield file


def _asked(ignore: Sequence[str]) -> GitIgnoreSpec:
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


def _walk(folder: Path, specs: list[tuple[Path, GitIgnoreSpec]]) -> Iterator[FoundFile]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield FoundFile(folder, 0, 0, named=True, problem=f"unreadable: {error.strerror}")
        return
    own = folder / _IGNORE_FILE
    if any(entry.name == _IGNORE_FILE for entry in entries) and own.is_file():
        try:
            text = own.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            # What was to be left out is not known, so nothing of this folder is read.
            yield FoundFile(own, 0, 0, named=True, problem=f"unreadable: {error.strerror}")
            return
        specs = [*specs, (folder, _found(text))]
    for entry in entries:
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        is_folder = entry.is_dir(follow_symlinks=False)
        path = Path(entry.path)
        if _ignored(path, specs, is_folder=is_folder):
            continue
        if is_folder:
            yield from _walk(path, specs)
        else:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                # It went while the folder was walked.
                continue
            if stat.S_ISREG(status.st_mode):
                yield _described(path, status, named=False)


def _ignored(path: Path, specs: list[tuple[Path, GitIgnoreSpec]], *, is_folder: bool) -> bool:
    # The nearest .gitignore that says anything decides, as git does.
    for base, spec in reversed(specs):
        name = path.relative_to(base).as_posix() + ("/" if is_folder else "")
        verdict = spec.check_file(name).include
        if verdict is not None:
            return verdict
    return False
