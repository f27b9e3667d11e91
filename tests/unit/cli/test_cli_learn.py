"""Mining and what there is to learn from by command, as it is read on a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.generated_documents import generated_documents
from vstash import Memory

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


@pytest.fixture
def filled(vstash: Vstash) -> Vstash:
    """The command over a file of generated documents."""
    with Memory(vstash.db, model="fake") as memory:
        memory.add_batch(generated_documents(30))
    return vstash


def test_mined_shown_and_removed(filled: Vstash) -> None:
    """One line for each figure, a block for each query, and how many went."""
    given = filled.run("learn", "mine", "--form", "cloze", "--form", "keyphrase")
    assert given.exit_code == 0
    names = [line.split("  ")[0] for line in given.stdout.splitlines()]
    assert names == ["documents", "queries", "triples", "passed over", "disagreement"]
    assert "60, once for each form" in given.stdout
    shown = filled.run("learn", "queries", "--limit", "2")
    assert shown.stdout.count("disagreement") == 2
    assert "answer" in shown.stdout
    removed = filled.run("learn", "queries", "--remove")
    assert removed.stdout == ""
    assert removed.stderr.endswith("queries were removed\n")
    assert "No queries were made." in filled.run("learn", "queries").stdout


def test_the_report_is_read_and_drawn(filled: Vstash, tmp_path: Path) -> None:
    """With a row for each source, samples, and a picture; before, that there is nothing."""
    assert "nothing to learn from yet" in filled.run("learn", "report").stdout
    picture = tmp_path / "none.svg"
    assert filled.run("learn", "report", "--picture", str(picture)).exit_code == 0
    assert picture.read_text(encoding="utf-8").count("<svg") == 1
    filled.run("learn", "mine")
    report = filled.run("learn", "report", "--samples", "1", "--picture", str(tmp_path / "x.png"))
    assert report.exit_code == 0
    for part in ("triples", "worth", "coverage", "QUERIES FROM", "keyphrase", "positive"):
        assert part in report.stdout
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    refused = filled.run("learn", "report", "--picture", str(tmp_path / "x.txt"))
    assert refused.exit_code == 2


def test_judgements_are_read_from_files(filled: Vstash, tmp_path: Path) -> None:
    """In the layout of BEIR; what is broken there is named."""
    queries, qrels = tmp_path / "queries.jsonl", tmp_path / "qrels.tsv"
    with Memory(filled.db, model="fake") as memory:
        document = memory.list(limit=1).items[0]
    queries.write_text(json.dumps({"_id": "q", "text": document.key}) + "\n", encoding="utf-8")
    qrels.write_text(
        f"query-id\tcorpus-id\tscore\nq\t{document.key}\t1\nother\tx\t1\n", encoding="utf-8"
    )
    given = filled.run("learn", "label", str(queries), str(qrels))
    assert given.exit_code == 0
    assert "1 used, 0 without an answer here" in given.stdout
    qrels.write_text("query-id\tcorpus-id\tscore\nq\tx\tmany\n", encoding="utf-8")
    assert filled.run("learn", "label", str(queries), str(qrels)).exit_code == 2
    qrels.write_text("query-id\tcorpus-id\tscore\nnobody\tx\t1\n", encoding="utf-8")
    refused = filled.run("learn", "label", str(queries), str(qrels))
    assert (refused.exit_code, "None of the queries is judged" in refused.stderr) == (2, True)


def test_a_language_model_needs_both_its_options(filled: Vstash) -> None:
    """And an address of this machine."""
    refused = filled.run("learn", "mine", "--asked-by", "http://127.0.0.1:9/v1")
    assert (refused.exit_code, "--asked-model" in refused.stderr) == (2, True)
    refused = filled.run(
        *("learn", "mine", "--asked-by", "http://192.0.2.1/v1", "--asked-model", "m")
    )
    assert (refused.exit_code, "allow_remote_language_model" in refused.stderr) == (2, True)
