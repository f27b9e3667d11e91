"""The table of formats."""

from __future__ import annotations

import pytest

from vstash.text.media import FORMATS, extension_of, format_of_file, format_of_type


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.txt", "text/plain"),
        ("A.MD", "text/markdown"),
        ("docs/guide.rst", "text/x-rst"),
        ("C:\\data\\rows.csv", "text/csv"),
        ("x.tsv", "text/tab-separated-values"),
        ("x.jsonl", "application/x-ndjson"),
        ("x.json", "application/json"),
        ("m.py", "text/x-python"),
        ("Dockerfile", "text/x-dockerfile"),
        ("src/Makefile", "text/x-makefile"),
        ("LICENSE", "text/plain"),
        ("README", "text/plain"),
        ("CMakeLists.txt", "text/x-cmake"),
        (".gitignore", "text/x-ini"),
        ("go.mod", "text/x-go"),
    ],
)
def test_names_tell_the_format(name: str, media_type: str) -> None:
    """A whole name or an extension is found in any case and behind any folder."""
    found = format_of_file(name)
    assert found is not None
    assert found.media_type == media_type


@pytest.mark.parametrize(
    "name", ["", "photo.jpg", "page.html", "txt", "a.", ".md", "log", "x.pdf", ".env"]
)
def test_other_names_tell_nothing(name: str) -> None:
    """What is not in the table has no format."""
    assert format_of_file(name) is None


def test_media_types_ignore_case_and_parameters() -> None:
    """A media type is found by its essence."""
    found = format_of_type(" Text/Markdown; charset=UTF-8")
    assert found is not None
    assert found.structure == "markdown"
    assert format_of_type("text/html") is None


def test_no_key_stands_twice() -> None:
    """No extension, name or media type belongs to two formats."""
    for keys in (
        [key for row in FORMATS for key in (*row.extensions, *row.names)],
        [key for row in FORMATS for key in (row.media_type, *row.aliases)],
    ):
        assert len(keys) == len(set(keys))
        assert keys == [key.lower() for key in keys]


def test_extension_of_a_dot_in_a_folder() -> None:
    """A dot in a folder's name is no extension."""
    assert extension_of("v1.2/notes") == ""
