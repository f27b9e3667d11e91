"""A run of learning: what is stored, what is used, and what stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.learnt import Told, learning, put
from vstash import Memory, UpkeepRequest
from vstash.errors import (
    CollectionNotFoundError,
    FieldError,
    LearnedDamagedError,
    LearnedOtherModelError,
    LearningError,
    QueryError,
    VstashError,
)
from vstash.learning import LearnOutcome, LearnProgress


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    """A file with a document."""
    with Memory(tmp_path / "x.db", model="fake") as opened:
        opened.add("Tea is hot.")
        yield opened


def learnt(
    memory: Memory,
    *,
    accepted: bool = True,
    between: Callable[[], object] = lambda: None,
    budget_s: float | None = None,
    promote: bool = True,
    progress: Callable[[LearnProgress], None] | None = None,
) -> LearnOutcome:
    """Learn from a teacher that needs no data."""
    engine = memory._engine
    return learning(engine, Told(between, accepted=accepted)).learn(
        None, learner="fusion", seed=3, budget_s=budget_s, promote=promote, progress=progress
    )


@pytest.mark.parametrize(
    ("accepted", "promote", "used"),
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_stored_and_used(memory: Memory, *, accepted: bool, promote: bool, used: bool) -> None:
    """All is stored with its decision; what was taken is used where that was asked for."""
    outcome = learnt(memory, accepted=accepted, promote=promote)
    (kept,) = memory.learned().items
    assert outcome.learned == (kept,)
    assert outcome.examples == {"search": 7}
    assert (kept.accepted, kept.active, kept.decision.seed) == (accepted, used, 3)
    assert memory.search("tea").learned == ((kept.id,) if used else ())


def test_what_others_put_in_use_meanwhile_stays(memory: Memory) -> None:
    """It was judged against what was in use at the beginning: where that changed, it is not put there."""
    others: list[str] = []
    outcome = learnt(memory, between=lambda: others.append(put(memory._engine)))
    assert not outcome.learned[0].active
    assert memory.search("tea").learned == tuple(others)


def test_a_switch_of_models_meanwhile(memory: Memory) -> None:
    """What was learnt with the model before is not stored."""
    with pytest.raises(LearnedOtherModelError):
        learnt(memory, between=lambda: memory.reindex("fake-32"))
    assert memory.learned().items == ()


def test_a_collection_that_goes_meanwhile(memory: Memory) -> None:
    """Nothing is stored of it where it is gone."""
    memory.add("Work.", collection="work")
    with pytest.raises(CollectionNotFoundError):
        memory.learn("none")
    learnt(memory, between=lambda: memory.delete_collection("work"))


def test_budget(memory: Memory) -> None:
    """One that is used up ends the run, and what was learnt until then is stored."""
    outcome = learnt(memory, budget_s=1e-9)
    assert (outcome.cut, outcome.learned) == (True, ())


def test_stopped(memory: Memory) -> None:
    """What the progress raises ends the run, and nothing is stored."""

    def stop(_: LearnProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learnt(memory, progress=stop)
    assert memory.learned().items == ()


def test_too_little(memory: Memory) -> None:
    """A collection without traffic teaches nothing, and says what to do."""
    with pytest.raises(LearningError, match="few"):
        memory.learn()
    assert memory.learned().items == ()


def test_as_a_job(memory: Memory) -> None:
    """A service learns in the background, and says how that ended."""
    job = memory.start_upkeep("learn", collection="default")
    assert (job.kind, job.upkeep) == ("learn", UpkeepRequest(collection="default"))
    memory.work_in_background()
    while not memory.job(job.id).ended:
        time.sleep(0.01)
    failed = memory.job(job.id)
    assert failed.error is not None
    assert (failed.state, failed.error.code) == ("failed", "learning_impossible")


@pytest.mark.parametrize(
    ("fields", "pointer", "kind"),
    [
        ({"learner": "luck"}, "/learner", FieldError),
        ({"seed": -1}, "/seed", QueryError),
        ({"seed": 1.5}, "/seed", QueryError),
        ({"budget_s": 0}, "/budget_s", QueryError),
        ({"budget_s": float("nan")}, "/budget_s", QueryError),
        ({"budget_s": "x"}, "/budget_s", QueryError),
        ({"promote": 1}, "/promote", FieldError),
        ({"collection": " "}, "/collection", FieldError),
    ],
)
def test_wrong_arguments(
    memory: Memory, fields: dict[str, object], pointer: str, kind: type[VstashError]
) -> None:
    """Each is refused before any work."""
    with pytest.raises(kind) as caught:
        memory.learn(**fields)  # type: ignore[arg-type]
    assert caught.value.pointer == pointer


def test_a_damaged_one_is_not_promoted(memory: Memory) -> None:
    """Searches would only fall back from it."""
    there = put(memory._engine, "adapter", b"VSA1", use=False)
    with pytest.raises(LearnedDamagedError):
        memory.promote(there, force=True)
    assert memory.search("tea").learned == ()


def test_old_ones_that_were_never_used_go(memory: Memory) -> None:
    """Of those the last 50 are kept, and all that are or were in use."""
    used = [put(memory._engine) for _ in range(3)]
    never = [put(memory._engine, use=False) for _ in range(60)]
    kept = [each.id for each in memory.learned(limit=1000).items]
    assert set(used) < set(kept)
    assert [each for each in kept if each in never] == never[:-51:-1]
    for expected in (used[1], used[0]):
        memory.rollback()
        assert memory.search("tea").learned == (expected,)


def test_rollback_after_rollback_and_promotion(memory: Memory) -> None:
    """Each step back undoes the last step forward that was not undone."""
    first, second = put(memory._engine), put(memory._engine)
    memory.rollback()
    memory.promote(second)
    memory.promote(first)
    steps = []
    while report := memory.rollback().switched:
        steps.append(report[0].after)
    assert steps == [second, first, None]
