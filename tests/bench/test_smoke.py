"""Each benchmark runs from end to end at a tiny size, and says what it promises; no time is asserted."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Passages of random words."""
    chosen = random.Random(4)
    vocabulary = [f"word{number}" for number in range(300)]
    path = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(200):
            text = " ".join(chosen.choices(vocabulary, k=25))
            row = {"_id": f"id-{number}", "title": f"Title {number}", "text": text}
            file.write(json.dumps(row) + "\n")
    return path


def ran(name: str, *words: str | Path, results: Path) -> dict[str, Any]:
    """Run a benchmark as a person does; what it printed last, which is also what it appended."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *map(str, words), "--results", str(results)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    row = json.loads(results.read_text(encoding="utf-8").splitlines()[-1])
    assert row["bench"] == name
    assert {key: row[key] for key in told} == told
    assert row["versions"]["vstash"]
    return told


def test_latency_and_concurrent(corpus: Path, tmp_path: Path) -> None:
    """It grows beyond its corpus, and readers find what a writer adds to without an error."""
    results = tmp_path / "rows.jsonl"
    told = ran("latency", corpus, "--work", tmp_path, "--sizes", "150", "450", results=results)
    assert told["chunks"] == 450
    assert {"short", "long", "filter_1_percent", "filter_50_percent"} <= told.keys()
    assert told["resident_mb"] > 0
    assert len(results.read_text(encoding="utf-8").splitlines()) == 2
    told = ran("concurrent", tmp_path / "latency.db", corpus, "--seconds", "0.2", results=results)
    assert min(told["reads_per_s_alone"], told["reads_per_s_beside_writer"]) > 0
    assert told["written_per_s"] > 0


def test_recall(corpus: Path, tmp_path: Path) -> None:
    """Few passages are all compared, so nothing is missed and every vector compared is no better."""
    judged = tmp_path / "tiny"
    (judged / "qrels").mkdir(parents=True)
    (judged / "corpus.jsonl").write_text('{"_id": "a", "text": "Ada prefers tea."}\n')
    (judged / "queries.jsonl").write_text('{"_id": "q", "text": "What does Ada drink?"}\n')
    (judged / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t1\n")
    words = ("--work", tmp_path, "--passages", "120", "--judged", judged)
    told = ran("recall", corpus, *words, results=tmp_path / "rows.jsonl")
    assert (told["recall@10"], told["passages"]) == (1.0, 120)
    assert told["ndcg@10"] == {"tiny": {"fast": 1.0, "exact": 1.0}}


def test_ingest(corpus: Path, tmp_path: Path) -> None:
    """Files are made, read, and read again unchanged."""
    words = ("--work", tmp_path, "--passages", "3", "--files", "30", "--adds", "5")
    told = ran("ingest", corpus, *words, results=tmp_path / "rows.jsonl")
    assert told["chunks"] > 0
    assert told["model_per_s"] > 0
    assert told["add_ms"]["p50"] > 0
