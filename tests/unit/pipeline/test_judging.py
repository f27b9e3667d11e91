"""Feedback is kept as long as its search, its document, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.pipeline.conftest import Clock
from vstash import Feedback, JudgedSearch, Memory, NewDocument
from vstash.errors import ChunkNotFoundError, SearchNotFoundError, StoreFullError
from vstash.feedback import VerdictName
from vstash.pipeline.engine import Engine
from vstash.settings import Settings
from vstash.store.documents import to_datetime
from vstash.store.writer import Writer


def judged(memory: Memory) -> list[JudgedSearch]:
    """Every judged search."""
    return list(memory.judged_searches().items)


def test_a_search_is_judged_right_after_it(memory: Memory) -> None:
    """The log writes behind the reply; feedback waits for it."""
    memory.add("the amber lamp", key="a")
    for number in range(20):
        result = memory.search(f"amber {number}")
        assert memory.feedback(result.id, result.hits[0].chunk.id, "cited").document_key == "a"
    assert len(judged(memory)) == 20


def test_trimming_the_log_takes_feedback_along(tmp_path: Path) -> None:
    """Of searches beyond log_max_rows nothing is left, and their ids are unknown."""
    settings = Settings(model="fake", log_max_rows=2)
    with Memory(tmp_path / "x.db", settings=settings) as memory:
        memory.add("the amber lamp", key="a")
        ids = []
        for number in range(4):
            ids.append(memory.search(f"amber {number}").id)
            memory.feedback(ids[-1], 1, "helpful")
        assert [item.search_id for item in judged(memory)] == [ids[3], ids[2]]
        assert memory.stats().feedback == 2
        with pytest.raises(SearchNotFoundError, match="forgets its oldest"):
            memory.feedback(ids[0], 1, "helpful")
        assert memory.check().ok


def test_each_way_of_replacing_keeps_it(memory: Memory) -> None:
    """add, update and replace end the chunk alone; a change of tags does not even do that."""
    stored = memory.add("the amber lamp", key="a")
    result = memory.search("amber")
    memory.feedback(result.id, 1, "helpful")
    memory.update(stored.id, tags=["t"])
    assert judged(memory)[0].verdicts[0].chunk_id == 1
    changes: list[Callable[[], object]] = [
        lambda: memory.add("the amber door", key="a"),
        lambda: memory.update(stored.id, text="the amber wall"),
        lambda: memory.replace(stored.id, "the amber window"),
    ]
    for number, change in enumerate(changes, start=1):
        change()
        (item,) = judged(memory)
        assert [verdict.chunk_id for verdict in item.verdicts] == [None] * number
        assert {verdict.document_id for verdict in item.verdicts} == {stored.id}
        (hit,) = memory.search("amber", log=False).hits
        memory.feedback(result.id, hit.chunk.id, "cited")
    assert memory.check().ok


def test_nothing_is_told_of_an_expired_document(
    tmp_path: Path, engine: Engine, clock: Clock
) -> None:
    """Its feedback hides with it, and its chunks take none; with more time it is there again."""
    until = to_datetime(clock.now) + timedelta(hours=1)
    engine.writing.add(NewDocument("the amber lamp", key="a", expires_at=until))
    with Memory(tmp_path / "x.db", model="fake") as memory:
        search = memory.search("amber").id
    given = engine.judging.feedback(Feedback(search, 1, "cited"))
    (item,) = engine.judging.searches(limit=1, cursor=None).items
    assert item.verdicts == (given,)
    clock.now += 2 * 3_600_000_000
    assert engine.judging.searches(limit=1, cursor=None).items == ()
    with pytest.raises(ChunkNotFoundError):
        engine.judging.feedback(Feedback(search, 1, "helpful"))
    engine.writing.add(NewDocument("the amber lamp", key="a"))
    (shown,) = engine.judging.searches(limit=1, cursor=None).items
    assert [verdict.document_key for verdict in shown.verdicts] == ["a"]


def test_a_repetition_keeps_its_time(engine: Engine, tmp_path: Path) -> None:
    """Only another verdict is given anew."""
    engine.writing.add(NewDocument("the amber lamp", key="a"))
    with Memory(tmp_path / "x.db", model="fake") as memory:
        search = memory.search("amber").id
    first = engine.judging.feedback(Feedback(search, 1, "cited"))
    assert engine.judging.feedback(Feedback(search, 1, "cited")) == first
    assert engine.judging.feedback(Feedback(search, 1, "helpful")).at > first.at


def test_a_batch_that_cannot_be_written_stores_nothing(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the file ends the batch as a whole."""
    memory.add("the amber lamp", key="a")
    memory.add("the cedar door", key="b")
    search = memory.search("amber").id
    judge = Writer.judge

    def full(self: Writer, **fields: Any) -> tuple[VerdictName, int]:
        if fields["chunk"] == 2:
            raise StoreFullError("The disk is full.")
        return judge(self, **fields)

    monkeypatch.setattr(Writer, "judge", full)
    with pytest.raises(StoreFullError):
        memory.feedback_batch([Feedback(search, chunk, "cited") for chunk in (1, 2)])
    assert judged(memory) == []
