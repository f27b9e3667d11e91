"""Data files: CSV, TSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Final

from vstash.text.extracted import Content

__all__ = ["json_content", "table_content"]

_LONG_LINE: Final = 2_000
_MAX_INDENT: Final = 8
_SNIFFED: Final = ",;\t|"
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*%?")
# Never fails and never goes back: a string without an end runs to the end of the text.
_JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


def table_content(text: str, *, tabs: bool) -> Content:
    r"""Render a table so that each row can be read alone: ``column: value; column: value``.

    The first row names the columns, unless a cell of it is empty, repeated or a number; then they
    are numbered. Empty cells are left out. What is not well-formed CSV stays as it is.

    Args:
        text: The decoded file.
        tabs: True for TSV; otherwise the separator is the commonest of ``, ; tab |`` in the first
            line.

    Returns:
        One line per row.

    Example:
        >>> table_content("name,born\nAda,1815\n", tabs=False).text
        'name: Ada; born: 1815'
    """
    first_line = text.lstrip("\n").partition("\n")[0]
    separator = "\t" if tabs else max(_SNIFFED, key=first_line.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]
    except csv.Error:  # such as a field beyond the reader's limit, after a quote without an end
        return Content(text)
    if not rows:
        return Content("")
    header = [" ".join(cell.split()) for cell in rows[0]]
    if _names_columns(header) and len(rows) > 1:
        rows = rows[1:]
    else:
        header = []
    lines = (_row_line(header, row) for row in rows)
    return Content("\n".join(line for line in lines if line))


def _names_columns(header: list[str]) -> bool:
    return (
        all(header)
        and len(set(header)) == len(header)
        and not any(_NUMBER.fullmatch(cell) for cell in header)
    )


def _row_line(header: list[str], row: list[str]) -> str:
    pairs = []
    for index, cell in enumerate(row):
        value = " ".join(cell.split())
        if value:
            column = header[index] if index < len(header) else f"column {index + 1}"
            pairs.append(f"{column}: {value}")
    return "; ".join(pairs)


def json_content(text: str) -> Content:
    """Keep a JSON text as it is, except where a line is too long to be cut well.

    Args:
        text: The decoded file.

    Returns:
        The same text, or the same values with one to a line when a line exceeds 2,000 characters
        and the whole is valid JSON.

    Example:
        >>> json_content('{"a": [1, 2]}').text
        '{"a": [1, 2]}'
    """
    if max(map(len, text.split("\n"))) <= _LONG_LINE or not _is_json(text):
        return Content(text)
    return Content(_indented(text))


def _is_json(text: str) -> bool:
    try:
        # Numbers as text: a number of many digits is legal JSON that int() refuses.
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _indented(text: str) -> str:
    """Set line breaks between the tokens, not through parsing: numbers and keys stay as written.

    The indent is bounded, since a deep array would otherwise grow with the square of its depth.
    """
    out: list[str] = []
    depth = 0
    previous = ""
    for match in _JSON_TOKEN.finditer(text):
        piece = match[0]
        closes = piece in "]}"
        depth -= closes
        breaks = previous not in "[{" if closes else previous in "[{,"
        if previous and breaks and piece != ",":
            out.append("\n" + " " * min(depth, _MAX_INDENT))
        out.append(": " if piece == ":" else piece)
        depth += piece in "[{"
        previous = piece
    return "".join(out)
