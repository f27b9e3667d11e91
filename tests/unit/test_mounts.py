"""Files on filesystems that a network or another kernel keeps are refused, others are not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import disks
from vstash.errors import StoreFilesystemError
from vstash.mounts import filesystem_of, trust
from vstash.pipeline.placing import doubts, require_local
from vstash.settings import Settings

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="mount points of POSIX")


def mounted(folder: Path, kind: str) -> str:
    """What mountinfo says where a folder is a mount point of a kind, and another one lies beside it."""
    escaped = str(folder).replace(" ", "\\040")
    return (
        "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        f"41 27 0:31 / {escaped} rw,relatime shared:5 master:2 - {kind} server:/export rw\n"
        f"42 27 0:32 / {escaped}-other rw - xfs /dev/vdb rw\n"
        "a line that makes no sense\n"
    )


@POSIX
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        *((kind, "remote") for kind in ("nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "fuse.sshfs")),
        *((kind, "remote") for kind in ("vboxsf", "ceph", "fuse.rclone", "fuse.gcsfuse", "fuse.grpcfuse")),
        *((kind, "unsure") for kind in ("fuse", "fuse.something-new")),
        *((kind, "local") for kind in ("ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "apfs")),
        *((kind, "local") for kind in ("fuseblk", "fuse.gocryptfs", "fuse.fuse-overlayfs")),
    ],
)  # fmt: skip
def test_each_kind_has_its_answer(tmp_path: Path, kind: str, expected: str) -> None:
    """Remote ones are refused by name with the way out, unsure ones are told by health, local ones are not."""
    folder = tmp_path / "with a blank"
    folder.mkdir()
    mounts = mounted(folder, kind)
    path = folder / "not yet" / "x.db"
    assert filesystem_of(path, mounts) == kind
    assert trust(kind) == expected
    if expected == "remote":
        with pytest.raises(
            StoreFilesystemError, match=f"{kind}.*allow_network_filesystem"
        ) as caught:
            require_local(path, Settings(), mounts)
        assert str(path) not in caught.value.message
    else:
        require_local(path, Settings(), mounts)
    require_local(path, Settings(allow_network_filesystem=True), mounts)
    assert bool(doubts(path, mounts)) == (expected != "local")


@POSIX
def test_only_what_lies_below_counts(tmp_path: Path) -> None:
    """A neighbour whose name begins alike, and the folder above, are on their own filesystems."""
    folder = tmp_path / "share"
    mounts = mounted(folder, "nfs4")
    for name, kind in (("share", "nfs4"), ("share-other", "xfs"), ("sharex", "ext4")):
        (tmp_path / name).mkdir()
        assert filesystem_of(tmp_path / name / "x.db", mounts) == kind
    assert filesystem_of(tmp_path, mounts) == "ext4"


@POSIX
def test_the_last_mount_on_a_point_counts_and_links_are_followed(tmp_path: Path) -> None:
    """As the kernel sees it: what is mounted over another hides it, and a link leads to its target."""
    folder, link = tmp_path / "share", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    mounts = mounted(folder, "ext4") + mounted(folder, "nfs4")
    assert filesystem_of(link / "x.db", mounts) == "nfs4"


@pytest.mark.skipif(sys.platform != "linux", reason="mountinfo is Linux's")
def test_real_mounts_are_told(tmp_path: Path) -> None:
    """What this system says of a disk in memory, where one may be mounted, and of its own /proc."""
    assert filesystem_of(Path("/proc/self")) == "proc"
    disk = tmp_path / "disk"
    with disks.mounted(disk, "size=64k") as done:
        if not done:
            pytest.skip("only root may mount a disk")
        assert filesystem_of(disk / "deep" / "x.db") == "tmpfs"


def test_this_place_is_local(tmp_path: Path) -> None:
    """The control: where tests run a file is opened, and health says nothing of its place."""
    require_local(tmp_path / "x.db", Settings())
    assert doubts(tmp_path / "x.db") == ()
