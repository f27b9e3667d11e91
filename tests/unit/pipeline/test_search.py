"""One search from question to hits."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from vstash import Memory, NewDocument
from vstash.errors import (
    CollectionNotFoundError,
    FieldError,
    FilterError,
    QueryError,
    StoreCorruptError,
)
from vstash.settings import Settings
from vstash.types import Mode, StrategyName

TEXTS = {
    "lamp": "The amber lamp hangs above the cedar door.",
    "door": "The cedar door opens to the port side.",
    "port": "The port of the staging server is 8090.",
    "basil": "Basil and thyme grow in the garden behind the house.",
    "tokyo": "東京タワー is a tower; naïve façade.",
}


@pytest.fixture
def filled(memory: Memory) -> Memory:
    """Five documents and one in another collection."""
    memory.add_batch(
        [
            NewDocument(text, key=key, tags=[key[0]], metadata={"n": len(text)})
            for key, text in TEXTS.items()
        ]
    )
    memory.add("The amber lamp of somebody else.", key="other", collection="private")
    return memory


def keys(memory: Memory, query: str, **options: Any) -> list[str]:
    """Keys of the hits, best first."""
    return [hit.document.key for hit in memory.search(query, **options).hits]


@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
@pytest.mark.parametrize("strategy", ["score", "rrf", "adaptive-rrf"])
def test_the_parts_of_every_hit_add_up(filled: Memory, mode: Mode, strategy: StrategyName) -> None:
    """Scores fall, the parts of an explanation are the score, and raw scores are in range."""
    result = filled.search("the cedar door lamp", mode=mode, strategy=strategy, explain=True)
    assert result.hits
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores, reverse=True)
    for hit in result.hits:
        assert hit.explanation is not None
        found = hit.explanation
        parts = found.vector_part + found.keyword_part + found.feedback_part + found.exact_part
        assert parts == pytest.approx(hit.score, rel=1e-5, abs=1e-6)
        assert (hit.vector_score is None) == (mode == "keyword")
        assert (hit.keyword_score is None) == (mode == "vector")
        assert hit.vector_score is None or -1.0001 <= hit.vector_score <= 1.0001
        assert hit.keyword_score is None or hit.keyword_score >= 0
    assert set(result.timings_ms) >= {"analyse", "embed", "vector", "keyword", "total"}
    assert (result.mode, result.strategy) == (mode, strategy)


@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
def test_ranks_are_those_of_the_raw_scores(filled: Memory, mode: Mode) -> None:
    """Within a leg, a better rank has no worse raw score; ranks count from 1."""
    hits = filled.search("the cedar door lamp", mode=mode).hits
    for rank, score in (("vector_rank", "vector_score"), ("keyword_rank", "keyword_score")):
        ranked = sorted(
            (getattr(hit, rank), -getattr(hit, score)) for hit in hits if getattr(hit, rank)
        )
        assert [pair[1] for pair in ranked] == sorted(pair[1] for pair in ranked)
        assert [pair[0] for pair in ranked] == list(range(1, len(ranked) + 1))


def test_the_obvious_answer_is_first(filled: Memory) -> None:
    """A question in the words of a text finds it, in every mode."""
    for mode in ("hybrid", "vector", "keyword"):
        assert keys(filled, "which port has the staging server", mode=mode)[0] == "port"
    assert keys(filled, "東京", mode="keyword") == ["tokyo"]
    assert keys(filled, "NAIVE facade", mode="keyword") == ["tokyo"]


def test_collections_are_hard_walls(filled: Memory) -> None:
    """A search sees its own collection, and an unknown one raises."""
    assert keys(filled, "amber lamp", collection="private") == ["other"]
    assert "other" not in keys(filled, "amber lamp", k=100)
    with pytest.raises(CollectionNotFoundError):
        filled.search("amber", collection="nobody")


@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
def test_a_filter_applies_before_the_cut(filled: Memory, mode: Mode) -> None:
    """With k = 1 the best of what the filter allows is returned, not nothing."""
    assert keys(filled, "amber lamp", mode=mode, k=1) == ["lamp"]
    filter_ = {"tags": {"contains": "d"}}
    assert keys(filled, "cedar lamp", mode=mode, k=1, filter=filter_) == ["door"]
    nothing = {"key": {"eq": "nothing"}}
    assert keys(filled, "amber lamp", mode=mode, filter=nothing) == []


def test_a_query_of_function_words_says_so(filled: Memory) -> None:
    """Without an informative word the keyword leg is silent, and the result tells."""
    result = filled.search("what is the")
    assert [reason.split(":")[0] for reason in result.degraded] == ["no_informative_word"]
    assert result.hits
    assert filled.search("what is the", mode="keyword").hits == ()
    assert filled.search("amber").degraded == ()
    assert filled.search("what is the", mode="vector").degraded == ()


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"query": ""}, QueryError, "/query"),
    ({"query": " \n\t"}, QueryError, "/query"),
    ({"query": 3}, QueryError, "/query"),
    ({"query": None}, QueryError, "/query"),
    ({"query": "x" * 100_001}, QueryError, "/query"),
    ({"k": 0}, QueryError, "/k"),
    ({"k": 1001}, QueryError, "/k"),
    ({"k": True}, QueryError, "/k"),
    ({"k": 2.0}, QueryError, "/k"),
    ({"mode": "both"}, QueryError, "/mode"),
    ({"mode": None}, QueryError, "/mode"),
    ({"strategy": "best"}, QueryError, "/strategy"),
    ({"collection": "a b"}, FieldError, "/collection"),
    ({"filter": {"key": 3}}, FilterError, "/filter/key"),
    ({"filter": []}, FilterError, "/filter"),
]


@pytest.mark.parametrize(("fields", "kind", "pointer"), BAD)
def test_a_bad_parameter_is_named(
    filled: Memory, fields: dict[str, Any], kind: type[Exception], pointer: str
) -> None:
    """Every parameter is checked before anything is asked."""
    with pytest.raises(kind) as caught:
        filled.search(**{"query": "amber", **fields})
    assert getattr(caught.value, "pointer", "") == pointer


def test_the_same_search_gives_the_same_answer(filled: Memory, tmp_path: Path) -> None:
    """Order and scores do not depend on the moment, the connection or the process state."""
    first = [(hit.document.key, hit.score) for hit in filled.search("the cedar lamp", k=50).hits]
    again = [(hit.document.key, hit.score) for hit in filled.search("the cedar lamp", k=50).hits]
    with Memory(tmp_path / "x.db", model="fake") as other:
        third = [(hit.document.key, hit.score) for hit in other.search("the cedar lamp", k=50).hits]
    assert first == again == third


def test_a_search_sees_what_was_written_a_moment_ago(filled: Memory, tmp_path: Path) -> None:
    """By this Memory and by another one on the same file, replaced and deleted too."""
    with Memory(tmp_path / "x.db", model="fake") as other:
        filled.search("jade window")
        other.add("A jade window.", key="jade")
        assert keys(filled, "jade window")[0] == "jade"
        other.add("Something new.", key="jade")
        assert keys(filled, "jade window", mode="keyword") == []
        other.delete(key="jade")
        assert "jade" not in keys(filled, "something new", k=100)


def test_only_hybrid_searches_are_logged(filled: Memory) -> None:
    """One leg alone says nothing about disagreement; the log holds the query and both legs."""
    filled.search("cedar lamp", mode="vector")
    filled.search("cedar lamp", mode="keyword")
    result = filled.search("cedar lamp", k=1)
    (logged,) = filled.disagreements(texts=True).items
    assert (logged.search_id, logged.query, logged.k) == (result.id, "cedar lamp", 10)
    # Keywords list the two texts with a word of the query, vectors all six of the file's five.
    assert [entry.chunk_id for entry in logged.keyword_leg] == [
        entry.chunk_id
        for entry in sorted(logged.keyword_leg, key=lambda entry: (-entry.score, entry.chunk_id))
    ]
    assert len(logged.keyword_leg) == 2
    assert len(logged.vector_leg) == 5
    assert logged.disagreement == pytest.approx(1 - 2 / 5)


def test_the_default_strategy_is_a_setting(tmp_path: Path) -> None:
    """What a search does not say, the setting does."""
    with Memory(tmp_path / "x.db", model="fake", settings=Settings(strategy="rrf")) as memory:
        memory.add("amber")
        assert memory.search("amber").strategy == "rrf"
        assert memory.search("amber", strategy="score").strategy == "score"


def test_an_index_that_lists_what_is_gone_is_damage(memory: Memory, tmp_path: Path) -> None:
    """A chunk that was lost behind the index's back is told as damage, by name."""
    memory.add(TEXTS["lamp"])
    memory.close()
    with closing(apsw.Connection(str(tmp_path / "x.db"))) as connection:
        connection.execute("DELETE FROM chunk WHERE id = 1")
    with Memory(tmp_path / "x.db", model="fake") as reopened:
        with pytest.raises(StoreCorruptError):
            reopened.search("amber lamp")
        assert not reopened.check().ok


def test_an_empty_file_answers_with_nothing(memory: Memory) -> None:
    """Before the first document every mode returns no hits."""
    for mode in ("hybrid", "vector", "keyword"):
        assert keys(memory, "anything", mode=mode) == []
    assert memory.check().ok
