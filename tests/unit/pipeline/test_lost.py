"""Looking for queries that tell of what is forgotten: in parts, and once where that is enough."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from vstash import Memory
from vstash.pipeline import forgetting, lost
from vstash.pipeline.documents import find
from vstash.pipeline.lost import queries_telling
from vstash.store.traces import LoggedQuery

LATE = "A copper kettle stands on the stove."


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """A file with searches and made queries."""
    memory = Memory(tmp_path / "x.db", model="fake")
    for each in ("red", "green", "amber"):
        memory.add(f"a lamp of {each} light stands in every hall of this old house", key=each)
    memory.mine()
    memory.search("amber lamp")
    memory.search("old house")
    return memory


def test_in_parts(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found does not depend on how many are looked at together."""
    rows = [LoggedQuery(each, "default", f"red {each % 3}", frozenset({each})) for each in range(9)]
    found, sizes = [], []
    telling = lost._telling

    def counted(reader: Any, gone: Any, part: Any) -> list[int]:
        sizes.append(len(part))
        return telling(reader, gone, part)

    monkeypatch.setattr(lost, "_telling", counted)
    memory.update(key="red", tags=["changed"])
    with memory._engine.store.read() as reader:
        gone = lost.lost_with(reader, [find(reader, None, "red", None, now=0)])
        for at_once in (4, 100):
            monkeypatch.setattr(lost, "_AT_ONCE", at_once)
            found.append(queries_telling(reader, gone, iter(rows), after=0))
        assert queries_telling(reader, gone, [], after=7) == ([], 7)
    assert found[0] == found[1]
    assert found[0][0]
    assert sizes == [4, 4, 1, 9]


@pytest.mark.parametrize(
    ("late", "looks"),
    [(LATE, 2), (f"{LATE} It has an amber lid.", 4)],
    ids=["nothing of it", "its word, the control"],
)
def test_who_writes_meanwhile_does_not_make_it_look_at_all_again(
    memory: Memory, monkeypatch: pytest.MonkeyPatch, late: str, looks: int
) -> None:
    """Unless other words are lost now: a word that a new document holds tells of nothing."""
    starts: list[int] = []

    def told(reader: Any, gone: Any, rows: Iterable[LoggedQuery], *, after: int) -> Any:
        starts.append(after)
        found = queries_telling(reader, gone, rows, after=after)
        if len(starts) == 2:
            memory.add(late, key="late")
            memory.search("amber kettle")
            memory.flush_log()
        return found

    monkeypatch.setattr(forgetting, "queries_telling", told)
    report = memory.forget(key="amber")
    assert report.documents == 1
    assert starts.count(0) == looks
    assert not any("amber" in (each.query or "") for each in memory.disagreements().items)
    assert not any(
        "amber" in each.query.casefold() for each in memory.made_queries(limit=1000).items
    )
