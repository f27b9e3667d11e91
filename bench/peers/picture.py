"""Search latency by size as an SVG picture, both axes logarithmic, one line a peer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["picture"]

_WIDTH, _HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 200, 48, 52
_COLOURS = (
    *("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e"),
    *("#8c564b", "#17becf", "#7f7f7f", "#bcbd22"),
)
_LEGS = (
    ("hybrid", "", ""),
    ("vector", " (vector only)", "6 3"),
    ("keyword", " (keyword only)", "2 3"),
)
_LABEL_GAP = 14.0


def picture(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draw the median search of each peer.

    Args:
        rows: Of measured peers. Hybrid search is drawn; of a peer without it the one leg that it has, dashed.

    Returns:
        The text of an SVG file.

    Raises:
        ValueError: When there is nothing to draw.
    """
    lines = _lines(rows)
    points = [point for _, _, series in lines for point in series]
    if not points:
        raise ValueError("no peer was measured: there is nothing to draw")
    across = _Axis([chunks for chunks, _ in points], _LEFT, _WIDTH - _RIGHT)
    up = _Axis([ms for _, ms in points], _HEIGHT - _BOTTOM, _TOP)
    body = [*_grid(across, up)]
    ends = []
    for colour, (name, dashes, series) in zip(_endless(), lines, strict=False):
        spots = [(across.place(chunks), up.place(ms)) for chunks, ms in series]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        body.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'
        )
        body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in spots]
        ends.append((spots[-1][1], colour, f"{name} {series[-1][1]:.2g} ms"))
    body += _labels(ends)
    return "\n".join([*_head(), *body, "</svg>"]) + "\n"


class _Axis:
    """Places values on a logarithmic axis that reaches from one tick to another."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        low, high = min(values) / 1.2, max(values) * 1.2
        self.ticks = [
            step * 10.0**power
            for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for step in (1, 2, 5)
            if low <= step * 10.0**power <= high
        ]
        self._low, self._span = math.log(low), math.log(high) - math.log(low)
        self._start, self._end = start, end

    def place(self, value: float) -> float:
        """Where a value lies, in units of the picture."""
        share = (math.log(value) - self._low) / self._span
        return self._start + share * (self._end - self._start)


def _lines(
    rows: Sequence[Mapping[str, Any]],
) -> list[tuple[str, str, list[tuple[float, float]]]]:
    found: dict[str, tuple[str, str, list[tuple[float, float]]]] = {}
    for row in sorted(rows, key=lambda row: row["chunks"]):
        for leg, mark, dashes in _LEGS:
            if leg in row:
                name = row["peer"]
                found.setdefault(name, (name + mark, dashes, []))
                found[name][2].append((row["chunks"], max(row[leg]["p50"], 0.01)))
                break
    return list(found.values())


def _endless() -> Iterable[str]:
    while True:
        yield from _COLOURS


def _head() -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="26" font-size="15">One search, median, by number of chunks</text>',
        f'<text x="{_LEFT - 8}" y="{_TOP - 6}" text-anchor="end">ms</text>',
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 12}" text-anchor="middle">chunks</text>',
    ]


def _grid(across: _Axis, up: _Axis) -> list[str]:
    drawn = []
    for tick in across.ticks:
        x = across.place(tick)
        drawn.append(
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_HEIGHT - _BOTTOM}" stroke="#e4e4e4"/>'
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{tick:,.0f}</text>'
        )
    for tick in up.ticks:
        y = up.place(tick)
        drawn.append(
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#e4e4e4"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    return drawn


def _labels(ends: Sequence[tuple[float, str, str]]) -> list[str]:
    """Beside the last points, moved apart so that none covers another."""
    drawn, free = [], 0.0
    for y, colour, text in sorted(ends):
        free = max(y + 4, free + _LABEL_GAP)
        drawn.append(
            f'<text x="{_WIDTH - _RIGHT + 10}" y="{free:.1f}" fill="{colour}">{escape(text)}</text>'
        )
    return drawn
