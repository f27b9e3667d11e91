"""Where blocks start in plain text, code and data."""

from __future__ import annotations

import json

import pytest

from vstash.text.blocks import line_starts, split_blocks


def _parts(text: str, media_type: str) -> list[str]:
    starts = [block.start for block in split_blocks(text, media_type)]
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


@pytest.mark.parametrize("media_type", ["text/plain", "text/unheard-of", ""])
def test_plain_text_is_parted_at_blank_lines(media_type: str) -> None:
    """Paragraphs are blocks; an unknown type is plain text."""
    assert _parts("\n\na\nb\n \n\n  c\n", media_type) == ["\n\na\nb\n \n\n", "  c\n"]


def test_text_before_the_first_heading_is_kept() -> None:
    """The first block starts at 0, and blank lines before a heading do not part it."""
    assert _parts("\n\n# A\nb", "text/markdown") == ["\n\n# A\n", "b"]
    assert _parts("[x]: http://y.z\n# A", "text/markdown") == ["[x]: http://y.z\n", "# A"]


PYTHON = """\
import os

# about f
@cache
def f():
    x = 1

    return x
# about g
def g():
    return (
        1

)

class A:
    pass
"""


def test_code_is_parted_at_definitions() -> None:
    """A block opens at the margin after a blank line, with the comments that precede it."""
    assert [part.split("\n")[0] for part in _parts(PYTHON, "text/x-python")] == [
        "import os",
        "# about f",
        "# about g",
        "class A:",
    ]


def test_braces_do_not_open_blocks() -> None:
    """A closing line after a blank line stays with its block."""
    text = "func a() {\n\tx\n\n}\n\n// b\nfunc b() {}\n"
    assert _parts(text, "text/x-go") == ["func a() {\n\tx\n\n}\n\n", "// b\nfunc b() {}\n"]


def test_json_is_parted_at_outer_members() -> None:
    """The lines of the smallest indent open blocks."""
    text = json.dumps({"a": {"x": [1, 2]}, "b": [3], "c": 4}, indent=2)
    assert [part.strip().split(":")[0] for part in _parts(text, "application/json")] == [
        "{",
        '"a"',
        '"b"',
        '"c"',
    ]


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "text/csv"])
def test_records_are_lines(media_type: str) -> None:
    """Each line of a table or of JSON Lines is a block."""
    assert _parts("a\nb\nc", media_type) == ["a\n", "b\n", "c"]


def test_line_starts_know_only_line_feeds() -> None:
    """Other separators of lines, which some functions split at, count as characters."""
    assert line_starts("a\u2028b\x0cc\rd\n\ne") == [0, 8, 9]


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_there_is_always_a_block(text: str) -> None:
    """A blank text has one block too."""
    for media_type in ("text/plain", "text/markdown", "text/x-rst", "text/x-c", "application/json"):
        assert split_blocks(text, media_type)[0].start == 0
