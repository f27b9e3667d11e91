"""Values as text to read: tables, numbers, times and the blocks of a search."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from vstash.cli.output import bold, printable, terminal_width
from vstash.cli.passages import snippet

if TYPE_CHECKING:
    from vstash.types import Disagreement, Explanation, Hit, Triple

__all__ = [
    "Column",
    "counted",
    "disagreement_block",
    "fields_block",
    "hit_block",
    "query_cell",
    "shortened",
    "table",
    "time_cell",
]

_GAP: Final = "  "
_INDENT: Final = "   "
_NARROWEST_CELL: Final = 10
_ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True)
class Column:
    """How one column of a table is set.

    Attributes:
        heading: Above it.
        right: Whether it holds numbers.
        flexible: Whether its cells may be shortened to fit the terminal.
    """

    heading: str
    right: bool = False
    flexible: bool = False


def counted(number: int, noun: str) -> str:
    """A number of things: ``1 file``, ``2,000 files``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def time_cell(moment: datetime) -> str:
    """A time in UTC, to the second."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")


def cell_width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> int:
    if letter.isascii():
        return 1
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def shortened(text: str, width: int) -> str:
    """Cut the middle out of a text so that it takes at most ``width`` columns.

    Both ends stay, the last longer, because a path is told by its end and a title by its beginning.

    Example:
        >>> shortened("notes/2026/january/staging.md", 16)
        'notes…staging.md'
    """
    if cell_width(text) <= width:
        return text
    head = _fitting(text, (width - 1) // 3)
    tail = _fitting(text[::-1], width - 1 - (width - 1) // 3)[::-1]
    return f"{head}{_ELLIPSIS}{tail}"


def _fitting(text: str, width: int) -> str:
    used = 0
    for position, letter in enumerate(text):
        used += _letter_width(letter)
        if used > width:
            return text[:position]
    return text


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, width: int | None) -> str:
    """Set rows under headings.

    Args:
        columns: How each is set.
        rows: One text per column.
        width: Columns to fit into by shortening flexible cells; None for as wide as needed.

    Returns:
        Lines without a line break at the end.
    """
    safe = [[printable(cell) for cell in row] for row in rows]
    widths = [
        max(cell_width(column.heading), *(cell_width(row[at]) for row in safe), 0)
        for at, column in enumerate(columns)
    ]
    if width is not None:
        widths = _fitted(columns, widths, width - len(_GAP) * (len(columns) - 1))
    heading = bold(_line(columns, widths, [column.heading for column in columns]))
    return "\n".join([heading, *(_line(columns, widths, row) for row in safe)])


def _fitted(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Take what is too much from the widest flexible columns, one by one."""
    fitted = list(widths)
    flexible = [at for at, column in enumerate(columns) if column.flexible]
    while flexible and sum(fitted) > width:
        widest = max(flexible, key=lambda at: fitted[at])
        if fitted[widest] <= _NARROWEST_CELL:
            break
        fitted[widest] -= 1
    return fitted


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> str:
    set_cells = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        text = shortened(cell, width)
        padding = " " * (width - cell_width(text))
        set_cells.append(padding + text if column.right else text + padding)
    return _GAP.join(set_cells).rstrip()


def fields_block(fields: Sequence[tuple[str, str]]) -> str:
    """Names and values, one pair a line."""
    longest = max(len(name) for name, _ in fields)
    return "\n".join(
        f"{bold(name.ljust(longest))}{_GAP}{printable(value)}".rstrip() for name, value in fields
    )


def hit_block(rank: int, hit: Hit, words: Sequence[str], *, explain: bool) -> str:
    """One hit: where it comes from, the passage around the matches, and its evidence.

    Args:
        rank: From 1.
        hit: With its explanation when ``explain`` is set.
        words: Derived words to emphasise.
        explain: Whether to say where the score comes from.
    """
    document, chunk = hit.document, hit.chunk
    title = printable(document.title)
    key = printable(document.key)
    name = f"{bold(title)}  ({key})" if title and title != key else bold(key)
    lines = [f"{rank}. {hit.score:.3f}  {name}"]
    if chunk.heading and chunk.heading != (document.title,):
        lines.append(_INDENT + printable(" > ".join(chunk.heading)))
    width = terminal_width() - len(_INDENT) - 2
    passage = snippet(printable(chunk.text, lines=True), words, width=width, emphasise=bold)
    lines += [_INDENT + line for line in passage]
    legs = (
        "" if hit.relevance is None else f"relevance {hit.relevance:.2f} ({hit.tier})",
        _leg("vector", hit.vector_rank, hit.vector_score, ".3f"),
        _leg("keyword", hit.keyword_rank, hit.keyword_score, ".3g"),
        f"chunk {chunk.id}",
        f"document {document.id}",
        f"stands for {counted(hit.more, 'other passage')}" if hit.more else "",
    )
    lines.append(_INDENT + "; ".join(part for part in legs if part))
    if explain and hit.explanation is not None:
        lines += [_INDENT + line for line in _explained(hit.explanation)]
    return "\n".join(lines)


def _leg(name: str, rank: int | None, score: float | None, digits: str) -> str:
    if score is None:
        return ""
    return f"{name} {'not listed' if rank is None else f'#{rank}'} ({score:{digits}})"


def _explained(explanation: Explanation) -> list[str]:
    others = (
        ("the best hits", explanation.feedback_part),
        ("exact matches", explanation.exact_part),
        ("recency", explanation.recency_part),
    )
    parts = (
        f"score = {explanation.vector_part:.3f} from the vector leg "
        f"+ {explanation.keyword_part:.3f} from the keyword leg"
        + "".join(f" + {part:.3f} from {name}" for name, part in others if part)
    )
    matched = ", ".join(
        f"{printable(word.word)} ({word.idf:.2f}, {'+'.join(word.fields)})"
        for word in explanation.matched
    )
    return [
        printable(explanation.why),
        parts,
        f"matched words (idf): {matched or 'none'}",
    ]


def disagreement_block(item: Disagreement) -> str:
    """One logged search and its triples."""
    head = (
        f"{time_cell(item.at)}  disagreement@{item.k} {item.disagreement:.2f}  "
        f"{bold(query_cell(item.query))}"
    )
    if item.asked > 1:
        head += f"  asked {item.asked:,} times"
    return "\n".join([head, *(_triple_lines(triple) for triple in item.triples)])


def query_cell(query: str | None) -> str:
    """A logged query, or that its text was not kept."""
    return "(text not kept)" if query is None else printable(query)


def _triple_lines(triple: Triple) -> str:
    positive, negative = triple.positive_chunk_id, triple.negative_chunk_id
    lines = [f"{_INDENT}{triple.kind}: chunk {positive} above chunk {negative}"]
    width = terminal_width() - len(_INDENT) * 2
    for sign, text in (("+", triple.positive_text), ("-", triple.negative_text)):
        if text is not None:
            lines.append(f"{_INDENT * 2}{sign} {shortened(printable(text), width)}")
    return "\n".join(lines)
