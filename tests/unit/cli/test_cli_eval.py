"""Evaluating by command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.command import Vstash
from tests.unit.evaluation.sets import CORPUS, QRELS, write_set


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Four documents, three queries."""
    return write_set(tmp_path / "tiny")


@pytest.fixture
def work(tmp_path: Path) -> str:
    """Where files are kept."""
    return str(tmp_path / "work")


def test_the_tables(vstash: Vstash, tiny: Path, work: str, tmp_path: Path) -> None:
    """Means with intervals, differences, latencies, wins, and a picture."""
    picture = tmp_path / "a.svg"
    result = vstash.run("eval", str(tiny), "--work", work, "--wins", "2", "--picture", str(picture))
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "tiny: 3 queries, 4 documents, 4 chunks"
    assert lines[3].split()[:4] == ["WAY", "nDCG@10", "[95", "%]"]
    rows = {line.split()[0]: line.split()[1:] for line in lines[4:9]}
    assert list(rows) == ["vector", "keyword", "rrf", "adaptive-rrf", "score"]
    assert rows["rrf"] == ["1.000", "[1.000,", "1.000]", *["1.000"] * 4]
    assert rows["score"][3:7] == ["+0.000", "[+0.000,", "+0.000]", "100.0%"]
    times = {line.split()[0]: line.split()[1:] for line in lines[10:23]}
    assert times["MS:"] == ["MEDIAN,", "P95", *rows]
    assert len(times["total"]) == 2 * len(rows)
    assert "score against rrf; ranks of the first relevant document: all equal" in lines
    assert picture.stat().st_size > 1000


def test_everything_as_json(vstash: Vstash, tiny: Path, work: str) -> None:
    """One document with means, differences, latencies and the values of each query."""
    ways = ("--ways", "vector,score", "--ways", "keyword", "--baseline", "vector")
    found = vstash.json("eval", str(tiny), "--work", work, *ways)
    assert (found["baseline"], found["settings"]["model"]) == ("vector", "fake")
    (one,) = found["sets"]
    assert (one["name"], one["split"], one["documents"]) == ("tiny", "test", 4)
    assert list(one["ways"]) == ["vector", "score", "keyword"]
    assert one["ways"]["vector"]["against"] == {}
    score = one["ways"]["score"]
    assert score["means"]["MRR@10"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert score["against"]["nDCG@10"]["share_not_above"] == 1.0
    assert set(score["timings_ms"]["total"]) == {"median", "p95"}
    assert [query["id"] for query in one["queries"]] == ["q1", "q2", "q3"]
    assert one["queries"][0]["ways"]["score"]["first_relevant"] == 1
    assert Path(one["file"]).parent == Path(work)
    # The file is a vstash file like any other.
    assert vstash.json("--db", one["file"], "stats")["documents"] == 4


def test_several_sets_and_their_mean(vstash: Vstash, tiny: Path, work: str, tmp_path: Path) -> None:
    """A table for each set, and the means over all."""
    other = write_set(tmp_path / "other", qrels=["q1\tbread\t1"])
    result = vstash.run("eval", str(tiny), str(other), "--work", work, "--ways", "rrf score")
    assert result.exit_code == 0
    end = result.stdout.split("Mean of 2 sets")[1].splitlines()
    assert [line.split()[0] for line in end if line] == ["WAY", "rrf", "score"]
    assert float(end[3].split()[1]) < 1


def test_what_was_left_out_is_told(vstash: Vstash, tmp_path: Path, work: str) -> None:
    """Notes go to standard error, and into the JSON."""
    corpus = [*CORPUS, {"_id": "empty", "text": ""}]
    odd = write_set(tmp_path / "odd", corpus=corpus, qrels=[*QRELS, "q1\tlost\t1"])
    result = vstash.run("eval", str(odd), "--work", work, "--limit", "2", "--seed", "4")
    assert result.exit_code == 0
    notes = result.stderr.splitlines()
    assert notes[0] == "note: judged documents that are not in corpus.jsonl: 1 (lost)"
    assert notes[1] == "note: 2 of 3 queries were drawn with seed 4"
    assert notes[2].startswith("note: documents that were refused: 1 (empty); text_invalid: ")
    (one,) = vstash.json("eval", str(odd), "--work", work)["sets"]
    assert set(one["refused"]) == {"empty"}
    assert len(one["notes"]) == 2


def test_queries_of_your_own(vstash: Vstash, tmp_path: Path) -> None:
    """They are asked of the file that is there, which is not changed."""
    vstash.run("add", "The staging server listens on port 8090.", "--key", "ports")
    vstash.run("add", "Ada prefers green tea.", "--key", "ada")
    queries = tmp_path / "questions.csv"
    queries.write_text("query,expected\nwhich staging port,ports\ntea,ada\ntea,lost\n")
    result = vstash.run("eval", "--queries", str(queries), "--ways", "score keyword")
    assert result.exit_code == 0
    assert result.stdout.startswith("questions: 2 queries, 2 documents, 2 chunks\n")
    assert result.stderr == "note: judged documents that are not in the file: 1 (lost)\n"
    # Without rrf, the first way is what others are compared with.
    assert "AGAINST score" in result.stdout
    assert vstash.json("stats")["searches_logged"] == 0


def test_fields_to_filter_by(vstash: Vstash, tiny: Path, work: str, tmp_path: Path) -> None:
    """--filter-field narrows each query to documents with its value."""
    narrow = write_set(tmp_path / "narrow", qrels=["q1\tport\t1", "q1\tbread\t1"])
    found = vstash.json("eval", str(narrow), "--work", work, "--filter-field", "a")
    (query,) = found["sets"][0]["queries"]
    assert query["ways"]["vector"]["recall@100"] == 0.5
    missing = vstash.run("eval", str(tiny), "--work", work, "--filter-field", "a")
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert "evaluation_invalid at /filter_fields" in missing.stderr


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ((), 2, "request_invalid"),
        (("absent",), 3, "path_not_found"),
        (("--queries", "absent.csv"), 3, "path_not_found"),
        (("TINY", "--queries", "absent.csv"), 2, "request_invalid"),
        (("TINY", "--db", "x.db"), 2, "request_invalid"),
        (("TINY", "--collection", "x"), 2, "request_invalid"),
        (("--queries", "x.csv", "--work", "x"), 2, "request_invalid"),
        (("TINY", "TINY"), 2, "same name"),
        (("TINY", "--split", "dev"), 2, "there is: test"),
        (("TINY", "--ways", "magic"), 2, "evaluation_invalid at /ways"),
        (("TINY", "--ways", ""), 2, "evaluation_invalid at /ways"),
        (("TINY", "--baseline", "magic"), 2, "request_invalid"),
        (("TINY", "--limit", "0"), 2, "evaluation_invalid at /limit"),
        (("TINY", "--seed", "-1"), 2, "evaluation_invalid"),
        (("TINY", "--wins", "-1"), 2, "request_invalid"),
        (("TINY", "--picture", "a.gif"), 2, "evaluation_invalid at /picture"),
    ],
)
def test_what_cannot_be_evaluated(
    vstash: Vstash, tiny: Path, work: str, options: tuple[str, ...], code: int, told: str
) -> None:
    """Each is refused before anything is stored."""
    args = [str(tiny) if option == "TINY" else option for option in options]
    result = vstash.run("eval", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert not list(vstash.folder.glob("*.db"))


def test_queries_for_a_file_that_is_not_there(vstash: Vstash, tmp_path: Path) -> None:
    """The file is not made."""
    queries = tmp_path / "questions.csv"
    queries.write_text("query,expected\ntea,ada\n")
    result = vstash.run("eval", "--queries", str(queries))
    assert (result.exit_code, result.stdout) == (3, "")
    assert not vstash.db.exists()


def test_without_the_extra(
    vstash: Vstash, tiny: Path, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what to install, and nothing was stored."""
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    result = vstash.run("eval", str(tiny), "--work", work, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    error: dict[str, Any] = json.loads(result.stderr)["error"]
    assert error["code"] == "extra_missing"
    assert "pip install 'vstash[eval]'" in error["detail"]
    assert not Path(work).exists()


def test_progress_is_shown_at_a_terminal(vstash: Vstash, tiny: Path, work: str) -> None:
    """Somebody who watches sees documents and queries go by."""
    code, shown = vstash.terminal("eval", str(tiny), "--work", work, "--ways", "rrf")
    assert code == 0
    assert "4/4 documents" in shown
    assert "3/3 queries" in shown


def test_a_narrow_terminal_shows_two_tables(vstash: Vstash, tiny: Path, work: str) -> None:
    """What does not fit beside the differences stands below them."""
    code, shown = vstash.terminal("eval", str(tiny), "--work", work, "--ways", "rrf score")
    assert code == 0
    head = next(line for line in shown.splitlines() if "NOT ABOVE" in line)
    assert "MAP@100" not in head
    assert "MAP@100" in shown


def test_feedback_of_the_log(vstash: Vstash, work: str) -> None:
    """Searches that got feedback are a set of their own."""
    vstash.run("add", "Ada prefers tea.", "--key", "ada")
    found = vstash.json("search", "who prefers tea")
    vstash.run("feedback", found["id"], str(found["hits"][0]["chunk"]["id"]), "helpful")
    (one,) = vstash.json("eval", "--from-log", "--ways", "score")["sets"]
    assert (one["name"], one["ways"]["score"]["means"]["MRR@10"]["mean"]) == ("feedback", 1.0)
    for more in (["set"], ["--queries", "a.csv"], ["--work", work]):
        result = vstash.run("eval", "--from-log", *more)
        assert result.exit_code == 2, more
