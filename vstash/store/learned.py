"""What was learnt of collections, by model: parameters, why the gate took or refused them, what is in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import apsw
import msgspec

from vstash.errors import StoreCorruptError
from vstash.learning import (
    LEARNERS,
    Learned,
    LearnedSwitch,
    LearnerName,
    LearningDecision,
    SwitchReason,
)
from vstash.store.connection import fetch
from vstash.store.documents import to_datetime
from vstash.store.examples import StoredExample, examples
from vstash.store.faults import UNREADABLE, index_damaged, unreadable
from vstash.store.found import Found, Rules, Tick

__all__ = ["LearnedReader", "LearnedWriter", "StoredLearned", "learned_findings"]

# Of one learner for a collection and a model; those that are or were in use stay.
_KEPT: Final = 50
_SELECT: Final = (
    "SELECT l.number, l.id, l.learner, c.name, m.name, l.made_at, l.accepted, l.active, l.decision, "
    "l.model FROM learned AS l JOIN collection AS c ON c.id = l.collection "
    "JOIN model AS m ON m.id = l.model"
)
_OF: Final = (
    "learner = ?1 AND collection = (SELECT id FROM collection WHERE name = ?2) AND model = ?3"
)


@dataclass(frozen=True, slots=True)
class StoredLearned:
    """Something that was learnt, with its number and that of its model."""

    number: int
    model: int
    learned: Learned


class LearnedReader:
    """What was learnt of a file's collections.

    Args:
        connection: In a transaction.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def active(self, collection: str, model: int) -> dict[str, str]:
        """Ids of what a collection is searched with, by learner.

        Args:
            collection: Its name.
            model: Number of the active model.

        Raises:
            IndexDamagedError: When it cannot be read.
        """
        with index_damaged("learned"):
            rows = fetch(
                self._connection,
                "SELECT learner, id FROM learned WHERE active = 1 AND model = ? "
                "AND collection = (SELECT id FROM collection WHERE name = ?)",
                (model, collection),
            )
            return {str(learner): str(row_id) for learner, row_id in rows}

    def parameters(self, learned_id: str) -> bytes | None:
        """What was learnt, as bytes; None where it is gone or is none.

        Raises:
            IndexDamagedError: When it cannot be read.
        """
        with index_damaged("learned"):
            rows = fetch(
                self._connection, "SELECT parameters FROM learned WHERE id = ?", (learned_id,)
            )
        return rows[0][0] if rows and isinstance(rows[0][0], bytes) else None

    def find(self, learned_id: str) -> StoredLearned | None:
        """Something that was learnt, by its id."""
        rows = fetch(self._connection, f"{_SELECT} WHERE l.id = ?", (learned_id,))
        return _stored(rows[0]) if rows else None

    def page(
        self, *, collection: str | None, limit: int, before: int | None
    ) -> list[StoredLearned]:
        """What was learnt of a collection, None for all, newest first.

        Args:
            collection: Its name.
            limit: At most this many.
            before: Number of the one after which the page starts, None for the newest.
        """
        rows = fetch(
            self._connection,
            f"{_SELECT} WHERE l.number < ?1 AND (?2 IS NULL OR c.name = ?2) "
            "ORDER BY l.number DESC LIMIT ?3",
            (2**63 - 1 if before is None else before, collection, limit),
        )
        return [_stored(row) for row in rows]

    def examples(self, collection: str, limit: int) -> list[StoredExample]:
        """The newest queries of a collection that can be learnt from; see `examples.examples`."""
        return examples(self._connection, collection, limit)

    def traffic(self, model: int, most: int) -> list[tuple[str, int | None, int]]:
        """Of each collection when something was last learnt of it, and the searches logged since.

        Args:
            model: Number of the active model.
            most: Searches are counted up to this.
        """
        rows = fetch(
            self._connection,
            "WITH known AS MATERIALIZED (SELECT c.name AS name, (SELECT max(l.made_at) FROM learned AS l "
            "WHERE l.collection = c.id AND l.model = ?1) AS last FROM collection AS c), "
            "told AS MATERIALIZED (SELECT s.collection AS name, count(*) AS searches FROM search AS s "
            "CROSS JOIN known AS k ON k.name = s.collection AND s.at > coalesce(k.last, 0) "
            "GROUP BY s.collection) "
            "SELECT name, last, min(coalesce(searches, 0), ?2) FROM known LEFT JOIN told USING (name) "
            "ORDER BY name",
            (model, most),
        )
        return [(str(name), last, int(searches)) for name, last, searches in rows]

    def _earlier(self, learner: LearnerName, collection: str, model: int) -> list[int | None]:
        """What was in use before, as numbers, None for the built-in; what a rollback left is not among it."""
        rows = fetch(
            self._connection,
            f'SELECT "before", why FROM learned_switch WHERE {_OF} ORDER BY number',
            (learner, collection, model),
        )
        stack: list[int | None] = []
        for before, why in rows:
            if why != "rollback":
                stack.append(before)
            elif stack:
                stack.pop()
        return stack


class LearnedWriter(LearnedReader):
    """What was learnt, to be changed inside a write transaction.

    Args:
        connection: The write connection inside its transaction.
        crash_point: Called by name between steps; tests stop the process there.
    """

    def __init__(self, connection: apsw.Connection, crash_point: Callable[[str], None]) -> None:
        super().__init__(connection)
        self._crash_point = crash_point

    def add(self, row: Learned, parameters: bytes, *, model: int, now: int) -> int:
        """Store something that was learnt, not in use so far; returns its number.

        Args:
            row: Its ``active`` is not looked at.
            parameters: As its learner packs them.
            model: Number of the model that it was learnt with.
            now: Microseconds since the epoch.
        """
        self._connection.execute(
            "INSERT INTO learned (id, learner, collection, model, made_at, parameters, decision, "
            "accepted) VALUES (?, ?, (SELECT id FROM collection WHERE name = ?), ?, ?, ?, ?, ?)",
            (
                row.id,
                row.learner,
                row.collection,
                model,
                now,
                parameters,
                msgspec.json.encode(row.decision).decode(),
                int(row.accepted),
            ),
        )
        number = self._connection.last_insert_rowid()
        self._crash_point("learned:add")
        self._trim(row.learner, row.collection, model)
        return number

    def use(self, found: StoredLearned, why: SwitchReason, *, now: int) -> LearnedSwitch | None:
        """Put something that was learnt in the place of what is in use; None where it is that.

        Args:
            found: What.
            why: Who said so.
            now: Microseconds since the epoch.
        """
        known = found.learned
        return self._switch(
            known.learner, known.collection, found.model, found.number, why, now=now
        )

    def back(
        self, learner: LearnerName, collection: str, model: int, *, now: int
    ) -> LearnedSwitch | None:
        """Go back to what was in use before, or to the built-in; None where that is in use."""
        earlier = self._earlier(learner, collection, model)
        target = earlier[-1] if earlier else None
        return self._switch(learner, collection, model, target, "rollback", now=now)

    def _switch(
        self,
        learner: LearnerName,
        collection: str,
        model: int,
        after: int | None,
        why: SwitchReason,
        *,
        now: int,
    ) -> LearnedSwitch | None:
        of = (learner, collection, model)
        rows = fetch(self._connection, f"SELECT number FROM learned WHERE {_OF} AND active = 1", of)
        before = int(rows[0][0]) if rows else None
        if before == after:
            return None
        self._connection.execute(f"UPDATE learned SET active = 0 WHERE {_OF} AND active = 1", of)
        self._crash_point("learned:off")
        self._connection.execute("UPDATE learned SET active = 1 WHERE number = ?", (after,))
        self._crash_point("learned:on")
        self._connection.execute(
            'INSERT INTO learned_switch (learner, collection, model, at, "before", "after", why) '
            "VALUES (?1, (SELECT id FROM collection WHERE name = ?2), ?3, ?4, ?5, ?6, ?7)",
            (*of, now, before, after, why),
        )
        self._crash_point("learned:switch")
        return LearnedSwitch(learner, self._id(before), self._id(after))

    def _id(self, number: int | None) -> str | None:
        rows = fetch(self._connection, "SELECT id FROM learned WHERE number = ?", (number,))
        return str(rows[0][0]) if rows else None

    def _trim(self, learner: LearnerName, collection: str, model: int) -> None:
        """Forget what was learnt long ago and was never in use."""
        self._connection.execute(
            f"DELETE FROM learned WHERE {_OF} AND active = 0 "
            f'AND number NOT IN (SELECT "after" FROM learned_switch WHERE "after" IS NOT NULL) '
            f"AND number NOT IN (SELECT number FROM learned WHERE {_OF} ORDER BY number DESC LIMIT {_KEPT})",
            (learner, collection, model),
        )


def _stored(row: tuple[Any, ...]) -> StoredLearned:
    number, learned_id, learner, collection, model, made, accepted, active, decision, of = row
    try:
        known = msgspec.json.decode(str(decision), type=LearningDecision)
    except (msgspec.MsgspecError, RecursionError):
        raise unreadable() from None
    if learner not in LEARNERS:
        raise unreadable()
    learned = Learned(
        id=str(learned_id),
        learner=learner,
        collection=str(collection),
        model=str(model),
        made=to_datetime(made),
        accepted=bool(accepted),
        active=bool(active),
        decision=known,
    )
    return StoredLearned(int(number), int(of), learned)


def learned_findings(connection: apsw.Connection, rules: Rules, _tick: Tick) -> Found:
    """What was learnt and cannot be used, or says what it cannot be.

    Args:
        connection: In a read transaction.
        rules: Know what parameters look like.
    """
    dimensions = dict(fetch(connection, "SELECT id, dimension FROM model"))
    rows = connection.execute(
        "SELECT number, learner, model, made_at, CAST(parameters AS BLOB), CAST(decision AS BLOB) "
        "FROM learned"
    )
    yield (
        "learned_damaged",
        [
            number
            for number, learner, model, made, parameters, decision in rows
            if learner not in LEARNERS
            or not rules.learned(learner, bytes(parameters), dimensions.get(model, 0))
            or not _told(bytes(decision), made)
        ],
    )


def _told(decision: bytes, made: int) -> bool:
    """Whether it can be shown."""
    try:
        msgspec.json.decode(decision, type=LearningDecision)
        return bool(to_datetime(made))
    except (msgspec.MsgspecError, StoreCorruptError, RecursionError, *UNREADABLE):
        return False
