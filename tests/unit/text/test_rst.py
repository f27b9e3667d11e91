"""reStructuredText: title and blocks."""

from __future__ import annotations

import pytest

from vstash.text.rst import rst_blocks, rst_content

TEXT = """\
=====
Guide
=====

Intro paragraph.

.. unknown-directive:: x

   Its content.

Install
-------
Use :ref:`the tool <tool>`.

The ``fast`` *way*
~~~~~~~~~~~~~~~~~~

- item

----

Usage
-----
End.
"""


def test_sections() -> None:
    """Levels follow the order of adornments; an overline is a style of its own."""
    found = [(b.level, b.title, TEXT[b.start :][:5]) for b in rst_blocks(TEXT) if b.level]
    assert found == [
        (1, "Guide", "====="),
        (2, "Install", "Insta"),
        (3, "The fast way", "The `"),
        (2, "Usage", "Usage"),
    ]


def test_a_directive_keeps_its_content() -> None:
    """Indented lines open no block."""
    starts = [TEXT[b.start :].split("\n", 1)[0] for b in rst_blocks(TEXT) if not b.level]
    assert starts == [
        "Intro paragraph.",
        ".. unknown-directive:: x",
        "Use :ref:`the tool <tool>`.",
        "- item",
        "----",
        "End.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Longer than its line\n=====\n",
        "para\nTitle\n=====\n",
        "  Indented\n==========\n",
        "x\n\n=====\n\ny",
        "=====  =====\na      b\n=====  =====\n",
        "=====\nTitle\n-----\n",
        "Ab\n==\n",
        "",
    ],
)
def test_what_is_no_section(text: str) -> None:
    """A short, indented, mismatched or lonely line of signs adorns no title."""
    assert [b for b in rst_blocks(text) if b.level] == []
    assert rst_content(text).title == ""


def test_roles_in_titles_are_read() -> None:
    """A role in a title shows its text."""
    assert rst_content("Use :py:func:`open <x.open>`\n============================\n").title == (
        "Use open"
    )
