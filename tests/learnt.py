"""Things that were learnt, put into a file as learning does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import uuid6

from vstash.learn.adapter import Adapter
from vstash.learning import Learned, LearnerName, LearningDecision
from vstash.pipeline.engine import Engine, open_engine
from vstash.pipeline.learning import Learning
from vstash.pipeline.teaching import Lesson, Taught, Teaching
from vstash.search.weights import FusionWeights
from vstash.store.documents import to_datetime

__all__ = ["REASON", "Told", "adapter", "learning", "put", "turned", "weights"]

REASON = "measured on nothing"
# Of the fake embedder.
_DIMENSION = 64
_NOW = 1_800_000_000_000_000


def weights(keyword: float = 1.0, feedback: float = 1.0) -> bytes:
    """Factors of the fusion."""
    return FusionWeights(keyword, feedback).packed()


def adapter(dimension: int, *, seed: int = 0, size: float = 1.0) -> Adapter:
    """A map that moves every vector, the further the larger its size."""
    rng = np.random.default_rng(seed)
    left, right = rng.normal(0, size, (2, 4, dimension)).astype(np.float32)
    return Adapter(left.T.copy(), right, np.zeros(dimension, dtype=np.float32))


def put(
    engine: Engine,
    learner: LearnerName = "fusion",
    parameters: bytes | None = None,
    *,
    collection: str = "default",
    accepted: bool = True,
    use: bool = True,
) -> str:
    """Store something that was learnt, and use it as the gate does; returns its id."""
    if parameters is None:
        dimension = engine.embedder.info.dimension
        parameters = weights(2.0) if learner == "fusion" else adapter(dimension).packed()
    row = Learned(
        id=str(uuid6.uuid7()),
        learner=learner,
        collection=collection,
        model=engine.embedder.info.name,
        made=to_datetime(_NOW),
        accepted=accepted,
        active=False,
        decision=LearningDecision(accepted=accepted, reasons=(REASON,)),
    )
    with engine.store.write() as writer:
        writer.learned.add(row, parameters, model=engine.served.number, now=_NOW)
        found = writer.learned.find(row.id)
        assert found is not None
        if use:
            writer.learned.use(found, "gate", now=_NOW)
        writer.touch()
    return row.id


_ADAPTER = adapter(_DIMENSION).packed()


class Told(Teaching):
    """Learns what it is told, at once.

    Args:
        between: Called before each learner.
        accepted: What the gate says.
    """

    def __init__(
        self, between: Callable[[], object] = lambda: None, *, accepted: bool = True
    ) -> None:
        self._between = between
        self._accepted = accepted

    def taught(self, lesson: Lesson) -> Iterator[Taught]:
        """Something of each learner, which depends on the seed."""
        lesson.examples["search"] = 7
        for done, learner in enumerate(lesson.learners):
            lesson.step("learn", done, len(lesson.learners))
            self._between()
            decision = LearningDecision(self._accepted, (REASON,), seed=lesson.seed)
            packed = weights(1.0 + lesson.seed % 7) if learner == "fusion" else _ADAPTER
            yield Taught(learner, packed, decision)


def learning(
    engine: Engine, teaching: Teaching, clock: Callable[[], int] = lambda: _NOW
) -> Learning:
    """The part that learns, with a teacher that needs no data."""
    info = engine.embedder.info
    return Learning(engine.store, teaching, engine.served, info.name, info.dimension, clock)


def turned(
    path: Path,
    *learners: LearnerName,
    accepted: bool = True,
    use: bool = True,
    neutral: bool = False,
) -> list[str]:
    """The same in a file that others may have open; what is neutral changes no search."""
    engine = open_engine(path, model="fake")
    still = {
        "fusion": weights(),
        "adapter": adapter(engine.embedder.info.dimension, size=0.0).packed(),
    }
    try:
        return [
            put(engine, each, still[each] if neutral else None, accepted=accepted, use=use)
            for each in learners
        ]
    finally:
        engine.close()
