"""Writing to the two streams: text to read, exact text, and JSON."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, TypeVar

import click

from vstash.wire import to_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from vstash.types import Page

__all__ = [
    "bold",
    "colour",
    "err",
    "exact",
    "flush",
    "is_terminal",
    "json_line",
    "out",
    "out_json",
    "printable",
    "show_page",
    "table_width",
    "terminal_width",
]

Item = TypeVar("Item")
# Stored text must not move the cursor, recolour or retitle the terminal that shows it: controls,
# lone surrogates, and the marks that reorder text from right to left.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE_BREAKS = re.compile("[\t\n\r\u2028\u2029]+")
# JSON escapes only the controls below 0x20 by itself.
_HIGH_CONTROL = re.compile("[\x7f-\x9f]")
_NARROWEST, _WIDEST, _PIPE_WIDTH = 40, 120, 100


def printable(text: str, *, lines: bool = False) -> str:
    """Make stored text safe to show.

    Args:
        text: Whatever was stored.
        lines: Whether line breaks and tabs stay; otherwise each run becomes a blank.
    """
    text = text.replace("\r\n", "\n") if lines else _LINE_BREAKS.sub(" ", text)
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody reads this stream as it is written."""
    return stream is not None and not stream.closed and stream.isatty()


def colour() -> bool:
    """Whether standard output shows emphasis: a terminal, and NO_COLOR is not set."""
    return (
        is_terminal(sys.stdout)
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def bold(text: str) -> str:
    """Emphasise, where `colour` says so."""
    return click.style(text, bold=True) if colour() else text


def terminal_width() -> int:
    """Columns to fill: the terminal's within reason, a fixed number in a pipe."""
    if not is_terminal(sys.stdout):
        return _PIPE_WIDTH
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        columns = 0
    return min(max(columns or 80, _NARROWEST), _WIDEST)


def table_width() -> int | None:
    """Columns that a table must fit into: in a pipe, as many as it likes."""
    return terminal_width() if is_terminal(sys.stdout) else None


def out(text: str) -> None:
    """Print lines to standard output, whatever its encoding."""
    click.echo(_encodable(text, sys.stdout))


def err(text: str) -> None:
    """Print lines to standard error, whatever its encoding."""
    click.echo(_encodable(text, sys.stderr), err=True)


def exact(text: str) -> None:
    """Print a stored text: byte for byte as UTF-8 into a pipe, made safe on a terminal."""
    if is_terminal(sys.stdout):
        out(printable(text, lines=True).rstrip("\n"))
    else:
        click.echo(text.encode("utf-8", "backslashreplace"), nl=False)


def json_line(value: object, *, indent: int | None = None) -> str:
    """The JSON form of a value, without control characters and lone surrogates."""
    text = json.dumps(to_json(value), ensure_ascii=False, allow_nan=False, indent=indent)
    # A lone surrogate becomes its own JSON escape.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return _HIGH_CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def out_json(value: object) -> None:
    """Print a value as the one JSON document of this command, in UTF-8."""
    if is_terminal(sys.stdout):
        out(json_line(value, indent=2))
    else:
        click.echo(json_line(value).encode("utf-8"))


def show_page(
    page: Page[Item], block: Callable[[Item], str], *, as_json: bool, nothing: str
) -> None:
    """Print a part of a listing, and how to get the next.

    Args:
        page: The part.
        block: An item to read.
        as_json: Print one JSON document instead.
        nothing: What to say when there is no item.
    """
    if as_json:
        out_json(page)
        return
    for item in page.items:
        out(block(item))
    if not page.items:
        out(nothing)
    if page.next_cursor is not None:
        err(f"More: add --cursor {page.next_cursor}")


def flush() -> None:
    """Write what the streams hold back, while errors can still be told."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()


def _encodable(text: str, stream: TextIO | None) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
