"""nDCG@10 and latency of every way to search."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.quality.report import Report, ranged
from bench.quality.sets import Asked
from vstash.evaluation import DEFAULT_WAYS, Comparison, Evaluation, Interval, WayResult, compare
from vstash.resampling import resampled_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["METRIC", "better_leg", "mean_over_sets", "run", "strategies", "values_of"]

METRIC = "nDCG@10"
_LEGS = ("vector", "keyword")
_RESAMPLES = 10_000
_NOTE = """nDCG@10 of documents with 95 % bootstrap intervals over queries; the mean weighs every set the same."""
_AGAINST = """The same queries by `score` and by the better single leg of the set. The loss is significant where all of
the interval is below 0."""
_LATENCY = "Median milliseconds of a search, the query's vector included."


def run(asked: Sequence[Asked], given: argparse.Namespace, report: Report) -> None:
    """Measure the sets as they are."""
    strategies(asked, given, report, title="Strategies", part="strategies")


def strategies(
    asked: Sequence[Asked], given: argparse.Namespace, report: Report, *, title: str, part: str
) -> None:
    """Compare the ways on sets, and `score` with the better leg of each."""
    report.section(title, _NOTE)
    evaluations = {each.name: each.clean for each in asked}
    legs = {name: better_leg(found) for name, found in evaluations.items()}
    results = {
        name: compare(found, legs[name], resamples=_RESAMPLES, seed=given.seed)
        for name, found in evaluations.items()
    }
    for each in asked:
        report.row(part, _row(each, results[each.name], legs[each.name]))
    rows = [
        [name, *(ranged(way.means[METRIC]) for way in result.values())]
        for name, result in results.items()
    ]
    means = mean_over_sets(list(evaluations.values()), given.seed)
    rows.append(["mean", *map(ranged, means.values())])
    report.table(["set", *DEFAULT_WAYS], rows)
    report.text(_AGAINST)
    report.table(
        ["set", "better leg", "score - better leg", "significant loss"],
        [
            [name, legs[name], ranged(against.difference), "yes" if lost(against) else "no"]
            for name, result in results.items()
            for against in [result["score"].against[METRIC]]
        ],
    )
    report.text(_LATENCY)
    rows = [
        [name, *(f"{_median_ms(found, way):.1f}" for way in DEFAULT_WAYS)]
        for name, found in evaluations.items()
    ]
    report.table(["set", *DEFAULT_WAYS], rows)


def values_of(evaluation: Evaluation) -> NDArray[np.float64]:
    """nDCG@10 of each query by each way, shape (queries, ways)."""
    return np.stack([evaluation.runs[way].values[METRIC] for way in DEFAULT_WAYS], axis=1)


def better_leg(evaluation: Evaluation) -> str:
    """The single leg with the higher mean."""
    return max(_LEGS, key=lambda leg: float(evaluation.runs[leg].values[METRIC].mean()))


def lost(against: Comparison) -> bool:
    """Whether the way is worse by more than chance explains."""
    return against.difference.high < 0


def mean_over_sets(evaluations: Sequence[Evaluation], seed: int) -> dict[str, Interval]:
    """The mean of the sets' means by way; queries are drawn anew inside each set."""
    values = [values_of(each) for each in evaluations]
    drawn = np.mean([resampled_means(each, resamples=_RESAMPLES, seed=seed) for each in values], 0)
    means = np.mean([each.mean(axis=0) for each in values], axis=0)
    lows, highs = np.percentile(drawn, (2.5, 97.5), axis=0)
    return {
        way: Interval(float(mean), float(low), float(high))
        for way, mean, low, high in zip(DEFAULT_WAYS, means, lows, highs, strict=True)
    }


def _median_ms(evaluation: Evaluation, way: str) -> float:
    return float(np.median(evaluation.runs[way].timings_ms["total"]))


def _row(asked: Asked, result: Mapping[str, WayResult], leg: str) -> dict[str, object]:
    stats = asked.memory.stats()
    against = result["score"].against[METRIC]
    return {
        "set": asked.name,
        "documents": stats.documents,
        "chunks": stats.chunks,
        "queries": len(asked.judged.queries),
        "filter": list(asked.fields),
        "ndcg@10": {way: _rounded(found.means[METRIC]) for way, found in result.items()},
        "better_leg": leg,
        "score_above_it": _rounded(against.difference),
        "lost": lost(against),
        "p50_ms": {way: round(_median_ms(asked.clean, way), 2) for way in DEFAULT_WAYS},
    }


def _rounded(interval: Interval) -> list[float]:
    return [round(value, 4) for value in (interval.mean, interval.low, interval.high)]
