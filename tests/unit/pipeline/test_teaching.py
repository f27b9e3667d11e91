"""Learning from real searches of a real file: what is systematic is learnt, disorder is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.learning.learners import Control
from vstash import Memory, NewDocument
from vstash.errors import LearningError
from vstash.settings import load_settings
from vstash.testing import FakeEmbedder
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray

WORDS = [f"{first}{second}" for first in "bcdfghjklm" for second in ("ado", "elu", "imo", "ora")]
DOCUMENTS = 500
UNSEEN = 200


class Turned(FakeEmbedder):
    """Puts every query beside what answers it, always in the same way."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(5)
        self._turn = np.eye(64) + np.outer(*rng.normal(size=(2, 64))) / 6

    @property
    def info(self) -> ModelInfo:
        """A model of its own."""
        return replace(super().info, name="turned", sha256="1" * 64)

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """Turned, and of length 1."""
        moved = self.embed_passages(texts) @ self._turn.T
        unit: FloatArray = moved / np.linalg.norm(moved, axis=1, keepdims=True)
        return unit.astype(np.float32)


def searched(path: Path) -> tuple[Memory, list[tuple[str, str]]]:
    """A file that was searched, and queries with their answers that it was not searched for."""
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(WORDS, 8, replace=False)) for _ in range(DOCUMENTS)]
    queries = [" ".join(rng.choice(text.split(), 3, replace=False)) for text in texts]
    memory = Memory(path, model=Turned())
    memory.add_batch([NewDocument(text, key=f"d{n}") for n, text in enumerate(texts)])
    for query in queries[UNSEEN:]:
        memory.search(query)
    memory.flush_log()
    return memory, [(query, f"d{n}") for n, query in enumerate(queries[:UNSEEN])]


def reciprocal_rank(memory: Memory, asked: list[tuple[str, str]]) -> float:
    """Mean over queries, of the vector leg."""
    total = 0.0
    for query, key in asked:
        hits = memory.search(query, mode="vector", log=False).hits
        total += sum(1 / rank for rank, hit in enumerate(hits, 1) if hit.document.key == key)
    return total / len(asked)


def test_learnt_of_searches_alone(tmp_path: Path) -> None:
    """The map helps queries that were never asked, and back is back; of lists of others it is refused."""
    memory, asked = searched(tmp_path / "x.db")
    with memory:
        before = reciprocal_rank(memory, asked)
        outcome = memory.learn(learner="adapter", seed=1)
        (adapter,) = outcome.learned
        assert adapter.accepted, adapter.decision
        assert adapter.active
        assert outcome.examples == {"search": memory.stats().searches_logged}
        assert reciprocal_rank(memory, asked) > before + 0.05
        memory.rollback()
        assert reciprocal_rank(memory, asked) == before
        teaching = memory._engine.learning._teaching
        teaching._asking = Control(teaching._asking, "shuffled", 0)
        (refused,) = memory.learn(learner="adapter", seed=1).learned
        assert not refused.accepted
        assert not refused.active


def test_known_answers_decide(tmp_path: Path) -> None:
    """Where they are known, the weight of keywords is chosen and judged by them."""
    memory, asked = searched(tmp_path / "x.db")
    with memory:
        memory.label({key: query for query, key in asked}, {key: {key: 1} for _, key in asked})
        outcome = memory.learn(learner="fusion")
        (fusion,) = outcome.learned
        assert outcome.examples["answered"] == UNSEEN
        (figure,) = fusion.decision.figures
        assert figure.name == "held-out nDCG@10 of known answers"
        assert fusion.accepted is (figure.low > 0)


def test_too_little(tmp_path: Path) -> None:
    """Some dozens of different queries are needed; nothing is stored."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("Tea is hot.")
        for number in range(60):
            memory.search(f"tea {number % 3}")
        with pytest.raises(LearningError, match="too few different queries"):
            memory.learn()
        assert memory.learned().items == ()


def test_a_log_without_queries(tmp_path: Path) -> None:
    """Who keeps none is told which setting keeps them, rather than to search more."""
    settings = load_settings(log_searches="ids-only")
    with Memory(tmp_path / "x.db", model="fake", settings=settings) as memory:
        memory.add("Tea is hot.")
        memory.search("tea")
        with pytest.raises(LearningError, match="log_searches is ids-only"):
            memory.learn()


def test_no_vector_yet(tmp_path: Path) -> None:
    """Nothing is judged before there is something to compare."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("Tea is hot.", embed="later")
        with pytest.raises(LearningError, match="vstash embed"):
            memory.learn()
