"""Things that were learnt, put into a file as learning does it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import uuid6

from vstash.learn.adapter import Adapter
from vstash.learning import Learned, LearnerName, LearningDecision
from vstash.pipeline.engine import Engine, open_engine
from vstash.search.weights import FusionWeights
from vstash.store.documents import to_datetime

__all__ = ["REASON", "adapter", "put", "turned", "weights"]

REASON = "measured on nothing"
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
