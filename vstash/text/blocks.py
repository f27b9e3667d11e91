"""Where the blocks of a text start: what a chunk should not be cut within."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from vstash.text.media import Structure, format_of_type

__all__ = ["Block", "line_starts", "split_blocks"]

_NEWLINE = re.compile("\n")
_COMMENT = ("#", "//", "/*", "*/", " *", "--", ";", "@", "%", "'''", '"""', "<!--")
_CLOSERS = ("}", ")", "]", "end", "else", "elif", "except", "finally", "catch")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a text; it ends where the next one starts.

    Attributes:
        start: Offset of its first character.
        kind: ``prose`` is best cut at sentence ends, ``lines`` at line ends.
        level: Of a heading, from 1 for the outermost; 0 for a block that is none.
        title: Of a heading, without markup.
    """

    start: int
    kind: Literal["prose", "lines"]
    level: int = 0
    title: str = ""


def line_starts(text: str) -> list[int]:
    r"""Offsets at which the lines of a text start.

    Args:
        text: Any text; only a line feed ends a line.

    Returns:
        One offset per line, ascending from 0.

    Example:
        >>> line_starts("a\nbc\n")
        [0, 2, 5]
    """
    return [0, *(match.end() for match in _NEWLINE.finditer(text))]


def split_blocks(text: str, media_type: str) -> list[Block]:
    r"""Find the blocks of a text by the rules of its format.

    Args:
        text: Any text.
        media_type: An unknown one means plain text.

    Returns:
        At least one block, the first at offset 0, in ascending order.

    Example:
        >>> [block.start for block in split_blocks("one\n\ntwo", "text/plain")]
        [0, 5]
    """
    found = format_of_type(media_type)
    blocks = _by_structure(text, found.structure if found else "plain")
    if not blocks or text[: blocks[0].start].strip():
        return [Block(0, "prose"), *blocks]
    return [replace(blocks[0], start=0), *blocks[1:]]


def _by_structure(text: str, structure: Structure) -> list[Block]:
    if structure == "markdown":
        from vstash.text.markdown import markdown_blocks  # noqa: PLC0415 - loads the parser

        return markdown_blocks(text)
    if structure == "rst":
        from vstash.text.rst import rst_blocks  # noqa: PLC0415 - it imports this module

        return rst_blocks(text)
    if structure == "plain":
        return _paragraphs(text)
    if structure == "code":
        return _definitions(text)
    if structure == "json":
        return _json_members(text)
    return [Block(start, "lines") for start in line_starts(text)]


def _paragraphs(text: str) -> list[Block]:
    found: list[Block] = []
    opens = True
    for start, line in zip(line_starts(text), text.split("\n"), strict=True):
        blank = not line.strip()
        if opens and not blank:
            found.append(Block(start, "prose"))
        opens = blank
    return found


def _definitions(text: str) -> list[Block]:
    """Source code of any language: a line at column 0 after a blank line opens a block.

    So does the first of the comments or decorators above a line, which belong to what they precede.
    A line that closes or continues something opens none.
    """
    found: list[Block] = []
    after_blank, after_comment = True, False
    for start, line in zip(line_starts(text), text.split("\n"), strict=True):
        blank = not line.strip()
        comment = line.startswith(_COMMENT)
        at_margin = not blank and not line[0].isspace()
        opens = at_margin and (after_blank or (comment and not after_comment))
        if opens and not line.startswith(_CLOSERS):
            found.append(Block(start, "lines"))
        after_blank, after_comment = blank, comment
    return found


def _json_members(text: str) -> list[Block]:
    """The members of the outermost object or array: lines of the smallest indent there is."""
    lines = text.split("\n")
    indents = [len(line) - len(line.lstrip()) for line in lines]
    inner = min(
        (i for i, line in zip(indents, lines, strict=True) if i and line.strip()), default=0
    )
    return [
        Block(start, "lines")
        for start, line, indent in zip(line_starts(text), lines, indents, strict=True)
        if indent <= inner and line.strip() and line.lstrip()[0] not in "]}"
    ]
