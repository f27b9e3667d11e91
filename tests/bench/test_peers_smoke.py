"""The benchmark against peers runs from end to end at a tiny size, without the network."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from bench.peers.corpus import Judge, prepare
from bench.peers.peer import PeerError

ROOT = Path(__file__).resolve().parents[2]
CHUNKS = 300
QUESTIONS = 4


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Passages of random words, some with characters that query languages give a meaning to."""
    chosen = random.Random(3)
    vocabulary = [f"word{number}" for number in range(400)] + ['"quoted"', "-minus", "AND", "a:b"]
    path = tmp_path / "corpus.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(CHUNKS):
            text = " ".join(chosen.choices(vocabulary, k=30))
            row = {"_id": f"id-{number}", "title": f"Title {number}", "text": text}
            file.write(json.dumps(row) + "\n")
    return path


def run(corpus: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The driver as a person starts it, with everything that it writes beside the corpus."""
    work = corpus.parent
    kept = ["--work", str(work / "work"), "--results", str(work / "peers.jsonl")]
    few = ["--queries", str(QUESTIONS)]
    return subprocess.run(
        [sys.executable, "-m", "bench.peers", str(corpus), *kept, *few, *options],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_run_yields_rows_a_table_and_a_picture_of_every_peer_and_size(corpus: Path) -> None:
    """A run appends a row, draws a table line and a point in the picture, for each peer and size."""
    picture = corpus.parent / "peers.svg"
    options = ["--sizes", "100", str(CHUNKS), "--picture", str(picture)]
    done = run(corpus, "--peers", "vstash,sqlite-vec", *options)
    assert done.returncode == 0, done.stderr

    rows = [json.loads(line) for line in (corpus.parent / "peers.jsonl").read_text().splitlines()]
    expected = [(n, peer) for n in (100, CHUNKS) for peer in ("vstash", "sqlite-vec")]
    assert [(row["chunks"], row["peer"]) for row in rows] == expected
    for row in rows:
        assert row["bench"] == "peers"
        assert row["peer_versions"][row["peer"]]
        assert row["questions"] == QUESTIONS
        assert 0 <= row["vector"]["recall"] <= 1
        for leg in ("hybrid", "vector", "keyword"):
            assert 0 < row[leg]["p50"] <= row[leg]["p99"]
            assert 0 < row[leg]["hits"] <= 10
        for figure in ("build_s", "disk_mb", "build_peak_mb", "search_peak_mb", "first_ms"):
            assert row[figure] >= 0

    drawn = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [name for name in drawn if ":" not in name] == ["peer", "vstash", "sqlite-vec"] * 2
    lines = ET.parse(picture).iter("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [2, 2]


def test_a_peer_that_cannot_be_installed_is_reported_and_the_others_are_measured(
    corpus: Path,
) -> None:
    """Exit code 1 and a line with pip's reason stand for a peer that could not be installed."""
    done = run(
        corpus,
        *("--peers", "bm25s,sqlite-vec", "--sizes", "50"),
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS="",
        PIP_CONFIG_FILE=os.devnull,
    )
    assert done.returncode == 1
    failed = [line for line in done.stdout.splitlines() if line.startswith("- bm25s failed: ")]
    assert len(failed) == 1
    assert "bm25s==" in failed[0]
    rows = (corpus.parent / "peers.jsonl").read_text().splitlines()
    assert [json.loads(row)["peer"] for row in rows] == ["sqlite-vec"]


def test_recall_is_one_for_the_exact_neighbours_and_none_for_the_farthest(corpus: Path) -> None:
    """Recall is the share of the exact ten nearest, each counted once."""
    data = prepare(corpus, corpus.parent / "data", CHUNKS, QUESTIONS, "projection")
    judge = Judge(data, CHUNKS)
    keys = data.keys(CHUNKS)
    near = np.load(data.folder / "timed.npy") @ data.vectors(CHUNKS).T
    ranked = [[keys[row] for row in np.argsort(-line)] for line in near]
    assert judge.recall([line[:10] for line in ranked]) == 1.0
    assert judge.recall([line[5:15] for line in ranked]) == 0.5
    assert judge.recall([line[-10:] for line in ranked]) == 0.0
    assert judge.recall([[line[0]] * 10 for line in ranked]) == 0.1
    with pytest.raises(PeerError):
        judge.recall([["unknown"]] * QUESTIONS)


def test_a_second_run_uses_the_same_data_and_other_inputs_make_it_anew(corpus: Path) -> None:
    """Vectors are made again only when the corpus, the size or the questions change."""
    folder = corpus.parent / "data"
    prepare(corpus, folder, 40, QUESTIONS, "projection")
    made = (folder / "vectors.npy").stat().st_mtime_ns
    assert prepare(corpus, folder, 40, QUESTIONS, "projection").count == 40
    assert (folder / "vectors.npy").stat().st_mtime_ns == made
    assert prepare(corpus, folder, 1_000, QUESTIONS, "projection").count == CHUNKS


def test_an_unknown_peer_is_refused_with_the_names_there_are(corpus: Path) -> None:
    """A misspelt peer ends the run before anything is made, with the names that exist."""
    done = run(corpus, "--peers", "nobody")
    assert done.returncode == 2
    assert "lancedb-flat" in done.stderr
