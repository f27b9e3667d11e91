"""From a file to text, title, metadata and tags."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import vstash
from vstash.errors import MediaTypeError, TextError
from vstash.text.extract import Extracted, extract, is_supported, supported_extensions


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("n/a.txt", "Port is 8090\r\n", ("Port is 8090\n", "a.txt", "text/plain")),
        ("a.md", "# T\n\nx", ("# T\n\nx", "T", "text/markdown")),
        ("a.md", "no heading", ("no heading", "a.md", "text/markdown")),
        ("a.rst", "T\n===\nx", ("T\n===\nx", "T", "text/x-rst")),
        ("a.json", '{"a": 1}', ('{"a": 1}', "a.json", "application/json")),
        ("a.jsonl", '{"a": 1}\n{}', ('{"a": 1}\n{}', "a.jsonl", "application/x-ndjson")),
        ("a.csv", "x,y\n1,2", ("x: 1; y: 2", "a.csv", "text/csv")),
        ("a.tsv", "x\ty\n1\t2", ("x: 1; y: 2", "a.tsv", "text/tab-separated-values")),
        ("src/m.py", "# T\nx = 1", ("# T\nx = 1", "m.py", "text/x-python")),
        ("Dockerfile", "FROM x", ("FROM x", "Dockerfile", "text/x-dockerfile")),
    ],
)
def test_formats(name: str, data: str, expected: tuple[str, str, str]) -> None:
    """Every format gives its text, and a title from the text or else the file's name."""
    found = extract(data.encode(), name=name)
    assert (found.text, found.title, found.media_type) == expected
    assert (found.metadata, found.tags) == ({}, ())


def test_front_matter_is_not_text() -> None:
    """What the front matter says becomes title, tags and metadata."""
    data = b"---\ntitle: Plan\ntags: [a, b]\ndue: 2026-01-31\n---\n\nStart."
    assert extract(data, name="x.md") == Extracted(
        text="Start.",
        title="Plan",
        metadata={"due": "2026-01-31"},
        tags=("a", "b"),
        media_type="text/markdown",
    )


def test_the_media_type_wins_over_the_name() -> None:
    """A given type decides; a generic one leaves it to the name."""
    assert extract(b"# T", name="a.txt", media_type="text/markdown; charset=utf-8").title == "T"
    generic = extract(b"# T", name="a.md", media_type="application/octet-stream")
    assert generic.media_type == "text/markdown"
    assert extract(b"# T", name="", media_type="text/plain").title == ""


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("secret/a.pdf", None), ("secret/noext", None), ("secret/a.md", "text/html")],
)
def test_unknown_types_are_refused(name: str, media_type: str | None) -> None:
    """An unknown type is refused, and the path stands in the local detail only."""
    with pytest.raises(MediaTypeError) as caught:
        extract(b"text", name=name, media_type=media_type)
    assert "secret" not in caught.value.message
    assert caught.value.local_detail == name


def test_binary_is_refused() -> None:
    """Binary content under a text's name is refused."""
    with pytest.raises(MediaTypeError, match="binary") as caught:
        extract(b"a\0b", name="a.txt")
    assert caught.value.local_detail == "a.txt"


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.txt", b""), ("a.txt", b" \n\t"), ("a.md", b"---\na: 1\n---\n"), ("a.csv", b",,\n,\n")],
)
def test_empty_text_is_refused(name: str, data: bytes) -> None:
    """A file in which nothing can be found is refused."""
    with pytest.raises(TextError, match="no text"):
        extract(data, name=name)


def test_a_name_that_is_not_unicode_gives_a_title_that_is() -> None:
    """A file name with undecodable bytes leaves no lone surrogate in the title."""
    assert extract(b"x", name="a\udcff.txt").title == "a?.txt"


def test_supported() -> None:
    """The list and the question agree."""
    assert supported_extensions() == tuple(sorted(supported_extensions()))
    assert all(is_supported(f"x{extension}") for extension in supported_extensions())
    assert is_supported("LICENSE")
    assert not is_supported("x.html")


def test_reading_plain_text_loads_no_parser() -> None:
    """Parsers are loaded with the first file that needs them."""
    code = (
        "import sys; from vstash.text.extract import extract; extract(b'x', name='a.txt'); "
        "print(sorted({'markdown_it', 'yaml', 'frontmatter', 'charset_normalizer', 'numpy'}"
        " & set(sys.modules)))"
    )
    root = Path(vstash.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
