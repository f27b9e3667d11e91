"""Asking every query in every way, over a file with the embedder that loads no model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.unit.evaluation.sets import CORPUS, QUERIES, write_set
from vstash import Memory
from vstash.errors import EvaluationError, ExtraMissingError, QueryError
from vstash.evaluation import (
    DEFAULT_WAYS,
    JudgedQuery,
    Way,
    evaluate,
    judged_set,
    known_ways,
    load_judged,
    open_judged,
)
from vstash.settings import Settings


@pytest.fixture
def memory(folder: Path, tmp_path: Path, settings: Settings) -> Iterator[Memory]:
    """The file of the tiny set."""
    with open_judged(load_judged(folder), tmp_path / "work", settings=settings) as stored:
        yield stored.memory


def test_every_query_is_asked_in_every_way(memory: Memory, folder: Path) -> None:
    """Rankings, values and latencies of each query, and nothing in the log."""
    judged = load_judged(folder)
    steps: list[tuple[int, int]] = []
    found = evaluate(memory, judged, progress=lambda done, total: steps.append((done, total)))
    assert tuple(found.runs) == DEFAULT_WAYS
    for run in found.runs.values():
        assert [ranking[0] for ranking in run.rankings] == ["port", "train", "tea"]
        assert all(len(set(ranking)) == len(ranking) for ranking in run.rankings)
        assert {name: row.tolist() for name, row in run.values.items()} == {
            name: [1.0] * 3 for name in ("nDCG@10", "recall@10", "recall@100", "MRR@10", "MAP@100")
        }
        assert run.timings_ms["total"].shape == (3,)
        assert np.all(run.timings_ms["total"] > 0)
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert memory.stats().searches_logged == 0


def test_the_default_ways_are_known() -> None:
    """Every mode of one leg and every strategy has its name."""
    assert set(DEFAULT_WAYS) <= set(known_ways())


def test_a_way_of_your_own(memory: Memory, folder: Path) -> None:
    """Its arguments go to the search as they are."""
    ways: list[str | Way] = [Way("words", {"mode": "keyword"}), "vector"]
    found = evaluate(memory, load_judged(folder), ways=ways)
    assert set(found.runs) == {"words", "vector"}
    # Keywords alone list only documents with a word of the query.
    assert found.runs["words"].rankings[2] == ("tea",)
    assert len(found.runs["vector"].rankings[2]) == 4
    with pytest.raises(QueryError):
        evaluate(memory, load_judged(folder), ways=[Way("bad", {"mode": "magic"})])


def test_the_best_chunk_stands_for_its_document(tmp_path: Path, settings: Settings) -> None:
    """A document with very many chunks takes one place, and what stands behind it is found."""
    long = "\n\n".join(f"Green tea number {number} is hot. " * 3 for number in range(150))
    corpus = [*CORPUS, {"_id": "long", "title": "", "text": long}]
    judged = load_judged(write_set(tmp_path / "a", corpus=corpus))
    small = Settings(model="fake", chunk_tokens=16, chunk_overlap=0)
    with open_judged(judged, tmp_path / "work", settings=small) as stored:
        assert stored.memory.stats().chunks > 150
        hits = stored.memory.search("green tea", k=100, mode="vector", log=False).hits
        # The control: the first hundred hits are not of all documents.
        assert len({hit.document.key for hit in hits}) < 5
        found = evaluate(stored.memory, judged, ways=["vector"])
    assert sorted(found.runs["vector"].rankings[2]) == ["bread", "long", "port", "tea", "train"]


def test_named_fields_become_filters(memory: Memory, folder: Path) -> None:
    """Only documents with the query's value are searched, and only when the field is named."""
    queries = [JudgedQuery("q", "green tea", {"tea": 1}, {"a": "x", "answer": "tea"})]
    judged = judged_set("made", queries)
    plain = evaluate(memory, judged, ways=["vector"])
    assert len(plain.runs["vector"].rankings[0]) == 4
    filtered = evaluate(memory, judged, ways=["vector"], filter_fields=["a"])
    assert filtered.runs["vector"].rankings == (("bread",),)
    nothing = evaluate(memory, judged, ways=["vector"], filter_fields=["a", "answer"])
    assert nothing.runs["vector"].rankings == ((),)
    with pytest.raises(EvaluationError, match="no metadata 'a'") as caught:
        evaluate(memory, load_judged(folder), filter_fields=["a"])
    assert caught.value.local_detail == f"query {QUERIES[1]['_id']}"


def test_a_query_in_its_own_collection(memory: Memory) -> None:
    """Queries without a corpus may each name the collection that they are asked of."""
    memory.add("Green tea grows here.", key="garden", collection="other")
    queries = [
        JudgedQuery("1", "green tea", {"garden": 1}, collection="other"),
        JudgedQuery("2", "green tea", {"tea": 1}),
    ]
    found = evaluate(memory, judged_set("made", queries), ways=["score"])
    assert found.runs["score"].values["MRR@10"].tolist() == [1.0, 1.0]


def test_a_shallow_evaluation(memory: Memory, folder: Path) -> None:
    """At depth 10 metrics at 100 are left out; depths have their range."""
    found = evaluate(memory, load_judged(folder), ways=["rrf"], depth=10)
    assert set(found.runs["rrf"].values) == {"nDCG@10", "recall@10", "MRR@10"}
    for depth in (9, 1001):
        with pytest.raises(EvaluationError, match="depth"):
            evaluate(memory, load_judged(folder), depth=depth)


@pytest.mark.parametrize("ways", [[], ["magic"], ["rrf", "rrf"], ["rrf", Way("rrf")]])
def test_ways_that_cannot_be_compared(memory: Memory, folder: Path, ways: list[str | Way]) -> None:
    """None, an unknown one, and one twice."""
    with pytest.raises(EvaluationError) as caught:
        evaluate(memory, load_judged(folder), ways=ways)
    assert caught.value.pointer == "/ways"


def test_without_the_extra_nothing_is_searched(
    memory: Memory, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The missing library is told before the first query."""
    steps: list[int] = []
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(ExtraMissingError):
        evaluate(memory, load_judged(folder), progress=lambda done, total: steps.append(done))
    assert steps == []
