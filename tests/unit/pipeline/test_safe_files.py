"""Files are opened only where they may be, whatever is renamed and linked meanwhile."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vstash.errors import MediaTypeError
from vstash.pipeline.safe_files import ConfinedFiles, Files, is_ours

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")

SECRET = b"the secret outside"
INSIDE = b"the text inside"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that may be read, with one that may not beside it."""
    for name, content in (("root/sub/a.md", INSIDE), ("outside/a.md", SECRET)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path / "root"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A file that stands for the vstash file, with what SQLite keeps beside it."""
    for end in ("", "-wal", "-shm"):
        (tmp_path / f"x.db{end}").write_bytes(b"ours")
    return tmp_path / "x.db"


@pytest.fixture
def confined(root: Path, store: Path) -> ConfinedFiles:
    """Reads below the folder."""
    return ConfinedFiles(store, [str(root)])


def descriptors() -> int:
    """How many this process has open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


@contextmanager
def swapping(folder: Path, outside: Path) -> Iterator[None]:
    """Puts a link to ``outside`` in the place of a folder and back, all the time."""
    hidden, link, ended = folder.with_name("hidden"), folder.with_name("link"), threading.Event()
    link.symlink_to(outside)

    def swap() -> None:
        while not ended.is_set():
            folder.rename(hidden)
            link.rename(folder)
            folder.rename(link)
            hidden.rename(folder)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def reads(files: Files, path: Path, *, tries: int, enough: bytes) -> set[bytes]:
    """What a file is found to hold until it holds ``enough``, in so many tries at most."""
    found = set()
    for _ in range(tries):
        try:
            found.add(files.read(path, limit=100))
        except OSError:
            continue
        if enough in found:
            break
    return found


def test_a_link_swapped_in_leads_nowhere(confined: ConfinedFiles, root: Path) -> None:
    """However the moment falls, only what is below the folder is read, and it is."""
    with swapping(root / "sub", root.parent / "outside"):
        found = reads(confined, root / "sub" / "a.md", tries=3_000, enough=SECRET)
    assert found == {INSIDE}


def test_a_plain_opening_is_led_astray(root: Path, store: Path) -> None:
    """The control: the same race is lost by an opening that checks the path and then follows it."""
    with swapping(root / "sub", root.parent / "outside"):
        found = reads(Files(store), root / "sub" / "a.md", tries=200_000, enough=SECRET)
    assert SECRET in found


def test_a_listing_is_confined_as_well(confined: ConfinedFiles, root: Path) -> None:
    """A folder that is a link is not listed, and neither is what is below it."""
    (root / "way").symlink_to(root.parent / "outside")
    for path in (root / "way", root / "way" / "deeper"):
        with pytest.raises(OSError, match="Errno") as caught:
            confined.entries(path)
        assert caught.value.errno in {errno.ELOOP, errno.ENOTDIR}
    assert [entry.name for entry in confined.entries(root)] == ["sub", "way"]
    with pytest.raises(PermissionError):
        confined.entries(root.parent / "outside")


def test_where_the_folder_is_a_link(root: Path, store: Path) -> None:
    """Links on the way to a folder that may be read are followed; paths may name either."""
    link = root.parent / "named"
    link.symlink_to(root)
    files = ConfinedFiles(store, [str(link)])
    for given in (link, root):
        path = files.below(str(given / "sub" / "a.md"))
        assert path == root / "sub" / "a.md"
        assert files.read(path, limit=100) == INSIDE
    assert files.below(str(root.parent / "rooted")) is None


@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
def test_our_own_file_is_never_opened(
    confined: ConfinedFiles, root: Path, store: Path, end: str
) -> None:
    """Under its name or as a hard link, wherever that is; no descriptor of it is opened."""
    own = store.with_name(store.name + end)
    link = root / "sub" / "innocent.md"
    os.link(own, link)
    assert is_ours(link, store)
    assert is_ours(own, store)
    assert not is_ours(root / "sub" / "a.md", store)
    before = descriptors()
    for files, path in ((confined, link), (Files(store), link), (Files(store), own)):
        with pytest.raises(MediaTypeError):
            files.read(path, limit=100)
    assert descriptors() == before
    # The control: it could have been opened.
    assert link.read_bytes() == b"ours"


def test_only_regular_files_are_read(confined: ConfinedFiles, root: Path) -> None:
    """A pipe does not hold up whoever opens it; a link and a folder are no files either."""
    os.mkfifo(root / "pipe")
    (root / "link").symlink_to(root / "sub" / "a.md")
    for name in ("pipe", "link", "sub"):
        with pytest.raises(OSError, match="Errno"):
            confined.read(root / name, limit=100)
    assert confined.read(root / "sub" / "a.md", limit=3) == INSIDE[:3]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="where there is /proc")
def test_the_state_of_the_machine_is_not_read(root: Path, store: Path) -> None:
    """Not even below a root that holds everything; what else is there is read."""
    files = ConfinedFiles(store, ["/"])
    for path in ("/proc/1/status", f"/proc/{os.getpid()}/environ", "/proc"):
        with pytest.raises(PermissionError):
            files.status(Path(path))
    assert files.read(root / "sub" / "a.md", limit=100) == INSIDE


@pytest.mark.skipif(sys.platform != "linux", reason="where a variable names the data folder")
def test_the_folder_of_our_data_is_not_read(
    root: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's data folder of vstash stays closed even below a root that holds it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(root))
    (root / "vstash").mkdir()
    (root / "vstash" / "a.md").write_bytes(SECRET)
    files = ConfinedFiles(store, [str(root)])
    with pytest.raises(PermissionError):
        files.read(root / "vstash" / "a.md", limit=100)
    with pytest.raises(PermissionError):
        files.entries(root / "vstash")
    assert files.read(root / "sub" / "a.md", limit=100) == INSIDE
