"""Choosing among candidates, over a real file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.pipeline.conftest import Clock
from vstash import Memory, NewDocument
from vstash.pipeline.engine import Engine
from vstash.pipeline.shape import Shape
from vstash.settings import Settings

_DAY_US = 86_400_000_000


def test_collapsing_goes_deeper_until_there_are_enough(tmp_path: Path) -> None:
    """A long document that fills both lists does not hide the others."""
    settings = Settings(chunk_tokens=16, chunk_overlap=0)
    with Memory(tmp_path / "x.db", model="fake", settings=settings) as memory:
        memory.add("The amber lamp is an amber lamp. " * 700, key="long")
        others = [NewDocument(f"Lamp of {n}, cedar basil {n}.", key=f"n{n}") for n in range(6)]
        memory.add_batch(others)
        plain = memory.search("amber lamp", k=5, log=False)
        assert {hit.document.key for hit in plain.hits} == {"long"}
        found = memory.search("amber lamp", k=5, collapse="document", log=False)
        assert len({hit.document.key for hit in found.hits}) == len(found.hits) == 5
        assert found.hits[0].document.key == "long"
        assert found.hits[0].more > 100
        everything = memory.search("amber lamp", k=100, collapse="document", log=False)
        assert len(everything.hits) == 7


@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
@pytest.mark.parametrize("strategy", ["score", "rrf", "adaptive-rrf"])
def test_recency_weighs_the_same_in_every_strategy(
    engine: Engine, clock: Clock, mode: Any, strategy: Any
) -> None:
    """Half as much for each half-life; of two equal scores the newer comes first."""
    for key in ("old", "middle", "new"):
        engine.writing.add(NewDocument("An amber lamp.", key=key))
        clock.now += 30 * _DAY_US
    engine.writing.add(NewDocument("Basil in a lamp lit garden.", key="other"))
    result = engine.searching.search(
        "amber lamp",
        vector=None,
        k=4,
        collection=None,
        where=None,
        mode=mode,
        strategy=strategy,
        explain=True,
        log=False,
        shape=Shape(recency_half_life_days=30),
    )
    parts = {
        hit.document.key: hit.explanation.recency_part for hit in result.hits if hit.explanation
    }
    shares = [parts[key] / parts["new"] for key in ("middle", "old")]
    assert shares == pytest.approx([0.5, 0.25], rel=1e-4)
    if mode != "hybrid" or strategy == "score":
        # Ranks tell equal texts apart by more than that.
        order = [hit.document.key for hit in result.hits if hit.document.key != "other"]
        assert order == ["new", "middle", "old"]
    for hit in result.hits:
        assert hit.explanation is not None
        found = hit.explanation
        legs = found.vector_part + found.keyword_part
        whole = legs + found.feedback_part + found.exact_part + found.recency_part
        assert whole == pytest.approx(hit.score, rel=1e-5)


def test_a_chunk_that_awaits_its_vector_is_like_nothing(memory: Memory) -> None:
    """It is folded by its text alone, and MMR takes it."""
    memory.add("An amber lamp.", key="done")
    memory.add("An amber lamp!", key="near", embed="later")
    memory.add("An amber lamp.", key="equal", embed="later")
    result = memory.search("amber lamp", fold_duplicates=True, mmr="across", mmr_lambda=0.2)
    assert {hit.document.key: hit.more for hit in result.hits} == {"done": 1, "near": 0}
