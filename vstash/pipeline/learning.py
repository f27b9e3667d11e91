"""Learning from a collection's searches, and what comes of it: history, promotion, rollback."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import uuid6

from vstash.errors import (
    FieldError,
    LearnedDamagedError,
    LearnedOtherModelError,
    LearnedRefusedError,
    QueryError,
)
from vstash.errors.learning import no_learned
from vstash.learning import (
    LEARNER_CHOICES,
    LEARNERS,
    Learned,
    LearnerChoice,
    LearnerName,
    LearnOutcome,
    LearnProgress,
    LearnWatcher,
    RollbackReport,
)
from vstash.pipeline.documents import require_collection
from vstash.pipeline.learned import readable
from vstash.pipeline.once import settle
from vstash.pipeline.paging import decode_cursor, encode_cursor, page_limit
from vstash.pipeline.prepare import MOST_SEED, check_whole, checked_collection, checked_key
from vstash.pipeline.teaching import Lesson, Taught, Teaching
from vstash.store.documents import to_datetime
from vstash.store.models import Served
from vstash.types import Page

if TYPE_CHECKING:
    from vstash.store.learned import StoredLearned
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.store.writer import Writer

__all__ = ["Learning"]

_LONGEST_S: Final = 86_400


class _SpentError(Exception):
    """The budget of a run is used up."""


class Learning:
    """What is learnt of the collections of a file.

    Args:
        store: The file.
        teaching: Learns, and judges what was learnt.
        served: The file's model.
        model: Its name.
        dimension: Of its vectors.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        teaching: Teaching,
        served: Served,
        model: str,
        dimension: int,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._teaching = teaching
        self._served = served
        self._model = model
        self._dimension = dimension
        self._clock = clock

    def learn(
        self,
        collection: str | None,
        *,
        learner: LearnerChoice,
        seed: int,
        budget_s: float | None,
        promote: bool,
        progress: LearnWatcher | None,
    ) -> LearnOutcome:
        """Learn, judge, store, and use what was taken; see `Memory.learn`."""
        start = time.perf_counter()
        name = checked_collection(collection)
        _check(learner, seed, budget_s, promote)
        until = math.inf if budget_s is None else start + budget_s

        def step(stage: str, done: int, total: int) -> None:
            if progress is not None:
                progress(LearnProgress(stage, done, total))
            if time.perf_counter() > until:
                raise _SpentError

        wanted = LEARNERS if learner == "all" else (learner,)
        with self._store.write():
            # What cannot be written is refused before the work, not after it.
            pass
        with self._store.read() as reader:
            require_collection(reader, name)
            in_use = reader.learned.active(name, self._served.number)
        lesson = Lesson(name, wanted, seed, step)
        taught: list[Taught] = []
        cut = False
        try:
            taught.extend(self._teaching.taught(lesson))
        except _SpentError:
            cut = True
        stored = self._stored(name, taught, in_use, promote=promote)
        return LearnOutcome(
            collection=name,
            learned=stored,
            examples=lesson.examples,
            cut=cut,
            seconds=round(time.perf_counter() - start, 3),
        )

    def _stored(
        self, collection: str, taught: list[Taught], in_use: dict[str, str], *, promote: bool
    ) -> tuple[Learned, ...]:
        """Store what was learnt, and use what was taken, unless something else is in use by now."""
        if not taught:
            return ()
        with self._store.write() as writer:
            require_collection(writer, collection)
            self._require_model(writer)
            now = self._clock()
            same = writer.learned.active(collection, self._served.number) == in_use
            ids = []
            for each in taught:
                row = Learned(
                    id=str(uuid6.uuid7()),
                    learner=each.learner,
                    collection=collection,
                    model=self._model,
                    made=to_datetime(now),
                    accepted=each.decision.accepted,
                    active=False,
                    decision=each.decision,
                )
                writer.learned.add(row, each.parameters, model=self._served.number, now=now)
                ids.append(row.id)
                if promote and same and row.accepted:
                    writer.learned.use(_there(writer, row.id), "gate", now=now)
            writer.touch()
            return tuple(_there(writer, each).learned for each in ids)

    def page(self, *, collection: str | None, limit: int, cursor: str | None) -> Page[Learned]:
        """List what was learnt; see `Memory.learned`."""
        name = None if collection is None else checked_collection(collection)
        size = page_limit(limit)
        before = None if cursor is None else decode_cursor("learned", cursor)
        with self._store.read() as reader:
            found = reader.learned.page(collection=name, limit=size + 1, before=before)
        more = encode_cursor("learned", found[size - 1].number) if len(found) > size else None
        return Page(tuple(each.learned for each in found[:size]), more)

    def promote(self, learned_id: str, *, collection: str | None, force: bool) -> Learned:
        """Use something that was learnt; see `Memory.promote`."""
        checked_key(learned_id, pointer="/id")
        name = None if collection is None else checked_collection(collection)
        if not isinstance(force, bool):
            raise FieldError("force is true or false.", pointer="/force")
        with self._store.write() as writer:
            found = _there(writer, learned_id)
            if name is not None and found.learned.collection != name:
                raise no_learned()
            self._require_model(writer)
            if found.model != self._served.number:
                raise LearnedOtherModelError(
                    f"It was learnt with the model {found.learned.model}, and is used with that alone: "
                    "switch to it first, with `vstash model use`.",
                    pointer="/id",
                )
            data = writer.learned.parameters(learned_id)
            if data is None or not readable(found.learned.learner, data, self._dimension):
                raise LearnedDamagedError(
                    "It cannot be read any more: `vstash check --repair` removes it.", pointer="/id"
                )
            if not found.learned.accepted and not force:
                raise LearnedRefusedError(
                    f"The gate refused it: {'; '.join(found.learned.decision.reasons)}. To use it all "
                    "the same, say force.",
                    pointer="/id",
                )
            if writer.learned.use(found, "promote", now=self._clock()) is not None:
                writer.touch()
            promoted = _there(writer, learned_id).learned
            settle(writer, promoted)
        return promoted

    def rollback(self, collection: str | None, *, learner: LearnerName | None) -> RollbackReport:
        """Go back to what was in use before; see `Memory.rollback`."""
        name = checked_collection(collection)
        if learner is not None and learner not in LEARNERS:
            raise FieldError(f"learner is one of: {', '.join(LEARNERS)}.", pointer="/learner")
        with self._store.write() as writer:
            require_collection(writer, name)
            model = writer.served
            switched = [
                None
                if model is None
                else writer.learned.back(each, name, model.number, now=self._clock())
                for each in (LEARNERS if learner is None else (learner,))
            ]
            report = RollbackReport(name, tuple(each for each in switched if each is not None))
            if report.switched:
                writer.touch()
            settle(writer, report)
        return report

    def _require_model(self, writer: Writer) -> None:
        if writer.served != self._served:
            raise LearnedOtherModelError(
                "Another model became the active one meanwhile; nothing was changed. Try again."
            )


def _check(learner: object, seed: object, budget_s: object, promote: object) -> None:
    if learner not in LEARNER_CHOICES:
        raise FieldError(f"learner is one of: {', '.join(LEARNER_CHOICES)}.", pointer="/learner")
    check_whole("seed", seed, 0, MOST_SEED)
    sound = budget_s is None or (
        isinstance(budget_s, int | float)
        and not isinstance(budget_s, bool)
        and 0 < budget_s <= _LONGEST_S
    )
    if not sound:
        raise QueryError(
            f"budget_s is a number of seconds, more than 0 and at most {_LONGEST_S:,}.",
            pointer="/budget_s",
        )
    if not isinstance(promote, bool):
        raise FieldError("promote is true or false.", pointer="/promote")


def _there(reader: Reader, learned_id: str) -> StoredLearned:
    found = reader.learned.find(learned_id)
    if found is None:
        raise no_learned()
    return found
