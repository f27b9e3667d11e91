"""Markdown: title, tags and blocks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from vstash.text import markdown
from vstash.text.markdown import markdown_blocks, markdown_content


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: From front\n---\n# From heading", "From front"),
        ("---\ntitle: 2026\n---\nx", "2026"),
        ("---\ntitle: [no]\n---\n# Heading", "Heading"),
        ("## Second\n\n# First\n", "First"),
        ("Set *by* line\n=====\n", "Set by line"),
        ("# `code` and [link](http://x.y) & more #\n", "code and link & more"),
        ("```\n# not a heading\n```\n", ""),
        ("plain", ""),
        ("#\n\n# " + "long " * 100, ("long " * 60).strip()),
    ],
)
def test_title(text: str, title: str) -> None:
    """The title is that of the front matter, else the first heading of level 1 that says anything."""
    assert markdown_content(text).title == title


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("[b, a, b]", ("b", "a")),
        ("one, two words ,", ("one", "two words")),
        ("'#work'", ("work",)),
        ("'# my work'", ("my work",)),
        ("[1, 2.5, {x: y}, null]", ("1", "2.5")),
        ("7", ("7",)),
        ("", ()),
    ],
)
def test_tags(value: str, tags: tuple[str, ...]) -> None:
    """Tags are a list or a text with commas, without repetition."""
    content = markdown_content(f"---\ntags: {value}\nother: 1\n---\nx")
    assert content.tags == tags
    assert content.metadata == {"other": 1}
    assert content.text == "x"


@pytest.fixture
def eager_switches() -> Iterator[None]:
    """Threads that take turns at every chance."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_switches")
def test_the_first_texts_may_come_from_several_threads() -> None:
    """Threads that share a parser from its first text on find the same blocks."""
    found: list[int] = []
    for _ in range(300):
        markdown._parser.cache_clear()
        markdown._parser()
        start = threading.Barrier(4)

        def read(start: threading.Barrier = start) -> None:
            start.wait()
            found.append(len(markdown_blocks("# A\n\ntext\n\n- x\n- y\n\n```\ncode\n```\n")))

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [5] * 1200


def test_blocks() -> None:
    """Headings, paragraphs, items, nested items, code, quotes and tables each open a block."""
    parts = [
        ("# One\n\n", "prose", 1, "One"),
        ("A paragraph\non two lines.\n\n", "prose", 0, ""),
        ("- item\n", "prose", 0, ""),
        ("  - nested\n\n", "prose", 0, ""),
        ("```py\n# code\n\nx = 1\n```\n\n", "lines", 0, ""),
        ("> # quoted\n> text\n\n", "prose", 0, ""),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\n", "lines", 0, ""),
        ("Under\n-----\n", "prose", 2, "Under"),
        ("    indented\n\n", "lines", 0, ""),
        ("<div>\nx\n</div>\n\n", "lines", 0, ""),
        ("end", "prose", 0, ""),
    ]
    text = "".join(part for part, *_ in parts)
    starts = [sum(len(part) for part, *_ in parts[:i]) for i in range(len(parts))]
    found = [(b.start, b.kind, b.level, b.title) for b in markdown_blocks(text)]
    assert found == [(s, k, n, t) for s, (_, k, n, t) in zip(starts, parts, strict=True)]


def test_carriage_returns_do_not_shift_lines() -> None:
    """Offsets hold for a text whose line ends were never normalised."""
    text = "one\rtwo\r\n\r\n# Head\r\nx"
    assert [(b.start, b.title) for b in markdown_blocks(text) if b.level] == [
        (text.index("#"), "Head")
    ]
