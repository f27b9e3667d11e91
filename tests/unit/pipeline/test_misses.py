"""Following a search, over a real file."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import numpy as np
import pytest

from tests.unit.pipeline.conftest import Clock
from vstash import Memory, NewDocument, WhyNot
from vstash.pipeline import ranks
from vstash.pipeline.engine import Engine
from vstash.pipeline.shape import PLAIN, Shape
from vstash.types import SearchResult

_QUERY = "an amber lamp"
_DAY_US = 86_400_000_000


def lamps(count: int) -> list[NewDocument]:
    """Documents that differ in both scores."""
    return [
        NewDocument(f"The amber lamp {number}. {'amber ' * (number % 7)}", key=f"n{number}")
        for number in range(count)
    ]


def why_not(engine: Engine, key: str, shape: Shape = PLAIN, **given: Any) -> WhyNot:
    """Follow the search for the lamps."""
    fields: dict[str, Any] = {
        **dict.fromkeys(("document", "chunk", "vector", "collection", "where", "strategy")),
        "k": 10,
        "mode": "hybrid",
        "min_relevance": None,
        **given,
    }
    return engine.misses.why_not(_QUERY, key=key, shape=shape, **fields)


@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
@pytest.mark.parametrize("strategy", ["score", "rrf", "adaptive-rrf"])
def test_every_rank_is_that_of_the_search(memory: Memory, mode: Any, strategy: Any) -> None:
    """In every mode and strategy the search returns each document just where it is told."""
    memory.add_batch(lamps(45))
    asked: dict[str, Any] = {"mode": mode, "strategy": strategy, "k": 3}
    told = [memory.why_not(_QUERY, key=f"n{number}", **asked) for number in range(0, 45, 9)]
    result = memory.search(_QUERY, **{**asked, "k": 45}, log=False)
    ids = [hit.chunk.id for hit in result.hits]
    for each in told:
        assert each.chunk_id is not None
        assert each.rank == ids.index(each.chunk_id) + 1
        assert (each.stage == "returned") == (each.rank <= 3)
        hit = result.hits[each.rank - 1]
        assert (each.vector_rank, each.keyword_rank) == (hit.vector_rank, hit.keyword_rank)
        assert each.score == pytest.approx(hit.score, rel=1e-5)
        assert each.score_needed == pytest.approx(result.hits[2].score, rel=1e-5)


def test_the_best_chunk_of_a_document_is_told(memory: Memory) -> None:
    """The one that is returned first, or else the one with the best score."""
    memory.add_batch(lamps(30))
    words = "A harbour of grain and timber, told at great length. " * 40
    memory.add(f"{words} An amber lamp. {words}", key="long")
    told = memory.why_not(_QUERY, key="long", k=1)
    assert told.chunk_id is not None
    assert "amber lamp" in memory.get_chunk(told.chunk_id).text
    chunks = memory.get(key="long").chunk_count
    every = memory.search(_QUERY, k=200, log=False)
    mine = [hit.chunk.id for hit in every.hits if hit.document.key == "long"]
    assert (len(mine), mine[0]) == (chunks, told.chunk_id)


def test_it_awaits_its_vector(memory: Memory) -> None:
    """The advice says how it gets one."""
    memory.add_batch(lamps(60))
    memory.add("One lamp.", key="later", embed="later")
    told = memory.why_not(_QUERY, key="later")
    assert told.awaiting
    assert (told.vector_rank, told.vector_score) == (None, None)
    assert "it awaits its vector: run `vstash embed`" in told.advice
    memory.embed()
    done = memory.why_not(_QUERY, key="later")
    assert (done.awaiting, done.vector_score is None) == (False, False)
    assert not memory.why_not(_QUERY, key="later", mode="keyword").awaiting


def test_one_leg_would_return_it(memory: Memory) -> None:
    """The advice names the mode, and the search in that mode has it there."""
    memory.add_batch(lamps(60))
    followed = [memory.why_not(_QUERY, key=f"n{number}", k=5) for number in range(60)]
    seen = set()
    for told in followed:
        for mode in ("vector", "keyword"):
            rank = getattr(told, f"{mode}_rank")
            line = f'search with mode="{mode}", which puts it at {rank}'
            assert (line in told.advice) == (told.stage != "returned" and rank <= 5)
            if line in told.advice:
                seen.add(mode)
                asked: Any = mode
                found = memory.search(_QUERY, k=5, mode=asked, log=False)
                assert found.hits[rank - 1].chunk.id == told.chunk_id
    assert seen


def test_an_expired_document(engine: Engine, clock: Clock) -> None:
    """It is told from the moment on at which it is hidden."""
    until = datetime.fromtimestamp(clock.now / 1e6 + 3600, timezone.utc)
    engine.writing.add(NewDocument("An amber lamp.", key="a", expires_at=until))
    assert why_not(engine, "a").stage == "returned"
    clock.now += 3600 * 1_000_000
    assert why_not(engine, "a").stage == "expired"


def test_recency_moves_it(engine: Engine, clock: Clock) -> None:
    """The part of recency is in its score and in that of the last hit."""
    for number, document in enumerate(lamps(30)):
        clock.now += number * _DAY_US
        engine.writing.add(document)
    told = why_not(engine, "n0", Shape(recency_half_life_days=30))
    assert told.explanation is not None
    assert told.explanation_of_last is not None
    result: SearchResult = engine.searching.search(
        _QUERY,
        vector=None,
        k=30,
        collection=None,
        where=None,
        mode="hybrid",
        strategy=None,
        explain=True,
        log=False,
        shape=Shape(recency_half_life_days=30),
    )
    assert told.rank is not None
    hit, last = result.hits[told.rank - 1], result.hits[9]
    assert hit.document.key == "n0"
    assert hit.score == pytest.approx(told.score, rel=1e-4)
    assert last.score == pytest.approx(told.score_needed, rel=1e-4)
    assert last.explanation is not None
    part = last.explanation.recency_part
    assert told.explanation_of_last.recency_part == pytest.approx(part, rel=1e-4)
    assert 0 < told.explanation.recency_part < part


@pytest.mark.parametrize("where", [None, {"key": {"ne": "n3"}}])
def test_a_large_file(engine: Engine, monkeypatch: pytest.MonkeyPatch, where: Any) -> None:
    """Where not every vector is read, a rank is known as far as the leg lists, and said so."""
    engine.writing.add_batch(lamps(1200))
    exact = {key: why_not(engine, key, where=where) for key in ("n700", "n701", "n702", "n706")}
    monkeypatch.setattr(ranks, "_READ_ALL", 100)
    monkeypatch.setattr(ranks, "MOST_DEPTH", 60)
    for key, before in exact.items():
        told = why_not(engine, key, where=where)
        assert told.vector_score == pytest.approx(before.vector_score, rel=1e-5)
        assert (told.stage, before.vector_deeper_than) == (before.stage, None)
        assert before.vector_rank is not None
        if told.vector_rank is None:
            assert told.vector_deeper_than is not None
            assert 50 <= told.vector_deeper_than < 1200
            assert told.vector_rank is None
            assert f"beyond number {told.vector_deeper_than} by vectors" in told.why
        else:
            assert told.vector_rank <= before.vector_rank
    assert any(why_not(engine, key, where=where).vector_rank is None for key in exact)


def test_ties_are_ordered_by_id(memory: Memory) -> None:
    """Equal texts stand in the order of their ids, in the search and in what is told of it."""
    memory.add_batch([NewDocument("An amber lamp.", key=f"n{number}") for number in range(70)])
    told = memory.why_not(_QUERY, key="n64", mode="keyword")
    assert (told.keyword_rank, told.keyword_score) == (65, told.keyword_needed)
    assert told.k_needed == 65
    found = memory.search(_QUERY, k=65, mode="keyword", log=False)
    assert found.hits[-1].chunk.id == told.chunk_id


def test_places_in_a_leg() -> None:
    """From 1 by falling score, ties by id, 0 for what is not listed."""
    ids = np.array([2, 4, 6, 9])
    scores = np.array([0.1, 0.5, 0.5, 0.9], dtype=np.float32)
    found = ranks._places(ids, scores, np.array([1, 2, 4, 6, 9, 12]))
    assert found.tolist() == [0, 4, 2, 3, 1, 0]
    assert ranks._places(ids[:0], scores[:0], ids).tolist() == [0, 0, 0, 0]
