"""What a write transaction stores beside documents: log, verdicts, calibration, replies, keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import apsw

from vstash.feedback import VerdictName
from vstash.keys import AccessKey
from vstash.replies import Reply, Request
from vstash.store import calibration, feedback, keys, log, replies, salvage
from vstash.store.derived import LatestDerived
from vstash.store.rows import SearchRow
from vstash.store.session import Reader

__all__ = ["BesideWriter"]


class BesideWriter(Reader):
    """The part of a write transaction that changes no document.

    Args:
        connection: Inside BEGIN IMMEDIATE.
        crash_point: Called by name between steps; tests stop the process there.
    """

    def __init__(self, connection: apsw.Connection, crash_point: Callable[[str], None]) -> None:
        super().__init__(connection, LatestDerived())
        self._crash_point = crash_point

    def log(self, row: SearchRow) -> None:
        """Write one search to the disagreement log.

        Where its collection or a chunk that it lists was removed meanwhile it is not: it may have been
        forgotten, and who forgot it could not see this.
        """
        if self.has_collection(row.collection) and log.lists_living(self._connection, row):
            log.append(self._connection, row)

    def log_key(self, *, new: Callable[[], bytes], now: int) -> bytes:
        """What the log's keyed hashes are made with; made by ``new`` in a file without one."""
        return log.key(self._connection, new, now)

    def redact(self, rows: Sequence[tuple[int, str, str | None]]) -> int:
        """Put keyed hashes in place of queries and sessions; see `log.redact`."""
        removed = log.redact(self._connection, rows)
        self._crash_point("redact:end")
        return removed

    def judge(
        self, *, search: int, document: int, chunk: int, verdict: VerdictName, now: int
    ) -> tuple[VerdictName, int]:
        """Store a verdict on a chunk for a logged search; returns which one stands, and since when."""
        standing = feedback.judge(
            self._connection,
            search=search,
            document=document,
            chunk=chunk,
            verdict=verdict,
            now=now,
        )
        self._crash_point("judge:end")
        return standing

    def calibrate(self, model: int, weights: Sequence[float], *, queries: int, now: int) -> None:
        """Store how relevance follows from its features for a model, the intercept last."""
        calibration.set_calibration(self._connection, model, weights, queries=queries, now=now)
        self._crash_point("calibrate:end")

    def forget_calibration(self, model: int) -> bool:
        """Forget what was learnt for a model; returns whether there was anything."""
        return calibration.clear_calibration(self._connection, model)

    def trim_log(self, *, keep_rows: int, oldest: int, oldest_alias: int) -> None:
        """Forget logged searches beyond a count, and those before a time in microseconds."""
        log.trim(self._connection, rows=keep_rows, oldest=oldest, oldest_alias=oldest_alias)

    def keep_reply(
        self, request: Request, reply: Reply, told_of: Sequence[str], *, now: int
    ) -> None:
        """Keep what a request is answered, with the ids of the documents that the answer tells of."""
        replies.insert(self._connection, request, reply, told_of, now=now)
        self._crash_point("reply:end")

    def put_salvaged_log(
        self, log: Mapping[str, Sequence[Sequence[Any]]], numbers: Mapping[int, int]
    ) -> None:
        """Write what was found of the log of a damaged file; see `salvage.insert_log`."""
        salvage.insert_log(self._connection, log, numbers)

    def insert_key(self, key: AccessKey, digest: bytes) -> None:
        """Store an access key with the SHA-256 of its secret."""
        keys.insert_key(self._connection, key, digest)

    def revoke_key(self, key_id: str, *, now: int) -> None:
        """Revoke an access key, if there is one with this id."""
        keys.revoke_key(self._connection, key_id, now=now)
