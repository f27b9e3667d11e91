"""Where a file may lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vstash.errors import StoreFilesystemError
from vstash.mounts import filesystem_of, trust

if TYPE_CHECKING:
    from vstash.settings import Settings

__all__ = ["doubts", "require_local"]


def require_local(path: Path, settings: Settings, mounts: str | None = None) -> None:
    """Refuse a file where SQLite's locks do not hold for certain.

    Args:
        path: The file, which need not exist.
        settings: Whether it is allowed all the same.
        mounts: As in `filesystem_of`.

    Raises:
        StoreFilesystemError: When it lies on a filesystem that a server or another kernel keeps.
    """
    if settings.allow_network_filesystem:
        return
    filesystem = filesystem_of(path, mounts)
    if trust(filesystem) == "remote":
        raise StoreFilesystemError(
            f"The file would lie on {filesystem}, where locks and shared memory do not hold for "
            "certain, and files get damaged. Put it on a local disk, and reach it from elsewhere "
            "with `vstash serve`; or set allow_network_filesystem = true and use it from one "
            "process at a time.",
            local_detail=str(path),
        )


def doubts(path: Path, mounts: str | None = None) -> tuple[str, ...]:
    """What health has to say of the place of a file, nothing for a local disk."""
    filesystem = filesystem_of(path, mounts)
    if trust(filesystem) == "local":
        return ()
    return (
        f"filesystem: the file lies on {filesystem}, where locks and shared memory may not hold",
    )
