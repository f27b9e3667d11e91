"""Judged sets in BEIR layout, and what is said of broken ones."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.unit.evaluation.sets import CORPUS, QRELS, QUERIES, write_set
from vstash.errors import EvaluationError, PathNotFoundError
from vstash.evaluation import load_judged
from vstash.evaluation.beir import documents


def archive(folder: Path, target: Path) -> Path:
    """The folder as a .tar.gz."""
    with tarfile.open(target, "w:gz") as made:
        made.add(folder, folder.name)
    return target


def test_a_set_is_read(folder: Path) -> None:
    """Queries come with their grades and metadata, in the order of queries.jsonl."""
    judged = load_judged(folder)
    assert (judged.name, judged.split, judged.notes) == ("tiny", "test", ())
    assert [(query.id, dict(query.judgements)) for query in judged.queries] == [
        ("q1", {"port": 1}),
        ("q2", {"train": 2}),
        ("q3", {"tea": 1, "bread": 0}),
    ]
    assert judged.queries[0].metadata == {"a": "x"}
    assert judged.corpus is not None
    assert judged.corpus.documents == 4


def test_an_empty_text_falls_back_to_the_title(folder: Path) -> None:
    """Documents carry id as key, title, text or else title, and metadata."""
    judged = load_judged(folder)
    assert judged.corpus is not None
    found = {each.key: each for each in documents(judged.corpus)}
    assert found["train"].text == found["train"].title == "The night train to Vienna leaves at ten."
    assert (found["tea"].text, found["tea"].title) == (CORPUS[0]["text"], "Tea")
    assert found["bread"].metadata == {"a": "x"}


def test_an_archive_is_unpacked_once(folder: Path, tmp_path: Path) -> None:
    """A .tar.gz of a folder reads as the folder; what is unpacked is used again."""
    source = archive(folder, tmp_path / "tiny.tar.gz")
    target = tmp_path / "unpacked"
    first = load_judged(source, unpacked=target)
    assert (first.name, len(first.queries)) == ("tiny", 3)
    (made,) = target.iterdir()
    (made / "queries.jsonl").write_text('{"_id": "q1", "text": "changed"}\n', encoding="utf-8")
    assert [query.text for query in load_judged(source, unpacked=target).queries] == ["changed"]


def test_an_archive_writes_nothing_outside(folder: Path, tmp_path: Path) -> None:
    """Members land in the set's own folder, whatever path they claim."""
    source = tmp_path / "evil.tar.gz"
    with tarfile.open(source, "w:gz") as made:
        made.add(folder / "corpus.jsonl", "../../corpus.jsonl")
        made.add(folder / "queries.jsonl", "/queries.jsonl")
        made.add(folder / "qrels" / "test.tsv", "../qrels/test.tsv")
        made.add(folder / "corpus.jsonl", "../outside.txt")
    before = set(tmp_path.rglob("*"))
    assert len(load_judged(source, unpacked=tmp_path / "unpacked").queries) == 3
    new = set(tmp_path.rglob("*")) - before
    assert all(path.is_relative_to(tmp_path / "unpacked") for path in new)
    assert not [path for path in new if path.name == "outside.txt"]


def test_a_broken_archive(folder: Path, tmp_path: Path) -> None:
    """Half an archive is told, and nothing of it stays."""
    source = archive(folder, tmp_path / "tiny.tar.gz")
    source.write_bytes(source.read_bytes()[:100])
    with pytest.raises(EvaluationError, match="no whole"):
        load_judged(source, unpacked=tmp_path / "unpacked")
    assert list((tmp_path / "unpacked").iterdir()) == []
    with pytest.raises(PathNotFoundError):
        load_judged(tmp_path / "absent.tar.gz", unpacked=tmp_path / "unpacked")


def test_what_is_missing(folder: Path, tmp_path: Path) -> None:
    """A folder or file that is not there, and a split, with those that are."""
    with pytest.raises(PathNotFoundError):
        load_judged(tmp_path / "absent")
    with pytest.raises(EvaluationError, match="there is: test") as caught:
        load_judged(folder, split="dev")
    assert caught.value.pointer == "/split"
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(PathNotFoundError, match=r"corpus\.jsonl"):
        load_judged(folder)


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        ("corpus.jsonl", "{", "Line 5: "),
        ("corpus.jsonl", '{"title": "no id"}', "Line 5: .*_id"),
        ("corpus.jsonl", '{"_id": 7}', "Line 5: Expected `str`"),
        ("corpus.jsonl", '{"_id": "tea"}', "Line 5: the id came before.*tea"),
        ("queries.jsonl", '{"_id": "q1", "text": "x"}', "Line 4: the id came before.*q1"),
        ("queries.jsonl", '{"_id": "q4", "text": " "}', "Line 4: the query has no text"),
        ("qrels/test.tsv", "q1\ttea\tmuch", "Line 6: the score is no whole number"),
        ("qrels/test.tsv", "q1\ttea", "Line 6: it has only 2 cells"),
        ("qrels/test.tsv", "q1\tport\t3", "Line 6: it has another score than before"),
    ],
)
def test_a_broken_line_is_told_by_its_number(folder: Path, file: str, line: str, told: str) -> None:
    """The message names the line, and the file for who is on this machine."""
    path = folder / file
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match=told) as caught:
        load_judged(folder)
    assert str(path) in str(caught.value)
    assert str(path) not in caught.value.message


def test_qrels_without_their_header(folder: Path) -> None:
    """A table that does not name its columns is refused: its first row would be lost."""
    (folder / "qrels" / "test.tsv").write_text("q1\tport\t1\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match="Line 1: it must name the columns query-id"):
        load_judged(folder)


def test_judgements_of_what_is_not_there(tmp_path: Path) -> None:
    """Unknown ids are counted and named; the rest is evaluated."""
    strange = [f"q1\tlost{number}\t1" for number in range(5)]
    judged = load_judged(write_set(tmp_path / "a", qrels=[*QRELS, *strange, "q9\ttea\t1"]))
    assert len(judged.queries) == 3
    assert judged.notes == (
        "judged queries that are not in queries.jsonl: 1 (q9)",
        "judged documents that are not in corpus.jsonl: 5 (lost0, lost1, lost2 and others)",
    )


@pytest.mark.parametrize("qrels", [[], ["q9\ttea\t1"], ["q1\tlost\t1"], ["q1\ttea\t0"]])
def test_no_judgement_is_left(tmp_path: Path, qrels: list[str]) -> None:
    """Nothing to evaluate is an error, not a table of zeros."""
    with pytest.raises(EvaluationError, match="No query has a relevant document"):
        load_judged(write_set(tmp_path / "a", qrels=qrels))


def test_an_empty_corpus(tmp_path: Path) -> None:
    """A corpus without a line is refused."""
    with pytest.raises(EvaluationError, match="corpus is empty"):
        load_judged(write_set(tmp_path / "a", corpus=[]))


def test_a_query_without_an_answer_is_left_out(tmp_path: Path) -> None:
    """It could not tell any ways apart; the note counts it."""
    judged = load_judged(write_set(tmp_path / "a", qrels=["q1\tport\t1", "q2\ttrain\t0"]))
    assert [query.id for query in judged.queries] == ["q1"]
    assert judged.notes == ("1 queries without a relevant document were left out",)


def test_a_sample_is_drawn_by_seed(tmp_path: Path) -> None:
    """The same seed draws the same queries in their order; a large limit keeps all."""
    queries = [{"_id": f"q{number:02}", "text": f"tea {number}"} for number in range(40)]
    qrels = [f"q{number:02}\ttea\t1" for number in range(40)]
    judged = load_judged(write_set(tmp_path / "a", queries=[*QUERIES, *queries], qrels=qrels))
    drawn = [query.id for query in judged.sample(10, seed=1).queries]
    assert drawn == sorted(drawn)
    assert len(set(drawn)) == 10
    assert drawn == [query.id for query in judged.sample(10, seed=1).queries]
    assert drawn != [query.id for query in judged.sample(10, seed=2).queries]
    assert judged.sample(40) is judged
    assert "10 of 40" in judged.sample(10).notes[-1]
    with pytest.raises(EvaluationError):
        judged.sample(0)
