"""A comparison of ways to search, to read and as JSON."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vstash import __version__
from vstash.cli.output import bold, printable, table_width, terminal_width
from vstash.cli.render import Column, counted, shortened, table
from vstash.evaluation import Evaluation, Interval, Refused, WayResult, Win, first_relevant
from vstash.evaluation.judged import named

if TYPE_CHECKING:
    from vstash.evaluation import Run
    from vstash.settings import Settings
    from vstash.types import JsonObject

__all__ = ["SetReport", "as_json", "overall", "shown"]

_LEADING = "nDCG@10"
_WIDE = 116


@dataclass(frozen=True, slots=True)
class SetReport:
    """What is told of one judged set.

    Attributes:
        evaluation: Every query in every way.
        results: By way.
        baseline: Name of the way that the others are compared with.
        wins: By way, the largest gains and losses.
        file: Path of the vstash file.
        documents: In the file.
        chunks: In the file.
        refused: Documents that could not be stored.
    """

    evaluation: Evaluation
    results: Mapping[str, WayResult]
    baseline: str
    wins: Mapping[str, tuple[Win, ...]]
    file: str
    documents: int
    chunks: int
    refused: tuple[Refused, ...]

    @property
    def label(self) -> str:
        """The set's name, with its split where that says something."""
        judged = self.evaluation.judged
        return judged.name if judged.split in {"", "test"} else f"{judged.name} ({judged.split})"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out and why."""
        notes = self.evaluation.judged.notes
        if not self.refused:
            return notes
        keys = named([each.key for each in self.refused])
        return (*notes, f"documents that were refused: {keys}; {self.refused[0].reason}")


def shown(report: SetReport) -> str:
    """The tables of one set."""
    queries = len(report.evaluation.judged.queries)
    held = f"{counted(report.documents, 'document')}, {counted(report.chunks, 'chunk')}"
    asked = "1 query" if queries == 1 else f"{queries:,} queries"
    head = f"{bold(printable(report.label))}: {asked}, {held}"
    parts = [f"{head}\n{printable(report.file)}", _quality(report), _latency(report)]
    parts += [_wins(way, report) for way in report.wins]
    return "\n\n".join(parts) + "\n"


def overall(reports: Sequence[SetReport]) -> str:
    """The means over all sets, each counting the same."""
    metrics = _metrics(reports[0])
    columns = (Column("WAY"), *(Column(metric, right=True) for metric in metrics))
    rows = [
        (
            way,
            *(
                f"{np.mean([report.results[way].means[metric].mean for report in reports]):.3f}"
                for metric in metrics
            ),
        )
        for way in reports[0].results
    ]
    head = bold(f"Mean of {len(reports):,} sets")
    return f"{head}\n\n{table(columns, rows, width=table_width())}"


def _metrics(report: SetReport) -> tuple[str, ...]:
    return tuple(report.results[report.baseline].means)


def _quality(report: SetReport) -> str:
    others = [metric for metric in _metrics(report) if metric != _LEADING]
    columns = (
        Column("WAY"),
        Column(f"{_LEADING} [95 %]", right=True),
        Column(f"AGAINST {report.baseline} [95 %]", right=True),
        Column("NOT ABOVE", right=True),
        *(Column(metric, right=True) for metric in others),
    )
    rows = []
    for way, result in report.results.items():
        compared = result.against.get(_LEADING)
        rows.append(
            (
                way,
                _interval(result.means[_LEADING]),
                "" if compared is None else _interval(compared.difference, sign="+"),
                "" if compared is None else f"{compared.share_not_above:.1%}",
                *(f"{result.means[metric].mean:.3f}" for metric in others),
            )
        )
    width = table_width()
    if width is None or width >= _WIDE:
        return table(columns, rows, width=width)
    # A narrow terminal shows the other metrics below, where lines would break otherwise.
    left = table(columns[:4], [row[:4] for row in rows], width=width)
    right = table((columns[0], *columns[4:]), [(row[0], *row[4:]) for row in rows], width=width)
    return f"{left}\n\n{right}"


def _interval(interval: Interval, *, sign: str = "") -> str:
    mean, low, high = (f"{each:{sign}.3f}" for each in (interval.mean, interval.low, interval.high))
    return f"{mean} [{low}, {high}]"


def _latency(report: SetReport) -> str:
    runs = report.evaluation.runs
    columns = (Column("MS: MEDIAN, P95"), *(Column(way, right=True) for way in runs))
    stages = dict.fromkeys(stage for run in runs.values() for stage in run.timings_ms)
    rows = [(stage, *(_times(run, stage) for run in runs.values())) for stage in stages]
    return table(columns, rows, width=table_width())


def _times(run: Run, stage: str) -> str:
    if stage not in run.timings_ms:
        return ""
    median, late = np.percentile(run.timings_ms[stage], (50, 95))
    return f"{median:.1f}, {late:.1f}"


def _wins(way: str, report: SetReport) -> str:
    columns = (
        Column(_LEADING, right=True),
        Column("RANK", right=True),
        Column(report.baseline, right=True),
        Column("ID"),
        Column("QUERY", flexible=True),
    )
    rows = [
        (
            f"{win.difference:+.3f}",
            _rank(win.rank),
            _rank(win.baseline_rank),
            win.query_id,
            shortened(printable(win.query), terminal_width()),
        )
        for win in report.wins[way]
    ]
    head = f"{way} against {report.baseline}; ranks of the first relevant document"
    return f"{head}\n{table(columns, rows, width=table_width())}" if rows else f"{head}: all equal"


def _rank(rank: int | None) -> str:
    return "none" if rank is None else str(rank)


def as_json(reports: Sequence[SetReport], settings: Settings) -> JsonObject:
    """Everything: means, differences, latencies, and the values of each query."""
    return {
        "vstash": __version__,
        "python": platform.python_version(),
        "settings": {
            "model": settings.model,
            "chunk_tokens": settings.chunk_tokens,
            "chunk_overlap": settings.chunk_overlap,
        },
        "baseline": reports[0].baseline,
        "sets": [_set_json(report) for report in reports],
    }


def _set_json(report: SetReport) -> JsonObject:
    judged = report.evaluation.judged
    return {
        "name": judged.name,
        "split": judged.split,
        "file": report.file,
        "documents": report.documents,
        "chunks": report.chunks,
        "notes": list(report.notes),
        "refused": {each.key: each.reason for each in report.refused},
        "ways": {
            way: {
                "means": _fields(result.means),
                "against": {
                    metric: {
                        **_ends(compared.difference),
                        "share_not_above": compared.share_not_above,
                    }
                    for metric, compared in result.against.items()
                },
                "timings_ms": _timings_json(report.evaluation.runs[way]),
            }
            for way, result in report.results.items()
        },
        "wins": {way: [_win_json(win) for win in wins] for way, wins in report.wins.items()},
        "queries": [_query_json(report, place) for place in range(len(judged.queries))],
    }


def _fields(means: Mapping[str, Interval]) -> JsonObject:
    return {metric: _ends(interval) for metric, interval in means.items()}


def _ends(interval: Interval) -> dict[str, float]:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high}


def _timings_json(run: Run) -> JsonObject:
    found = {}
    for stage, spent in run.timings_ms.items():
        median, late = np.percentile(spent, (50, 95)).tolist()
        found[stage] = {"median": round(median, 3), "p95": round(late, 3)}
    return found


def _win_json(win: Win) -> JsonObject:
    return {
        "query_id": win.query_id,
        "query": win.query,
        "difference": win.difference,
        "rank": win.rank,
        "baseline_rank": win.baseline_rank,
    }


def _query_json(report: SetReport, place: int) -> JsonObject:
    query = report.evaluation.judged.queries[place]
    return {
        "id": query.id,
        "ways": {
            way: {
                **{metric: float(values[place]) for metric, values in run.values.items()},
                "first_relevant": first_relevant(query, run.rankings[place]),
            }
            for way, run in report.evaluation.runs.items()
        },
    }
