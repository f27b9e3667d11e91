"""How well relevance is calibrated, and how well it tells answerable queries from others."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.quality.firsts import Best, Gathered, gathered
from bench.quality.fitting import fitted
from bench.quality.report import Report, number
from bench.quality.scores import auroc, brier, calibration_error, equal_mass_bins
from bench.quality.sets import Asked
from vstash.evaluation.picture import checked_picture
from vstash.search.relevance import ABSTAIN_BELOW, Calibration, relevance

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Measures", "measured", "run"]

_NOTE = f"""On the first hit of each query, through the path of `Memory.search`. ECE: ten bins of equal mass.
AUROC (a): queries whose first hit was relevant against the same with all their relevant documents left
out; (b): against queries of the other sets, asked here. Refused: the share of which the best hit has a
relevance below {ABSTAIN_BELOW:g}."""
_LEFT_OUT = "The same, each set by a calibration fitted on the sets of other families."

# The relevance of the best hit, and whether the search abstained.
Judge = Callable[[Best], tuple[float, bool]]


@dataclass(frozen=True, slots=True)
class Measures:
    """What a calibration is judged by on one set.

    Attributes:
        precision: Share of queries whose first hit was relevant.
        mean: Mean relevance of first hits.
        ece: Expected calibration error of first hits.
        brier: Mean squared error of first hits.
        auroc_bereft: Answerable queries against the same without their answers.
        auroc_foreign: Answerable queries against those of other sets.
        refused_answerable: Share of answerable queries that were refused.
        refused_bereft: Share of those without their answers.
        refused_foreign: Share of queries of other sets.
    """

    precision: float
    mean: float
    ece: float
    brier: float
    auroc_bereft: float
    auroc_foreign: float
    refused_answerable: float
    refused_bereft: float
    refused_foreign: float


def run(asked: Sequence[Asked], given: argparse.Namespace, report: Report) -> None:
    """Measure the product's calibration; with --fit, others fitted on the other sets."""
    found = [gathered(each, asked, given.seed) for each in asked]
    report.section("Relevance", _NOTE)
    _table(found, {each.name: _shipped for each in found}, report, "relevance")
    if given.picture is not None:
        _draw(found, given.picture / "reliability.svg")
    if given.fit:
        _fit(found, given.fit_hits, report)


def measured(gathered: Gathered, judge: Judge) -> Measures:
    """What a way to judge relevance is worth on a set.

    Args:
        gathered: What the set's searches found.
        judge: Of a search's best hits.
    """
    own, bereft, foreign = (
        _judged(each, judge) for each in (gathered.own, gathered.bereft, gathered.foreign)
    )
    answerable = own[list(gathered.answerable)]
    return Measures(
        precision=float(gathered.outcomes.mean()),
        mean=float(own[:, 0].mean()),
        ece=calibration_error(own[:, 0], gathered.outcomes),
        brier=brier(own[:, 0], gathered.outcomes),
        auroc_bereft=_apart(answerable, bereft),
        auroc_foreign=_apart(answerable, foreign),
        refused_answerable=_share(answerable),
        refused_bereft=_share(bereft),
        refused_foreign=_share(foreign),
    )


def _judged(bests: Sequence[Best], judge: Judge) -> NDArray[np.float64]:
    return np.array([judge(best) for best in bests], dtype=np.float64).reshape(len(bests), 2)


def _apart(positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> float:
    if not len(positives) or not len(negatives):
        return float("nan")
    return auroc(positives[:, 0], negatives[:, 0])


def _share(judged: NDArray[np.float64]) -> float:
    return float(judged[:, 1].mean()) if len(judged) else float("nan")


def _known(value: float) -> float | None:
    """None where there was nothing to measure on: JSON has no NaN."""
    return None if math.isnan(value) else round(value, 4)


def _shipped(best: Best) -> tuple[float, bool]:
    return best.relevance, best.abstained


def _by(calibration: Calibration) -> Judge:
    def judge(best: Best) -> tuple[float, bool]:
        if not len(best.features):
            return 0.0, True
        found = relevance(best.features, calibration)
        return float(found[0]), float(found.max()) < ABSTAIN_BELOW

    return judge


def _table(
    found: Sequence[Gathered], judges: Mapping[str, Judge], report: Report, part: str
) -> None:
    lines = []
    columns = (
        *("set", "queries", "first relevant", "mean relevance", "ECE", "Brier"),
        *("AUROC (a)", "AUROC (b)", "refused: answerable", "without answer", "foreign"),
    )
    rows = []
    for each in found:
        values = asdict(measured(each, judges[each.name]))
        rows.append(list(values.values()))
        lines.append([each.name, f"{len(each.own):,}", *map(number, values.values())])
        report.row(
            part,
            {
                "set": each.name,
                "queries": len(each.own),
                "foreign": len(each.foreign),
                **{name: _known(value) for name, value in values.items()},
            },
        )
    lines.append(["mean", "", *map(number, np.mean(rows, axis=0).tolist())])
    report.table(columns, lines)


def _fit(found: Sequence[Gathered], hits: int, report: Report) -> None:
    families = {each.family for each in found}
    if len(families) == 1:
        raise SystemExit("--fit leaves out one family of sets at a time: give sets of two or more.")
    for title, cosine in (("with the cosine", True), ("without the cosine", False)):
        others = {
            family: fitted(
                [each for each in found if each.family != family], hits=hits, cosine=cosine
            )
            for family in families
        }
        report.section(f"Relevance, fitted on other sets, {title}", _LEFT_OUT)
        judges = {each.name: _by(others[each.family]) for each in found}
        _table(found, judges, report, "fit" if cosine else "fit-any-model")
        everything = fitted(found, hits=hits, cosine=cosine)
        values = [round(value, 4) for value in (*everything.weights, everything.intercept)]
        report.row("calibration", {"cosine": cosine, "hits": hits, "calibration": values})
        report.text(f'Fitted on all sets: `"calibration": {values}`')


def _draw(found: Sequence[Gathered], path: Path) -> None:
    """The reliability diagram: how often first hits of a relevance were relevant."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = checked_picture(path)
    import matplotlib.figure  # noqa: PLC0415 - an extra

    with matplotlib.rc_context({"svg.hashsalt": "vstash"}):
        figure = matplotlib.figure.Figure(figsize=(5.6, 4.2), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        for each in found:
            bins = equal_mass_bins(_judged(each.own, _shipped)[:, 0], each.outcomes)
            axes.plot(bins[:, 0], bins[:, 1], marker=".", linewidth=1, label=each.name)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.set_xlabel("relevance of the first hit")
        axes.set_ylabel("share that was relevant")
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside right upper", frameon=False)
        figure.savefig(target, metadata={"Date": None})
