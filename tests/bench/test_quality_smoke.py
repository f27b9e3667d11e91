"""The benchmark of quality runs from end to end on tiny sets with the fake model."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("strategies", "robust", "relevance", "exact", "context", "sessions", "cost")


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two sets of random words, whose queries are words of one document; one is a chat."""
    folder = tmp_path_factory.mktemp("sets")
    return [made(folder / "plain", 1, chat=False), made(folder / "chat-tiny", 2, chat=True)]


def made(folder: Path, seed: int, *, chat: bool) -> Path:
    """A set in BEIR layout with 60 documents and 20 queries."""
    chosen = random.Random(seed)
    vocabulary = [f"{chosen.choice('bdgklm')}{'aeiou'[n % 5]}word{'xyz'[n % 3]}" for n in range(90)]
    corpus, queries, judgements = [], [], ["query-id\tcorpus-id\tscore"]
    for number in range(60):
        about = {"conversation": f"c{number % 3}", "session": number % 4, "date_time": "monday"}
        words = [*chosen.choices(vocabulary, k=20), f"E{number:04}", f"Name{chr(97 + number % 26)}"]
        text = " ".join(words)
        corpus.append(
            {"_id": f"d{number}", "title": "", "text": text, "metadata": about if chat else {}}
        )
        if number % 3 == 0:
            asked = " ".join(chosen.sample(words[:20], 5))
            metadata = {"conversation": about["conversation"]} if chat else {}
            queries.append({"_id": f"q{number}", "text": asked, "metadata": metadata})
            judgements.append(f"q{number}\td{number}\t1")
    (folder / "qrels").mkdir(parents=True)
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("\n".join(judgements) + "\n", encoding="utf-8")
    return folder


def ran(
    *words: str | Path, work: Path
) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """Run the benchmark as a person does; and the rows that it appended."""
    results = work / "rows.jsonl"
    kept = ["--work", str(work), "--results", str(results)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.quality", *map(str, words), *kept],
        cwd=ROOT,
        env={**os.environ, "VSTASH_MODEL": "fake"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return done, [json.loads(line) for line in lines]


def test_every_part_measures_every_set(sets: list[Path], tmp_path: Path) -> None:
    """One run leaves rows of every part, a section of each, and the reliability diagram."""
    done, rows = ran(
        *sets,
        *("--filter-field", "conversation", "--limit", "12", "--chunks", "150"),
        *("--fit", "--picture", tmp_path / "pictures", "--wins", "2"),
        work=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    named: dict[str, set[str]] = {}
    for row in rows:
        assert row["bench"] == "quality"
        assert row["limit"] == 12
        named.setdefault(row["part"], set()).add(row.get("set", ""))
    both = {"plain", "chat-tiny"}
    assert named == {
        **dict.fromkeys(("strategies", "robust", "relevance", "exact", "context"), both),
        **dict.fromkeys(("fit", "fit-any-model"), both),
        "calibration": {""},
        "sessions": {"chat-tiny-sessions"},
        "cost": {""},
    }
    for row in rows:
        if row["part"] == "strategies":
            mean, low, high = row["ndcg@10"]["score"]
            assert 0 < low <= mean <= high <= 1
            assert row["filter"] == (["conversation"] if row["set"] == "chat-tiny" else [])
        if row["part"] == "exact":
            assert row["found"]["X"]["code"]["keyword"] == 1.0
        if row["part"] == "relevance":
            assert 0 <= row["ece"] <= 1
            assert row["foreign"] > 0
    fitted = {row["cosine"]: row["calibration"] for row in rows if row["part"] == "calibration"}
    assert [len(values) for values in fitted.values()] == [6, 6]
    assert fitted[False][0] == 0.0
    assert [row["way"] for row in rows if row["part"] == "cost"] == ["rrf", "score"]
    assert (tmp_path / "pictures" / "reliability.svg").stat().st_size > 0
    written = (tmp_path / "rows.md").read_text(encoding="utf-8")
    assert written.count("\n## ") == len(PARTS) + 2


def test_one_part_runs_alone(sets: list[Path], tmp_path: Path) -> None:
    """The other parts leave nothing, and a second run finds the file that the first one made."""
    for count in (1, 2):
        done, rows = ran(sets[0], "--only", "context", work=tmp_path)
        assert done.returncode == 0, done.stderr
        assert [row["part"] for row in rows] == ["context"] * count
        assert ("documents stored" in done.stdout) is (count == 1)


def test_bad_words_are_told_in_a_line(sets: list[Path], tmp_path: Path) -> None:
    """An unknown part, a missing set and a fit on one family end with what is wrong."""
    done, _ = ran(sets[0], "--only", "nothing", work=tmp_path)
    assert done.returncode == 2
    assert "no part 'nothing'" in done.stderr
    done, _ = ran(tmp_path / "missing", work=tmp_path)
    assert done.returncode == 1
    assert "There is no such folder of judged data." in done.stderr
    done, _ = ran(sets[0], "--only", "relevance", "--fit", work=tmp_path)
    assert done.returncode == 1
    assert "--fit leaves out one family" in done.stderr
    assert "Traceback" not in done.stderr
