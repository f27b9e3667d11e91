"""Which files an ingest comes across."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from vstash.errors import FieldError, PathNotFoundError
from vstash.pipeline.files import found_files, resolved
from vstash.pipeline.safe_files import Files

FILES = Files(Path("no-such.db"))

posix = pytest.mark.skipif(sys.platform == "win32", reason="kinds of files that POSIX has")


def tree(base: Path, *names: str, **contents: str) -> Path:
    """Make files, and .gitignore files from ``folder__ignore=`` arguments."""
    for name in names:
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    for name, text in contents.items():
        folder = base / name.removesuffix("ignore").replace("__", "/").strip("/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".gitignore").write_text(text, encoding="utf-8")
    return base


def found(base: Path, *ignore: str) -> list[str]:
    """Names below the folder, in the order of the walk."""
    walked = found_files(FILES, resolved([base]), ignore)
    return [file.path.relative_to(base.resolve()).as_posix() for file in walked]


def test_a_folder_is_walked_in_a_stable_order(tmp_path: Path) -> None:
    """Files and folders come by name, each file once, with size and time."""
    tree(tmp_path, "b.md", "a/z.md", "a/y/x.md", "c.md")
    assert found(tmp_path) == ["a/y/x.md", "a/z.md", "b.md", "c.md"]
    (file,) = found_files(FILES, resolved([tmp_path / "b.md"]), [])
    status = (tmp_path / "b.md").stat()
    assert (file.size, file.mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert (file.named, file.problem) == (True, "")
    assert file.key == (tmp_path / "b.md").resolve().as_posix()


def test_a_file_that_is_named_twice_comes_once(tmp_path: Path) -> None:
    """Roots may overlap."""
    tree(tmp_path, "a/x.md")
    roots = resolved([tmp_path / "a" / "x.md", tmp_path, tmp_path / "a", tmp_path / "." / "a"])
    assert len(list(found_files(FILES, roots, []))) == 1


def test_hidden_names_are_left_out(tmp_path: Path) -> None:
    """Names that begin with a dot are not read in folders; named, they are."""
    tree(tmp_path, ".env", ".git/config.md", "a/.hidden.md", "a/x.md")
    assert found(tmp_path) == ["a/x.md"]
    assert [file.path.name for file in found_files(FILES, resolved([tmp_path / ".env"]), [])] == [
        ".env"
    ]


def test_gitignore_is_respected(tmp_path: Path) -> None:
    """Patterns, folders, anchors and exceptions mean what git means by them."""
    tree(
        tmp_path,
        *("a.log", "b.md", "build/x.md", "keep.log", "sub/build/x.md", "sub/only.md", "top.md"),
        *("sub/top.md", "sub/deep/er.txt", "docs/a/b/c.md"),
        ignore="*.log\n!keep.log\nbuild/\n/top.md\n# comment\n\ndocs/**/c.md\n",
    )
    assert found(tmp_path) == ["b.md", "keep.log", "sub/deep/er.txt", "sub/only.md", "sub/top.md"]


def test_a_nested_gitignore_decides_below_it(tmp_path: Path) -> None:
    """The nearest file that says anything wins, and counts from its own folder."""
    tree(
        tmp_path,
        *("a.log", "sub/a.log", "sub/b.md", "sub/x/b.md", "other/b.md"),
        ignore="*.log\n",
        sub__ignore="!a.log\n/b.md\n",
    )
    assert found(tmp_path) == ["other/b.md", "sub/a.log", "sub/x/b.md"]


def test_an_ignored_folder_is_not_entered(tmp_path: Path) -> None:
    """As in git, an exception inside an ignored folder cannot bring a file back."""
    tree(tmp_path, "out/x.md", "a.md", ignore="out/\n!out/x.md\n", out__ignore="!x.md\n")
    assert found(tmp_path) == ["a.md"]


def test_further_patterns_can_be_given(tmp_path: Path) -> None:
    """The caller's patterns count as well, and .gitignore may take back what they say."""
    tree(tmp_path, "a.md", "b.txt", "sub/c.txt", "sub/d.md", sub__ignore="!c.txt\n")
    assert found(tmp_path, "*.txt") == ["a.md", "sub/c.txt", "sub/d.md"]
    assert found(tmp_path, "/sub/") == ["a.md", "b.txt"]


@pytest.mark.parametrize("ignore", [["!"], "*.md", [3], ["a", "!"]])
def test_a_malformed_pattern_is_named(tmp_path: Path, ignore: list[str]) -> None:
    """The caller's own patterns must be right."""
    with pytest.raises(FieldError) as caught:
        list(found_files(FILES, resolved([tmp_path]), ignore))
    assert caught.value.pointer == "/ignore"


def test_a_malformed_line_of_a_gitignore_is_passed_over(tmp_path: Path) -> None:
    """Somebody else's file does not stop the ingest, and its good lines count."""
    tree(tmp_path, "a.md", "b.log", ignore="!\n*.log\n[\n\\\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".gitignore").write_bytes(b"\xff\xfe*.x\n*.y\n")
    tree(tmp_path, "sub/c.y", "sub/d.md")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / ".gitignore").mkdir()
    assert found(tmp_path) == ["a.md", "sub/d.md"]


@posix
def test_links_are_not_followed_in_folders(tmp_path: Path) -> None:
    """Links to files, folders, parents and nothing are left out; a link that is named is read."""
    base = tree(tmp_path / "base", "a.md")
    tree(tmp_path, "outside/secret.md")
    (base / "file.md").symlink_to(tmp_path / "outside" / "secret.md")
    (base / "folder").symlink_to(tmp_path / "outside")
    (base / "parent").symlink_to(base)
    (base / "dangling.md").symlink_to(tmp_path / "nowhere")
    assert found(base) == ["a.md"]
    (file,) = found_files(FILES, resolved([base / "file.md"]), [])
    assert file.path == (tmp_path / "outside" / "secret.md").resolve()


@posix
def test_only_regular_files_are_files(tmp_path: Path) -> None:
    """Pipes and sockets are left out; named, they come with the reason, unread."""
    tree(tmp_path, "a.md")
    os.mkfifo(tmp_path / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(tmp_path)
        try:
            # A socket's path is short.
            listener.bind("s.md")
        finally:
            os.chdir(here)
        assert found(tmp_path) == ["a.md"]
        for name in ("pipe.md", "s.md"):
            (file,) = found_files(FILES, resolved([tmp_path / name]), [])
            assert file.problem.startswith("not_a_file: ")


@posix
def test_a_name_that_is_not_utf8_comes_along(tmp_path: Path) -> None:
    """Inside a folder such a file is found, to be told of; as a root it is refused."""
    tree(tmp_path, "a.md")
    name = os.fsencode(tmp_path) + b"/b\xff.md"
    Path(os.fsdecode(name)).write_text("x", encoding="utf-8")
    assert found(tmp_path) == ["a.md", os.fsdecode(b"b\xff.md")]
    with pytest.raises(FieldError):
        resolved([Path(os.fsdecode(name))])


def test_paths_are_made_absolute(tmp_path: Path) -> None:
    """Dots and links of a root are resolved away."""
    tree(tmp_path, "a/x.md")
    assert resolved([tmp_path / "a" / ".." / "a" / "x.md"]) == [(tmp_path / "a/x.md").resolve()]


@pytest.mark.parametrize("name", ["missing.md", "a.md/below", "missing/deep.md"])
def test_a_missing_root_raises(tmp_path: Path, name: str) -> None:
    """A root that does not exist is an error, and its path stays local."""
    tree(tmp_path, "a.md")
    with pytest.raises(PathNotFoundError) as caught:
        resolved([tmp_path, tmp_path / name])
    assert name not in caught.value.message
    assert caught.value.pointer == "/paths"


def test_a_nul_in_a_path_is_named() -> None:
    """A path that no system takes is refused as such."""
    with pytest.raises(FieldError):
        resolved([Path("a\0b")])


def test_an_empty_path_is_not_the_working_directory() -> None:
    """An empty path is refused rather than read as the folder that the process stands in."""
    with pytest.raises(FieldError):
        resolved([""])
