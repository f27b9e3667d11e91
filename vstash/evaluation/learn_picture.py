"""The picture of what there is to learn from: triples by source, how sure and how hard they are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from vstash.evaluation.picture import checked_picture, plotting, save

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vstash.mining import LearnReport, Spread

__all__ = ["draw_triples"]


def draw_triples(report: LearnReport, path: str | os.PathLike[str]) -> None:
    """Draw a report.

    Args:
        report: Of any file, one without a triple too.
        path: A .png or .svg file.

    Raises:
        EvaluationError: When the file's name or folder cannot be used.
        ExtraMissingError: When matplotlib is not installed.
    """
    target, library = checked_picture(path), plotting()
    with library.rc_context({"svg.hashsalt": "vstash"}):
        figure = library.figure.Figure(figsize=(10, 6.4), layout="constrained")
        sources, worth, spreads, covered = figure.subplots(2, 2).flat
        _sources(sources, report)
        _worth(worth, report)
        known: dict[str, Spread] = dict([*report.difficulty.items()])
        if report.evidence is not None:
            known["evidence"] = report.evidence
        _spreads(spreads, known)
        _covered(covered, report)
        for axes in (sources, worth, spreads, covered):
            axes.spines[["top", "right"]].set_visible(False)
        save(figure, target)


def _sources(axes: Any, report: LearnReport) -> None:
    names = [each.name for each in report.sources]
    below = [0] * len(names)
    for kind in report.triples:
        counts = [each.triples.get(kind, 0) for each in report.sources]
        axes.bar(names, counts, bottom=below, label=kind)
        below = [low + count for low, count in zip(below, counts, strict=True)]
    axes.set_title("triples by where their queries are from", fontsize=10)
    axes.tick_params(axis="x", labelsize=8, rotation=30)
    if report.triples:
        axes.legend(fontsize=8)


def _worth(axes: Any, report: LearnReport) -> None:
    known = [(each.name, each.evidence or 0.0, each.worth or 0.0) for each in report.sources]
    places = range(len(known))
    axes.barh([place + 0.2 for place in places], [each[1] for each in known], 0.4, label="evidence")
    axes.barh([place - 0.2 for place in places], [each[2] for each in known], 0.4, label="worth")
    axes.set_yticks(places, [each[0] for each in known], fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_title("mean evidence and worth of a triple", fontsize=10)
    axes.legend(fontsize=8)


def _spreads(axes: Any, known: Mapping[str, Spread]) -> None:
    boxes = []
    for name, found in known.items():
        low, first, middle, third, high = found.quantiles
        ends = {"whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high}
        boxes.append({"label": name, **ends})
    if boxes:
        axes.bxp(boxes, showfliers=False)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title("margin of the positive, by kind, and evidence", fontsize=10)


def _covered(axes: Any, report: LearnReport) -> None:
    cover, false = report.coverage, report.false_negatives
    shares = {
        "documents covered": cover.documents_covered / max(cover.documents, 1),
        "chunks covered": cover.chunks_covered / max(cover.chunks, 1),
        "false negatives, estimated": false.estimated or 0.0,
        "judged false": false.measured or 0.0,
    }
    axes.bar([*shares], [*shares.values()])
    axes.set_ylim(0, 1)
    axes.tick_params(axis="x", labelsize=8, rotation=15)
    axes.set_title("coverage, and negatives that may be answers", fontsize=10)
