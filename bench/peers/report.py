"""The table that a run prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["table"]

_COLUMNS = (
    ("peer", "peer"),
    ("version", "version"),
    ("build s", "build_s"),
    ("hybrid p50 ms", "hybrid.p50"),
    ("p99 ms", "hybrid.p99"),
    ("vector p50 ms", "vector.p50"),
    ("recall@10", "vector.recall"),
    ("keyword p50 ms", "keyword.p50"),
    ("disk MB", "disk_mb"),
    ("build peak MB", "build_peak_mb"),
    ("search peak MB", "search_peak_mb"),
)
_DIGITS = {"vector.recall": 3, "disk_mb": 0, "build_peak_mb": 0, "search_peak_mb": 0}


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draw the rows of one size as a Markdown table, with what has to be known below it.

    A row of a peer that failed holds its reason under ``failed`` and is drawn with it.
    """
    cells = [[title for title, _ in _COLUMNS]]
    cells += [_failed(row) if "failed" in row else _measured(row) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_COLUMNS))]
    lines = [_line(line, widths) for line in cells]
    rule = [":" + "-" * (w - 1) if c < 2 else "-" * (w - 1) + ":" for c, w in enumerate(widths)]
    lines.insert(1, f"| {' | '.join(rule)} |")
    reasons = [f"- {row['peer']} failed: {row['failed']}" for row in rows if "failed" in row]
    notes = [f"- {row['peer']}: {row['note']}" for row in rows if row.get("note")]
    return "\n".join([*lines, "", *reasons, *notes]).rstrip() + "\n"


def _measured(row: Mapping[str, Any]) -> list[str]:
    versions = row["peer_versions"]
    named = {"peer": row["peer"], "version": next(iter(versions.values()), "")}
    return [named.get(path) or _number(row, path) for _, path in _COLUMNS]


def _failed(row: Mapping[str, Any]) -> list[str]:
    return [row["peer"], "failed", *("" for _ in _COLUMNS[2:])]


def _number(row: Mapping[str, Any], path: str) -> str:
    value: Any = row
    for part in path.split("."):
        value = value.get(part, {})
    if value == {}:
        return "-"
    digits = _DIGITS.get(path, 1 if value >= 1 else 2)
    return f"{value:,.{digits}f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(aligned)} |"
