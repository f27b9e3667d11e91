"""What typos and cut queries cost each way to search."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bench.quality.distort import document_frequencies, rarest, with_typos
from bench.quality.report import Report, number
from bench.quality.sets import Asked
from bench.quality.strategies import values_of
from vstash.evaluation import DEFAULT_WAYS, Corpus, JudgedSet

__all__ = ["run"]

_NOTES = {
    "typos": """nDCG@10 with typos in 20 % of each query's words, at least one; in brackets the change against
the same way on clean queries.""",
    "three words": """nDCG@10 with queries cut to the three words that are in the fewest documents of the corpus.""",
}


def run(asked: Sequence[Asked], given: argparse.Namespace, report: Report) -> None:
    """Ask worse queries, and compare each way with itself."""
    report.section("Robustness")
    clean = {each.name: values_of(each.clean).mean(axis=0) for each in asked}
    worse = {each.name: _distorted(each.judged, given.seed) for each in asked}
    for kind, note in _NOTES.items():
        report.text(note)
        rows = []
        values = []
        for each in asked:
            found = values_of(each.evaluated(worse[each.name][kind])).mean(axis=0)
            values.append([found, clean[each.name]])
            rows.append([each.name, *_cells(found, clean[each.name])])
            report.row(
                "robust",
                {
                    "set": each.name,
                    "kind": kind,
                    "queries": len(each.judged.queries),
                    "ndcg@10": _by_way(found),
                    "change": _by_way(found - clean[each.name]),
                },
            )
        mean, mean_clean = np.mean(values, axis=0)
        report.table(["set", *DEFAULT_WAYS], [*rows, ["mean", *_cells(mean, mean_clean)]])


def _distorted(judged: JudgedSet, seed: int) -> Mapping[str, JudgedSet]:
    if not isinstance(judged.corpus, Corpus):
        raise TypeError("A set read from a folder has a corpus.")
    frequencies = document_frequencies(judged.corpus)
    changed = {
        "typos": [with_typos(query.text, f"{seed} {query.id}") for query in judged.queries],
        "three words": [rarest(query.text, frequencies) for query in judged.queries],
    }
    return {
        kind: replace(
            judged,
            queries=tuple(
                replace(query, text=text) for query, text in zip(judged.queries, texts, strict=True)
            ),
        )
        for kind, texts in changed.items()
    }


def _cells(found: Sequence[float], clean: Sequence[float]) -> list[str]:
    return [
        f"{number(value)} ({'+' if value >= before else ''}{number(value - before)})"
        for value, before in zip(found, clean, strict=True)
    ]


def _by_way(values: Sequence[float]) -> dict[str, float]:
    return {way: round(float(value), 4) for way, value in zip(DEFAULT_WAYS, values, strict=True)}
