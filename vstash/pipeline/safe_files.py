"""The one place where files are opened for reading: never our own, and confined where asked.

Closing any descriptor of the vstash file would drop SQLite's locks on it, so what a file is has to be
known before it is opened, by device and inode: a hard link is the same file under another name.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vstash.errors import MediaTypeError, PathForbiddenError
from vstash.settings import default_db_path
from vstash.store.beside import BESIDE

__all__ = ["ConfinedFiles", "Entry", "Files", "is_ours"]

# A pipe that takes a file's place must not block, and no link that takes it is followed.
_FILE: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
_ROOT: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_FOLDER: Final = _ROOT | getattr(os, "O_NOFOLLOW", 0)
# What SQLite keeps beside the file.
# What is read there are not files but the state of processes and devices.
_MACHINE: Final = ("/proc", "/sys", "/dev")

Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in a folder; its status is that of a link itself."""

    name: str
    status: os.stat_result


def is_ours(path: Path, store: Path) -> bool:
    """Whether a path is that of the vstash file, or of one that SQLite keeps beside it.

    Args:
        path: Absolute and resolved.
        store: The vstash file.
    """
    if path.name.startswith(store.name) and path.parent == store.resolve().parent:
        return True
    try:
        return _identity(path.stat()) in _own(store)
    except OSError:
        return False


class Files:
    """Any file that this user may read, but for the vstash file itself.

    Args:
        store: The vstash file.
    """

    def __init__(self, store: Path) -> None:
        self._store = store

    def status(self, path: Path) -> os.stat_result:
        """What stands at a path; of a link its own.

        Args:
            path: Absolute.

        Raises:
            OSError: When there is nothing or it may not be reached.
        """
        with self._place(path) as (name, folder):
            return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def entries(self, path: Path) -> list[Entry]:
        """What stands in a folder, by name; what goes while it is looked at is left out.

        Args:
            path: Absolute.

        Raises:
            OSError: When it cannot be listed.
        """
        found = []
        with self._folder(path) as folder, os.scandir(folder) as listing:
            for entry in listing:
                with suppress(FileNotFoundError):
                    found.append(Entry(entry.name, entry.stat(follow_symlinks=False)))
        return sorted(found, key=lambda entry: entry.name)

    def read(self, path: Path, *, limit: int) -> bytes:
        """The first bytes of a regular file.

        Args:
            path: Absolute.
            limit: At most this many bytes.

        Raises:
            MediaTypeError: When it is the vstash file under any name; it was not opened.
            OSError: When it cannot be read or is not a regular file.
        """
        if is_ours(path, self._store):
            raise _ours()
        with self._place(path) as (name, folder):
            self._refuse(os.stat(name, dir_fd=folder, follow_symlinks=False))
            descriptor = os.open(name, _FILE, dir_fd=folder)
        opened = os.fstat(descriptor)
        if self._is_own(opened):
            # Somebody put it there since. Closing would drop SQLite's locks, so it stays open.
            raise _ours()
        try:
            self._refuse(opened)
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                return stream.read(limit)
        finally:
            os.close(descriptor)

    def _refuse(self, status: os.stat_result) -> None:
        if self._is_own(status):
            raise _ours()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")

    def _is_own(self, status: os.stat_result) -> bool:
        return _identity(status) in _own(self._store)

    @contextmanager
    def _place(self, path: Path) -> Iterator[tuple[str, int | None]]:
        """A name, and the open folder that it is in; None where the name is a whole path."""
        yield str(path), None

    @contextmanager
    def _folder(self, path: Path) -> Iterator[str | int]:
        """A folder to be listed."""
        yield str(path)


class ConfinedFiles(Files):
    """Files below given folders, reached without following a single link.

    Every component of a path is opened in the folder before it, so that nothing that is renamed or
    linked meanwhile leads elsewhere.

    Args:
        store: The vstash file.
        roots: The folders; links on the way to them are followed, once.

    Raises:
        PathForbiddenError: When this system cannot open files so.
    """

    def __init__(self, store: Path, roots: Sequence[str]) -> None:
        super().__init__(store)
        if os.open not in os.supports_dir_fd or not hasattr(os, "O_NOFOLLOW"):
            raise PathForbiddenError(
                "Files cannot be confined to folders on this system, so none are read."
            )
        self._roots = dict(map(_spellings, roots))
        self._machine = _machine_devices()

    def below(self, given: str) -> Path | None:
        """The path without links, where it is below one of the folders.

        Args:
            given: Absolute, without ``.`` and ``..``.
        """
        path = Path(given)
        for root, resolved in self._roots.items():
            for base in (root, resolved):
                if path.is_relative_to(base):
                    return resolved / path.relative_to(base)
        return None

    def status(self, path: Path) -> os.stat_result:
        """What stands at a path, where it may be read; see `Files.status`."""
        found = super().status(path)
        if stat.S_ISDIR(found.st_mode):
            with self._folder(path):
                return found
        return found

    @contextmanager
    def _place(self, path: Path) -> Iterator[tuple[str, int | None]]:
        at_root = path in self._roots.values()
        with self._folder(path if at_root else path.parent) as folder:
            assert isinstance(folder, int)  # noqa: S101 - for the type checker; this class yields no text
            yield "." if at_root else path.name, folder

    @contextmanager
    def _folder(self, path: Path) -> Iterator[str | int]:
        root = next((each for each in self._roots.values() if path.is_relative_to(each)), None)
        if root is None:
            raise _not_to_be_read()
        folder = os.open(root, _ROOT)
        try:
            self._check_folder(folder)
            for name in path.relative_to(root).parts:
                below = os.open(name, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = below
                self._check_folder(folder)
            yield folder
        finally:
            os.close(folder)

    def _check_folder(self, folder: int) -> None:
        status = os.fstat(folder)
        own = _identities(default_db_path().parent)
        if status.st_dev in self._machine or _identity(status) in own:
            raise _not_to_be_read()


def _spellings(root: str) -> tuple[Path, Path]:
    """A folder as it was given and without links."""
    try:
        given = Path(root).expanduser().absolute()
        return given, given.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise PathForbiddenError(
            "A folder that may be read is none that can be reached."
        ) from error


def _machine_devices() -> frozenset[int]:
    base = Path("/").stat().st_dev
    found = {device for path in _MACHINE for device, _ in _identities(Path(path))}
    # Where one is a plain folder, its device is that of everything else.
    return frozenset(found - {base})


def _own(store: Path) -> frozenset[Identity]:
    return _identities(*(store.with_name(store.name + end) for end in ("", *BESIDE)))


def _identities(*paths: Path) -> frozenset[Identity]:
    found = set()
    for path in paths:
        with suppress(OSError):
            found.add(_identity(path.stat()))
    return frozenset(found)


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino


def _ours() -> MediaTypeError:
    return MediaTypeError("This is the vstash file itself.")


def _not_to_be_read() -> OSError:
    return PermissionError(errno.EPERM, os.strerror(errno.EPERM))
