"""Methods of `Memory` that learn from searches, and use or leave what was learnt."""

from __future__ import annotations

from vstash.learning import (
    AutoLearning,
    Learned,
    LearnerChoice,
    LearnerName,
    LearnOutcome,
    LearnWatcher,
    RollbackReport,
)
from vstash.memory.base import Base
from vstash.types import Page

__all__ = ["Learning"]


class Learning(Base):
    """Learning of a collection, behind a gate that refuses to get worse."""

    def learn(
        self,
        collection: str | None = None,
        *,
        learner: LearnerChoice = "all",
        seed: int = 0,
        budget_s: float | None = None,
        promote: bool = True,
        progress: LearnWatcher | None = None,
    ) -> LearnOutcome:
        """Learn from where the indexes disagreed, judge it on queries held out, and use it if it is better.

        Queries are the logged ones and those that `label` was given; it is compared with the built-in,
        whatever is in use. What was learnt is stored with the evidence by which the gate took or refused
        it, also where it was refused. No passage is embedded anew; searches that go on meanwhile change
        from one to the next, in all processes.

        Args:
            collection: None for ``default``.
            learner: ``fusion``: how far keywords and feedback count; ``adapter``: a small map on the
                vector of a query; ``all``: both.
            seed: Of splits and starts: the same file and seed learn the same.
            budget_s: At most about so many seconds; what is learnt by then is stored. None for no bound.
            promote: Use what the gate takes; false stores it for `promote`.
            progress: Called at every step; what it raises ends the run, and nothing is stored.

        Raises:
            LearningError: When there is too little to learn from.
            CollectionNotFoundError: When nothing was ever written to the collection.
            LearnedOtherModelError: When the file was switched to another model meanwhile.
            FieldError, QueryError: When an argument cannot be used.
            StoreError: When the file could not be written; nothing was changed.

        Example:
            >>> with Memory("notes.db") as memory:  # doctest: +SKIP
            ...     [learned.active for learned in memory.learn().learned]
            [True, False]
        """
        return self._engine.learning.learn(
            collection,
            learner=learner,
            seed=seed,
            budget_s=budget_s,
            promote=promote,
            progress=progress,
        )

    def learned(
        self, collection: str | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Learned]:
        """List what was learnt, newest first, each with why the gate took or refused it.

        Of what was never in use, the last 50 of each learner, collection and model are kept.

        Args:
            collection: None for all.
            limit: How many per page, 1 to 1,000.
            cursor: ``next_cursor`` of the page before.

        Raises:
            QueryError, CursorError, FieldError: When one is malformed.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.learned().items
            ()
        """
        return self._engine.learning.page(collection=collection, limit=limit, cursor=cursor)

    def promote(self, id: str, *, collection: str | None = None, force: bool = False) -> Learned:
        """Use something that was learnt, in the place of what is in use, from the next search on.

        Args:
            id: As in `Learned.id`.
            collection: That it was learnt of, None for any.
            force: Use it although the gate refused it.

        Returns:
            It, as it is now; promoting what is in use changes nothing.

        Raises:
            LearnedNotFoundError: When there is none, or none of the collection.
            LearnedRefusedError: When the gate refused it, and ``force`` is false.
            LearnedOtherModelError: When it was learnt with another model than the active one.
            LearnedDamagedError: When it cannot be read any more.
            StoreError: When the file could not be written; nothing was changed.
        """
        return self._engine.learning.promote(id, collection=collection, force=force)

    def rollback(
        self, collection: str | None = None, *, learner: LearnerName | None = None
    ) -> RollbackReport:
        """Go back to what was in use before, or to the built-in, from the next search on.

        Each call goes one step further back, to the built-in at last.

        Args:
            collection: None for ``default``.
            learner: Of which; None for each.

        Returns:
            What was switched; nothing where the built-in was in use.

        Raises:
            CollectionNotFoundError: When nothing was ever written to the collection.
            FieldError: When there is no such learner.
            StoreError: When the file could not be written; nothing was changed.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Tea is hot.")
            ...     memory.rollback().switched
            ()
        """
        return self._engine.learning.rollback(collection, learner=learner)

    def auto_learning(self) -> AutoLearning:
        """Say whether a service with these settings learns by itself, and what there is to learn.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.auto_learning().on
            False
        """
        return self._engine.background_learning.state()

    def learn_in_background(self) -> None:
        """Learn by the settings ``learn_auto...``, in a thread of its own, until the file is closed.

        It begins on a collection when enough was searched since it was last learnt of, and a day ago;
        waits until nobody searched through this object for some seconds; keeps to its share of a core;
        and writes its decisions as `learn` does. Without ``learn_auto`` nothing happens.

        Raises:
            ClosedError: When it is closed.
        """
        self._engine.background_learning.state()
        self._engine.background_learning.start()
