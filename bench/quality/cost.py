"""What the strategy `score` costs beside `rrf` in the same run."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from bench.latency import ProjectionEmbedder, fill, passages, questions, read_once
from bench.quality.report import Report
from bench.quality.sets import Asked
from vstash import Memory
from vstash.settings import Settings
from vstash.types import StrategyName

__all__ = ["run"]

_WAYS: tuple[StrategyName, ...] = ("rrf", "score")
_WORDS = 11
_QUESTIONS = 400
_WARM_UP = 20
_NOTE = """Milliseconds of a search for 11 words taken from passages, the vector ready; both strategies ask each
question in turn, each first every other time. Vectors are projections of hashed words (`bench/latency.py`)."""


def run(asked: Sequence[Asked], given: argparse.Namespace, report: Report) -> None:
    """Make a file of the size asked for and search it by both strategies."""
    report.section("Cost", _NOTE)
    corpus = given.corpus or _corpus(asked)
    model = ProjectionEmbedder()
    path = given.work / f"cost-{corpus.parent.name}-{given.chunks}.db"
    with Memory(path, model=model, settings=Settings()) as memory:
        written = memory.stats().chunks
        rows = (row for row in passages(corpus) if row[2].strip())
        fill(memory, model, islice(rows, written, None), given.chunks)
        read_once(path)
        chunks = memory.stats().chunks
        found, stages = _timed(memory, model, corpus)
    lines = []
    for way in _WAYS:
        middle, late = np.percentile(found[way], (50, 99)).tolist()
        parts = {stage: round(float(np.median(ms)), 2) for stage, ms in stages[way].items()}
        told = ", ".join(f"{stage} {ms:.2f}" for stage, ms in parts.items() if stage != "total")
        lines.append([way, f"{middle:.2f}", f"{late:.2f}", told])
        report.row(
            "cost",
            {"way": way, "chunks": chunks, "p50_ms": round(middle, 2), "p99_ms": round(late, 2)}
            | {"stages_ms": parts},
        )
    extra = float(np.median(np.subtract(found["score"], found["rrf"])))
    report.table([f"{chunks:,} chunks", "p50 ms", "p99 ms", "medians of stages"], lines)
    report.text(f"Median of `score` - `rrf`, question by question: {extra:.2f} ms.")


def _corpus(asked: Sequence[Asked]) -> Path:
    corpus = asked[0].judged.corpus
    if corpus is None:
        raise TypeError("A set read from a folder has a corpus.")
    return corpus.path


def _timed(
    memory: Memory, model: ProjectionEmbedder, corpus: Path
) -> tuple[Mapping[str, list[float]], Mapping[str, dict[str, list[float]]]]:
    """Milliseconds of each search by strategy, in all and by stage."""
    asked = questions(corpus, _WORDS, 13, _WARM_UP + _QUESTIONS)
    vectors = model.embed_queries(asked)
    found: dict[str, list[float]] = {way: [] for way in _WAYS}
    stages: dict[str, dict[str, list[float]]] = {way: {} for way in _WAYS}
    for number, (question, vector) in enumerate(zip(asked, vectors, strict=True)):
        for way in _WAYS if number % 2 else reversed(_WAYS):
            start = time.perf_counter()
            result = memory.search(question, vector=vector, strategy=way, log=False)
            spent = 1000 * (time.perf_counter() - start)
            if number >= _WARM_UP:
                found[way].append(spent)
                for stage, ms in result.timings_ms.items():
                    stages[way].setdefault(stage, []).append(ms)
    return found, stages
