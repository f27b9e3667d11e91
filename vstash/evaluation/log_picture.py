"""The picture of a log: disagreement over time, by collection, by word, and which leg was right."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from vstash.evaluation.picture import checked_picture, plotting, save

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vstash.log_reports import DisagreementReport

__all__ = ["draw_log"]

_MOST_BARS: Final = 12
# As many dates as can be read side by side.
_MOST_DATES: Final = 8


def draw_log(report: DisagreementReport, path: str | os.PathLike[str]) -> None:
    """Draw a report.

    Args:
        report: Of any log, an empty one too.
        path: A .png or .svg file.

    Raises:
        EvaluationError: When the file's name or folder cannot be used.
        ExtraMissingError: When matplotlib is not installed.
    """
    target, library = checked_picture(path), plotting()
    with library.rc_context({"svg.hashsalt": "vstash"}):
        figure = library.figure.Figure(figsize=(10, 6.4), layout="constrained")
        over_time, by_collection, terms, legs = figure.subplots(2, 2).flat
        _over_time(over_time, report)
        _bars(
            by_collection,
            f"mean disagreement@{report.k} by collection",
            [(each.name, each.disagreement) for each in report.by_collection],
        )
        _bars(
            terms,
            "by word of the query, those that weigh most",
            [(each.term, each.disagreement) for each in report.terms],
        )
        _legs(legs, report)
        for axes in (over_time, by_collection, terms, legs):
            axes.spines[["top", "right"]].set_visible(False)
        save(figure, target)


def _over_time(axes: Any, report: DisagreementReport) -> None:
    places = range(len(report.over_time))
    axes.plot(places, [each.disagreement for each in report.over_time], marker="o", markersize=3)
    axes.set_ylim(0, 1)
    axes.set_title(f"mean disagreement@{report.k} by {report.period}", fontsize=10)
    step = max(1, -(-len(places) // _MOST_DATES))
    shown = list(places)[::step]
    axes.set_xticks(shown, [report.over_time[each].name for each in shown], rotation=30, fontsize=8)


def _bars(axes: Any, title: str, rows: Sequence[tuple[str, float]]) -> None:
    # A dollar sign would begin a formula.
    shown = [(name.replace("$", r"\$"), value) for name, value in reversed(rows[:_MOST_BARS])]
    axes.barh(range(len(shown)), [value for _, value in shown])
    axes.set_yticks(range(len(shown)), [name for name, _ in shown], fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_title(title, fontsize=10)


def _legs(axes: Any, report: DisagreementReport) -> None:
    legs = report.legs
    names = ("vectors", "equal", "keywords")
    axes.bar(names, (legs.vector_better, legs.equal, legs.keyword_better))
    axes.set_title(f"which leg ranked {legs.chunks:,} helpful chunks higher", fontsize=10)
