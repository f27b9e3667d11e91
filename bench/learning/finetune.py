"""What fine-tuning on a set's own training queries gives, when these are searched without their judgements.

    python -m bench.learning.finetune nfcorpus.tar.gz --work /tmp/finetune --minutes 50

The training queries of the set (where there is no such split, half of its queries) are searched with the log on, in
a copy of the set's file; `train_model` learns from that file and nothing else, within the minutes; the model is
installed, the copy is embedded anew with it, and the test queries are asked with the old model and the new one:
nDCG@10 of the vector leg and of the default strategy, with paired bootstrap intervals. With `--dev` the queries of
another split are asked instead, to choose settings by. Appends to bench/results/finetune.jsonl.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.machine import append_row
from vstash import Memory, install_model, train_model
from vstash.evaluation import Evaluation, JudgedSet, evaluate, load_judged, open_judged
from vstash.mining import MADE_FORMS
from vstash.resampling import resampled_means
from vstash.settings import Settings
from vstash.training.options import TrainOptions, TrainProgress

RESULTS: Final = Path(__file__).resolve().parents[1] / "results" / "finetune.jsonl"
_WAYS: Final = ("vector", "score")
_METRIC: Final = "nDCG@10"


def sets(given: argparse.Namespace) -> tuple[JudgedSet, JudgedSet]:
    """Queries to learn from, and queries to ask: another split, or the other half."""
    unpacked = given.work / "sets"
    asked = load_judged(given.set, split=given.split, unpacked=unpacked)
    if given.learn is not None:
        return load_judged(given.set, split=given.learn, unpacked=unpacked), asked
    order = np.random.default_rng(given.seed).permutation(len(asked.queries)).tolist()
    half = set(order[: len(order) // 2])
    parts = [
        tuple(query for place, query in enumerate(asked.queries) if (place in half) == learnt)
        for learnt in (True, False)
    ]
    return replace(asked, queries=parts[0]), replace(asked, queries=parts[1])


def copied(given: argparse.Namespace, judged: JudgedSet, settings: Settings) -> Path:
    """A copy of the set's file, without what earlier runs logged."""
    source = given.logged
    if source is None:
        with open_judged(judged, given.stores or given.work, settings=settings) as stored:
            source = Path(stored.memory.stats().path)
    target: Path = given.work / f"{judged.name}-{given.label}.db"
    for end in ("", "-wal", "-shm"):
        target.with_name(target.name + end).unlink(missing_ok=True)
    for end in ("", "-wal"):
        if source.with_name(source.name + end).is_file():
            shutil.copyfile(
                source.with_name(source.name + end), target.with_name(target.name + end)
            )
    return target


def difference(before: Evaluation, after: Evaluation, way: str) -> dict[str, float]:
    """Means and their difference with its interval."""
    pairs = [each.run(way).values[_METRIC] for each in (before, after)]
    means = resampled_means(np.stack([pairs[1] - pairs[0]], axis=1), resamples=10_000, seed=0)
    low, high = np.percentile(means[:, 0], (2.5, 97.5))
    found = {
        "base": pairs[0].mean(),
        "tuned": pairs[1].mean(),
        "change": pairs[1].mean() - pairs[0].mean(),
        "low": low,
        "high": high,
    }
    return {name: round(float(value), 4) for name, value in found.items()}


def measured(given: argparse.Namespace, options: TrainOptions) -> dict[str, Any]:
    """One training, and what it gave."""
    settings = Settings(models_folder=str(given.work / "models"))
    learnt, asked = sets(given)
    path = copied(given, learnt, settings)
    out = given.work / f"{learnt.name}-{given.label}"
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(given.work / "models" / out.name, ignore_errors=True)
    seconds: dict[str, float] = {}
    with Memory(path, settings=settings) as memory:
        begun = time.monotonic()
        if given.logged is None:
            for query in learnt.queries:
                memory.search(query.text)
            memory.flush_log()
        for form in MADE_FORMS if given.made else ():
            memory.mine(forms=[form], limit=given.made, per_document=1, seed=given.seed)
        seconds["searches"] = time.monotonic() - begun
        before = evaluate(memory, asked, ways=_WAYS)
        begun = time.monotonic()
        report = train_model(out, memory, options=options, progress=told)
        seconds["train_model"] = time.monotonic() - begun
        install_model(out, settings=settings)
        begun = time.monotonic()
        memory.reindex(out.name)
        seconds["reindex"] = time.monotonic() - begun
        after = evaluate(memory, asked, ways=_WAYS)
        stats = memory.stats()
    return {
        "measure": "finetune",
        "set": learnt.name,
        "learnt_from": f"{len(learnt.queries)} queries of {given.learn or 'one half'}",
        "asked": f"{len(asked.queries)} queries of {given.split}",
        "label": given.label,
        "made": given.made,
        "chunks": stats.chunks,
        "triples": stats.triples,
        "options": asdict(options),
        **{way: difference(before, after, way) for way in _WAYS},
        "seconds": {name: round(value) for name, value in seconds.items()},
        "steps": report.steps,
        "planned": report.planned,
        "step_seconds": round(report.seconds),
        "examples": report.examples,
        "peak_mb": None if report.peak_bytes is None else round(report.peak_bytes / 2**20),
        "device": report.device,
        "cosine": round(report.cosine, 4),
        "losses": [round(loss, 4) for loss in report.losses],
        "held_out": asdict(report.own[_METRIC]),
        "general": asdict(report.general[_METRIC]),
        "evidence": report.evidence,
        "recommended": report.recommended,
        "reason": report.reason,
    }


def told(progress: TrainProgress) -> None:
    """A line now and then."""
    if progress.stage == "train" or progress.done % 500 == 0:
        print(progress, flush=True)


def main() -> None:
    """Measure, print, and append to the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.learning.finetune", description=__doc__)
    parser.add_argument("set", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--stores", type=Path, help="where files of sets are, when elsewhere")
    parser.add_argument("--logged", type=Path, help="a file that was searched with these before")
    parser.add_argument("--learn", help="split to learn from; one half of --split when left out")
    parser.add_argument("--split", default="test", help="split to ask")
    parser.add_argument(
        "--made", type=int, default=0, help="also mine so many queries of each form"
    )
    parser.add_argument("--label", default="run")
    parser.add_argument("--objective", default="distil")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--options", type=json.loads, default={}, help="of TrainOptions, as JSON")
    parser.add_argument("--rows", type=Path, default=RESULTS)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    options = TrainOptions(objective=given.objective, seed=given.seed, **given.options)
    row = measured(given, options)
    append_row(given.rows, row)
    print(json.dumps(row))


if __name__ == "__main__":
    main()
