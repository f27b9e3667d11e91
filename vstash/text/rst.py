"""reStructuredText: title, and blocks by sections and paragraphs.

docutils is not used: it knows no Sphinx directives, and what follows an unknown one, its sections
included, gets wrong line numbers or none.
"""

from __future__ import annotations

import re
from typing import Final

from vstash.text.blocks import Block, line_starts
from vstash.text.extracted import Content, one_line

__all__ = ["rst_blocks", "rst_content"]

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}[ \t]*")
_TITLE_CHARS: Final = 1_000
_ROLE = re.compile(r":[\w:.+-]+:`([^`<]*)(?:<[^`]*)?`")


def rst_content(text: str) -> Content:
    r"""Read a reStructuredText file; its title is that of its first section.

    Args:
        text: With line feeds as line ends.

    Returns:
        The text as it is, and the title.

    Example:
        >>> rst_content("Guide\n=====\n\nText.").title
        'Guide'
    """
    return Content(text, next((b.title for b in rst_blocks(text) if b.level and b.title), ""))


def rst_blocks(text: str) -> list[Block]:
    r"""Find sections by their adornment lines, and paragraphs by blank lines.

    An indented line never opens a block, so that a directive keeps its content.

    Args:
        text: Any text.

    Returns:
        Blocks in order, each up to the start of the next. Levels of sections count from 1, by
        the order in which their adornments first appear.

    Example:
        >>> [(b.level, b.title) for b in rst_blocks("A\n===\nx\n\nB\n---\ny") if b.level]
        [(1, 'A'), (2, 'B')]
    """
    lines = text.split("\n")
    starts = line_starts(text)
    styles: dict[tuple[str, bool], int] = {}
    found: list[Block] = []
    opens = True
    index = 0
    while index < len(lines):
        line = lines[index]
        taken, style, title = _section_at(lines, index)
        if taken:
            level = styles.setdefault(style, len(styles) + 1)
            found.append(Block(starts[index], "prose", level, title))
            index += taken
            opens = True
            continue
        blank = not line.strip()
        if opens and not blank and (not line[0].isspace() or not found or found[-1].level):
            found.append(Block(starts[index], "prose"))
            opens = False
        opens = opens or blank
        index += 1
    return found


def _section_at(lines: list[str], index: int) -> tuple[int, tuple[str, bool], str]:
    """How many lines of a section title start here (0 for none), its style and its text."""
    nothing = (0, ("", False), "")
    line = lines[index]
    if not line.strip() or index + 1 >= len(lines):
        return nothing
    over = _ADORNMENT.fullmatch(line)
    if over:
        title = lines[index + 1]
        under = lines[index + 2] if index + 2 < len(lines) else ""
        if (
            title.strip()
            and under.rstrip() == line.rstrip()
            and len(line.rstrip()) >= len(title.rstrip())
            and not _ADORNMENT.fullmatch(title)
        ):
            return 3, (over[1], True), _plain(title)
        return nothing
    under = lines[index + 1]
    adorned = _ADORNMENT.fullmatch(under)
    after_blank = index == 0 or not lines[index - 1].strip()
    if (
        adorned is None
        or line[0].isspace()
        or not after_blank
        or len(under.rstrip()) < len(line.rstrip())
    ):
        return nothing
    return 2, (adorned[1], False), _plain(line)


def _plain(title: str) -> str:
    """A title without roles and markup of code and emphasis."""
    return one_line(_ROLE.sub(r"\1", title[:_TITLE_CHARS]).replace("`", "").replace("*", ""))
