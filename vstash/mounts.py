"""On which kind of filesystem a file lies.

SQLite's write-ahead log needs memory that all processes share and locks that hold. Filesystems that a server or another
kernel keeps have neither for certain: files were reported damaged within a minute on virtiofs, and on NFS.
"""

from __future__ import annotations

import ctypes
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

__all__ = ["Trust", "filesystem_of", "trust"]

Trust = Literal["local", "unsure", "remote"]

_MOUNTS: Final = Path("/proc/self/mountinfo")
_REMOTE: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "afpfs", "webdav", "davfs"),
        *("9p", "virtiofs", "vboxsf", "prl_fs", "ceph", "lustre", "beegfs", "gpfs", "orangefs"),
        *("fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.goofys", "fuse.gcsfuse", "fuse.blobfuse"),
        *(
            "fuse.blobfuse2",
            "fuse.mount-s3",
            "fuse.glusterfs",
            "fuse.ceph",
            "fuse.cephfs",
            "fuse.davfs",
        ),
        *(
            "fuse.davfs2",
            "fuse.juicefs",
            "fuse.moosefs",
            "fuse.mfs",
            "fuse.curlftpfs",
            "fuse.grpcfuse",
        ),
        *("fuse.osxfs", "fuse.vmhgfs-fuse", "fuse.prl_fsd", "fuse.smbnetfs", "fuse.gvfsd-fuse"),
        *("fuse.onedriver", "fuse.google-drive-ocamlfuse", "macfuse.sshfs", "osxfuse"),
    }
)
# Below a program of this machine, on a disk of it.
_LOCAL_FUSE: Final = frozenset(
    {
        *("fuseblk", "fuse.ntfs-3g", "fuse.exfat", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs"),
        *(
            "fuse.securefs",
            "fuse.bindfs",
            "fuse.fuse-overlayfs",
            "fuse.ext2",
            "fuse.ext4",
            "fuse.zfs",
        ),
        *("fuse.apfs", "fuse.veracrypt", "fuse.lxcfs"),
    }
)
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
_MOUNT_POINT: Final = 4
_DRIVE_REMOTE: Final = 4
# Where struct statfs of macOS has the name of the type, and how long it may be.
_MAC_NAME: Final = slice(72, 88)
_MAC_SIZE: Final = 4096


def filesystem_of(path: Path, mounts: str | None = None) -> str | None:
    """The kind of filesystem that a path lies on, as this system names it.

    Args:
        path: A file or folder, which need not exist yet.
        mounts: What mountinfo says, on Linux; None reads it.

    Returns:
        Such as ``ext4``, ``nfs4`` or ``fuse.sshfs``; None where this system does not tell.
    """
    with suppress(OSError, AttributeError, ValueError):
        place = _existing(path)
        if mounts is not None or _MOUNTS.exists():
            return _mounted(
                place, _MOUNTS.read_text("utf-8", "replace") if mounts is None else mounts
            )
        return _on_windows(place) if os.name == "nt" else _on_mac(place)
    return None


def trust(filesystem: str | None) -> Trust:
    """Whether SQLite's locks and shared memory hold there: what is not known as anything else is local."""
    if filesystem is None or filesystem in _LOCAL_FUSE:
        return "local"
    if filesystem in _REMOTE:
        return "remote"
    return "unsure" if filesystem.startswith(("fuse", "macfuse")) else "local"


def _existing(path: Path) -> Path:
    resolved = path.resolve()
    return next(each for each in (resolved, *resolved.parents) if each.exists())


def _mounted(place: Path, mounts: str) -> str | None:
    wanted, best, found = place.as_posix(), -1, None
    for line in mounts.splitlines():
        own, _, other = line.partition(" - ")
        fields, kinds = own.split(" "), other.split(" ")
        if len(fields) <= _MOUNT_POINT or not kinds[0]:
            continue
        point = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[_MOUNT_POINT])
        inside = wanted == point or wanted.startswith(point.rstrip("/") + "/")
        # Of several on one point the last is in sight.
        if inside and len(point) >= best:
            best, found = len(point), kinds[0]
    return found


def _on_mac(place: Path) -> str | None:
    library = ctypes.CDLL(None, use_errno=True)
    # On Intel the plain name is that of an older layout.
    call = getattr(library, "statfs$INODE64", None) or library.statfs
    buffer = ctypes.create_string_buffer(_MAC_SIZE)
    if call(os.fsencode(place), buffer):
        return None
    return buffer.raw[_MAC_NAME].split(b"\0")[0].decode("ascii", "replace") or None


def _on_windows(place: Path) -> str | None:
    if place.drive.startswith("\\\\"):
        return "smbfs"
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore] # on Windows only
    return "smbfs" if kernel.GetDriveTypeW(place.anchor) == _DRIVE_REMOTE else None
