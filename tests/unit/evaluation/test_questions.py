"""Sets made by hand, asked of a file that exists."""

from __future__ import annotations

from pathlib import Path

import pytest

from vstash import Memory
from vstash.errors import EvaluationError, PathNotFoundError
from vstash.evaluation import evaluate, in_memory, load_queries
from vstash.settings import Settings


def written(path: Path, text: str) -> Path:
    """A file with this text."""
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.jsonl",
            '{"query": "tea, green", "expected": ["k1", "k2"]}\n\n{"query": "port", "expected": "k3"}\n',
        ),
        ("a.csv", 'expected,query\nk1,"tea, green"\nk2,"tea, green"\nk3,port\n'),
        ("a.TSV", "query\texpected\ntea, green\tk1\ntea, green\tk2\nport\tk3\n"),
    ],
)
def test_every_form_says_the_same(tmp_path: Path, name: str, text: str) -> None:
    """JSON Lines, CSV and TSV; lines with the same query count together."""
    judged = load_queries(written(tmp_path / name, text), collection="notes")
    assert [(query.text, dict(query.judgements)) for query in judged.queries] == [
        ("tea, green", {"k1": 1, "k2": 1}),
        ("port", {"k3": 1}),
    ]
    assert {query.collection for query in judged.queries} == {"notes"}
    assert len({query.id for query in judged.queries}) == 2
    assert judged.corpus is None


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.jsonl", '{"query": "tea"}', "Line 1: .*expected"),
        ("a.jsonl", '{"query": "tea", "expected": []}', "Line 1: no document is expected"),
        ("a.csv", "query,expected\n ,k1", "Line 2: the query has no text"),
        ("a.csv", "query,expected\ntea,", "Line 2: no document is expected"),
        ("a.csv", "question,key\ntea,k1", "Line 1: it must name the columns query, expected"),
        ("a.csv", 'query,expected\n"tea,k1', "no table"),
        ("a.csv", "query,expected\n", "No query has a relevant document"),
        ("a.txt", "tea k1", "read from .jsonl, .csv and .tsv"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, text: str, told: str) -> None:
    """Each is told with its line."""
    with pytest.raises(EvaluationError, match=told):
        load_queries(written(tmp_path / name, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is told as such."""
    with pytest.raises(PathNotFoundError):
        load_queries(tmp_path / "absent.csv")


def test_documents_that_the_file_does_not_hold(tmp_path: Path, settings: Settings) -> None:
    """They are counted and named, per collection; when none is left it is an error."""
    text = "query,expected\ngreen tea,tea\ngreen tea,lost\nport,gone\n"
    path = written(tmp_path / "a.csv", text)
    with Memory(tmp_path / "m.db", settings=settings) as memory:
        memory.add("Ada drinks green tea.", key="tea")
        memory.add("Water.", key="water", collection="other")
        judged = in_memory(memory, load_queries(path))
        assert [dict(query.judgements) for query in judged.queries] == [{"tea": 1}]
        assert judged.notes[0] == "judged documents that are not in the file: 2 (lost, gone)"
        found = evaluate(memory, judged, ways=["score"])
        assert found.runs["score"].values["MRR@10"].tolist() == [1.0]
        with pytest.raises(EvaluationError, match="No query"):
            in_memory(memory, load_queries(path, collection="other"))
