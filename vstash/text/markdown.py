"""Markdown: front matter, title, and blocks by the lines of the parser's tokens."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from vstash.text.blocks import Block, line_starts
from vstash.text.extracted import Content, one_line
from vstash.text.front_matter import FrontMatter, split_front_matter

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["markdown_blocks", "markdown_content"]

_TITLE_CHARS: Final = 20_000
_MARKUP: Final = frozenset("`*_[]<>&\\~")
_LINES: Final = frozenset({"fence", "code_block", "html_block", "table_open"})
_PROSE: Final = frozenset({"paragraph_open", "blockquote_open", "hr"})


def markdown_content(text: str) -> Content:
    r"""Read a Markdown text.

    Args:
        text: With line feeds as line ends.

    Returns:
        The text behind the front matter; its title from ``title`` or the first heading of level 1;
        its tags from ``tags``; everything else of the front matter as metadata.

    Example:
        >>> markdown_content("# A *new* day\n\nText.").title
        'A new day'
    """
    front, body = split_front_matter(text)
    title = front.pop("title", None)
    shown = one_line(str(title)) if isinstance(title, str | int | float) else ""
    tags = _tags(front)
    return Content(body, shown or _first_heading(body), front, tags)


def _tags(front: FrontMatter) -> tuple[str, ...]:
    value = front.pop("tags", None)
    if isinstance(value, str):
        value = value.split(",")
    elif not isinstance(value, list):
        value = [value]
    names = (one_line(str(tag)).lstrip("# ") for tag in value if isinstance(tag, str | int | float))
    return tuple(dict.fromkeys(name for name in names if name))


def _first_heading(body: str) -> str:
    head = body[:_TITLE_CHARS]
    if len(body) > _TITLE_CHARS:
        head = head[: head.rfind("\n") + 1]
    return next((b.title for b in markdown_blocks(head) if b.level == 1 and b.title), "")


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - loaded with the first Markdown text

    # Without inline parsing: only the lines of blocks are asked for.
    return _ready(MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"]))


@lru_cache(maxsize=1)
def _inline_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - loaded with the first Markdown text

    return _ready(MarkdownIt("commonmark"))


def _ready(parser: MarkdownIt) -> MarkdownIt:
    # A parser lists its rules on first use, and a second thread would meet half of the list.
    parser.parse("a")
    return parser


def _plain(content: str) -> str:
    """A heading's text without its markup."""
    if _MARKUP.isdisjoint(content):
        return one_line(content)
    pieces = []
    for token in _inline_parser().parseInline(content[:_TITLE_CHARS]):
        for child in token.children or []:
            if child.type in ("text", "code_inline", "image"):
                pieces.append(child.content)
            elif child.type in ("softbreak", "hardbreak"):
                pieces.append(" ")
    return one_line("".join(pieces))


def markdown_blocks(text: str) -> list[Block]:
    r"""Find headings, paragraphs, list items, code, quotes and tables.

    Args:
        text: Any text.

    Returns:
        Blocks in order, each up to the start of the next; empty for a text without any.

    Example:
        >>> [(b.start, b.level, b.title) for b in markdown_blocks("# One\ntext\n## Two\n")]
        [(0, 1, 'One'), (6, 0, ''), (11, 2, 'Two')]
    """
    starts = line_starts(text)
    # The parser takes a carriage return for a line end, which would shift its line numbers.
    tokens = _parser().parse(text.replace("\r", " "))
    found: list[Block] = []
    for index, token in enumerate(tokens):
        block = _block(tokens, index, token, starts)
        if block is not None and (not found or block.start > found[-1].start):
            found.append(block)
    return found


def _block(tokens: list[Token], index: int, token: Token, starts: list[int]) -> Block | None:
    if token.map is None:
        return None
    start = starts[token.map[0]]
    if token.type == "heading_open" and token.level == 0:
        return Block(start, "prose", int(token.tag[1:]), _plain(tokens[index + 1].content))
    if token.type == "list_item_open":
        return Block(start, "prose")
    if token.level == 0 and token.type in _LINES:
        return Block(start, "lines")
    if token.level == 0 and token.type in _PROSE:
        return Block(start, "prose")
    return None
