"""The tables of a run: printed, kept as Markdown, and as rows of a results file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.machine import append_row

if TYPE_CHECKING:
    from vstash.evaluation import Interval

__all__ = ["Report", "number", "ranged"]

_HEAD = "# Retrieval quality, as measured by `python -m bench.quality`"
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


def number(value: float, digits: int = 3) -> str:
    """A number without the zero before its point, as tables of metrics show it.

    Example:
        >>> number(0.3792), number(-0.01), number(1.0)
        ('.379', '-.010', '1.000')
    """
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.{digits}f}")


def ranged(interval: Interval) -> str:
    """A mean with the ends of its interval."""
    return f"{number(interval.mean)} [{number(interval.low)}, {number(interval.high)}]"


class Report:
    """Takes what the parts measured.

    Args:
        results: A JSON Lines file that rows are appended to.
        common: What every row says beside its own values.
    """

    def __init__(self, results: Path, common: Mapping[str, object]) -> None:
        self._results = results
        self._common = common
        self._sections: dict[str, list[str]] = {}
        self._at: list[str] = []

    def section(self, title: str, note: str = "") -> None:
        """Begin a section; the same title again goes on with it."""
        self._at = self._sections.setdefault(title, [])
        print(f"\n## {title}\n", flush=True)
        if note:
            self.text(note)

    def text(self, text: str) -> None:
        """A paragraph."""
        self._at += [text, ""]
        print(f"{text}\n", flush=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; the first column is left-aligned."""
        widths = [max(3, *map(len, column)) for column in zip(columns, *rows, strict=True)]
        rules = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
        lines = [_line(columns, widths), f"| {' | '.join(rules)} |"]
        self.text("\n".join([*lines, *(_line(row, widths) for row in rows)]))

    def row(self, part: str, values: Mapping[str, object]) -> None:
        """Append a row to the results file."""
        append_row(self._results, {"bench": "quality", "part": part, **self._common, **values})

    def write(self, path: Path) -> None:
        """Write the sections to a Markdown file; sections of earlier runs stay unless made anew."""
        made = {title: "\n".join(lines).strip() for title, lines in self._sections.items()}
        kept = {**_sections(path), **made}
        text = "\n\n".join([_HEAD, *(f"## {title}\n\n{body}" for title, body in kept.items())])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.rjust(width) if place else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join([first, *others])} |"


def _sections(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    _, *parts = _SECTION.split(path.read_text(encoding="utf-8"))
    return {title: body.strip() for title, body in zip(parts[::2], parts[1::2], strict=True)}
