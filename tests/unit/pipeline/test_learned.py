"""Searches use what was learnt of their collection, say so, and fall back where it cannot be read."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from tests.learnt import adapter, put, weights
from vstash import Memory, NewDocument, SearchResult
from vstash.pipeline.learned import NOTHING_LEARNT, Learnt, LearntOf, readable
from vstash.pipeline.question import plain_question
from vstash.pipeline.search import asked_words
from vstash.pipeline.stopwatch import Stopwatch
from vstash.search.weights import FusionWeights
from vstash.store.session import Reader

QUERY = "amber red lamp"
COLOURS = ["red", "green", "blue", "cyan", "pink", "amber", "grey", "teal"]


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """A file of passages that are much alike."""
    memory = Memory(tmp_path / "x.db", model="fake")
    memory.add_batch([NewDocument(f"a lamp of {each} light", key=each) for each in COLOURS])
    return memory


def scores(result: SearchResult) -> dict[str, tuple[float, float | None]]:
    """Score and cosine of each hit."""
    return {hit.document.key: (hit.score, hit.vector_score) for hit in result.hits}


def dimension(memory: Memory) -> int:
    """Of the file's vectors."""
    return memory._engine.embedder.info.dimension


def test_what_each_search_uses(memory: Memory) -> None:
    """An adapter where the query's own vector is asked, weights where the score fuses, else nothing."""
    before = memory.search(QUERY)
    fusion = put(memory._engine, "fusion")
    mapped = put(memory._engine, "adapter")
    ones = np.ones(dimension(memory))
    for options, used in (
        ({}, (fusion, mapped)),
        ({"mode": "vector"}, (mapped,)),
        ({"mode": "keyword"}, ()),
        ({"strategy": "rrf"}, (mapped,)),
        ({"vector": ones}, (fusion,)),
        ({"vector": ones, "mode": "vector"}, ()),
    ):
        assert memory.search(QUERY, **options).learned == used
    assert scores(memory.search(QUERY)) != scores(before)
    assert before.learned == ()


def test_the_explanation_says_it(memory: Memory) -> None:
    """A weight of keywords that was learnt is named where there are keywords to weigh."""
    put(memory._engine, "fusion", weights(1.5))
    explanation = memory.search("red light", explain=True).hits[0].explanation
    assert explanation is not None
    assert "1.50 times as was learnt" in explanation.why


def test_a_callers_vector_is_left_alone(memory: Memory) -> None:
    """Cosines with a vector that the caller gives are the same with an adapter and without."""
    ones = np.ones(dimension(memory))
    before = memory.search(QUERY, vector=ones, mode="vector")
    put(memory._engine, "adapter")
    assert scores(memory.search(QUERY, vector=ones, mode="vector")) == scores(before)
    assert scores(memory.search(QUERY, mode="vector")) != scores(before)


def test_relevance_keeps_to_the_models_own_cosines(memory: Memory) -> None:
    """No calibration knows mapped vectors: cosine and standing are judged as without an adapter."""
    engine = memory._engine
    question = engine.searching.embedded(
        plain_question(QUERY, k=5, settings=engine.settings, dimension=dimension(memory))
    )
    words = asked_words(QUERY)
    moved = Learnt(adapter=adapter(dimension(memory)))
    with engine.store.read() as reader:
        plain, mapped = (
            engine.searching.find(reader, question, words, Stopwatch(), learnt=learnt)
            for learnt in (NOTHING_LEARNT, moved)
        )
    assert plain.judged is not None
    assert mapped.judged is not None
    assert not np.allclose(plain.candidates.cosine, mapped.candidates.cosine)
    for feature in (0, 3):
        same = (plain.judged.features[:, feature], mapped.judged.features[:, feature])
        assert np.allclose(*same, atol=1e-5)


def test_a_candidate_that_is_not_stored(memory: Memory) -> None:
    """A search can be asked with what is not in the file, whatever is in use; nothing is logged."""
    put(memory._engine, "fusion", weights(0.0))
    engine = memory._engine
    question = engine.searching.embedded(
        plain_question(QUERY, k=5, settings=engine.settings, dimension=dimension(memory))
    )
    parts = []
    with engine.store.read() as reader:
        for learnt in (None, NOTHING_LEARNT, Learnt(weights=FusionWeights(2.0, 1.0))):
            found = engine.searching.find(
                reader, question, asked_words(QUERY), Stopwatch(), learnt=learnt
            )
            parts.append(float(found.fused.keyword_part.max()))
    assert parts[0] == 0
    assert parts[2] == pytest.approx(2 * parts[1])
    assert memory.disagreements().items == ()


def test_why_not_and_context_use_the_same(memory: Memory) -> None:
    """The ranks that are told of a passage are those of the search that is followed."""
    put(memory._engine, "adapter")
    put(memory._engine, "fusion", weights(0.5, 0.5))
    result = memory.search(QUERY, k=8)
    for hit in result.hits:
        told = memory.why_not(QUERY, key=hit.document.key, k=8)
        assert told.vector_rank == hit.vector_rank
        assert told.score == pytest.approx(hit.score)
    passages = memory.context(QUERY, k=1).passages
    assert passages[0].key == result.hits[0].document.key


@pytest.mark.parametrize("learner", ["fusion", "adapter"])
def test_damaged_parameters(tmp_path: Path, memory: Memory, learner: str) -> None:
    """A search goes on with the built-in and says so; a check finds it, a repair removes it."""
    plain = scores(memory.search(QUERY))
    put(memory._engine, learner)  # type: ignore[arg-type]
    with memory._engine.store.write() as writer:
        writer._connection.execute("UPDATE learned SET parameters = substr(parameters, 1, 9)")
    memory.close()
    with Memory(tmp_path / "x.db", model="fake") as again:
        result = again.search(QUERY)
        assert scores(result) == plain
        assert result.learned == ()
        assert [each.split(":")[0] for each in result.degraded] == ["learned_damaged"]
        assert again.why_not(QUERY, key="red").degraded == result.degraded
        assert [each.code for each in again.check().findings] == ["learned_damaged"]
        again.repair()
        assert again.search(QUERY).degraded == ()
        assert again.check().ok


def test_a_table_that_is_gone(tmp_path: Path, memory: Memory) -> None:
    """Searches go on without it."""
    with memory._engine.store.write() as writer:
        writer._connection.execute("DROP TABLE learned_switch")
        writer._connection.execute("DROP TABLE learned")
        writer.touch()
    assert memory.search(QUERY).hits
    assert memory.search(QUERY).degraded[0].startswith("learned_damaged")


def test_an_unchanged_file_is_not_asked_again(memory: Memory) -> None:
    """While the change counter stands still, what is known is looked up in memory."""
    learnt = LearntOf(memory._engine.served.number, dimension(memory))
    put(memory._engine, "fusion")
    with memory._engine.store.read() as reader:
        first = learnt.of(reader, "default")
        counters = {"change_counter": reader.change_counter, "derived_anew": reader.derived_anew}
    # Whoever asked this one for anything else would get an error.
    assert learnt.of(cast("Reader", SimpleNamespace(**counters)), "default") is first
    assert first.weights == FusionWeights(2.0, 1.0)


@pytest.mark.parametrize(
    ("learner", "data"),
    [
        ("fusion", b""),
        ("fusion", b"{"),
        ("fusion", b'{"keyword": NaN, "feedback": 1.0}'),
        ("fusion", b'{"keyword": -1.0, "feedback": 1.0}'),
        ("fusion", b"[" * 100_000),
        ("adapter", b""),
        ("adapter", adapter(16).packed()[:-1]),
        ("adapter", adapter(17).packed()),
        ("adapter", adapter(16, size=float("inf")).packed()),
    ],
)
def test_unreadable(learner: str, data: bytes) -> None:
    """What no learner packed is told from what one did."""
    assert not readable(learner, data, 16)
    assert readable("adapter", adapter(16).packed(), 16)
    assert readable("fusion", weights(), 16)
