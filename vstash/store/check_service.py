"""Integrity of what services keep: stored replies, access keys, jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

import apsw

from vstash.errors import StoreCorruptError
from vstash.store.check_log import moment
from vstash.store.connection import fetch
from vstash.store.faults import UNREADABLE
from vstash.store.found import Found, Rules, Tick
from vstash.store.jobs import JobReader

__all__ = ["readable_job", "service_findings", "unlinked"]

_HTTP: Final = range(100, 600)
_KEY_ID: Final = re.compile(r"[0-9a-f]{16}")
_BINDS: Final = 500
# Whether the times of a job fit its state; a queued one that was cancelled never started.
_FITTING: Final = (
    "CASE state WHEN 'queued' THEN started IS NULL AND finished IS NULL AND runner = '' "
    "WHEN 'running' THEN started IS NOT NULL AND finished IS NULL AND runner <> '' "
    "WHEN 'cancelled' THEN finished IS NOT NULL "
    "ELSE started IS NOT NULL AND finished IS NOT NULL END "
    "AND (state = 'failed') = (error IS NOT NULL) AND (state <> 'done' OR report IS NOT NULL)"
)


def service_findings(connection: apsw.Connection, _rules: Rules, _tick: Tick) -> Found:
    """Read every reply, key and job as those who use them do.

    Args:
        connection: In a read transaction.
    """
    yield from _replies(connection)
    yield "reply_unlinked", [reply for reply, _ in unlinked(connection)]
    keys = connection.execute(
        "SELECT id, name, scope, created, expires_at, revoked_at FROM access_key"
    )
    yield (
        "key_damaged",
        [
            key
            for key, name, scope, created, *ends in keys
            if not (_KEY_ID.fullmatch(str(key)) and name and scope in {"read", "write", "admin"})
            or not moment(created)
            or not all(end is None or moment(end) for end in ends)
        ],
    )
    unfit = connection.execute(f"SELECT id FROM job WHERE NOT coalesce({_FITTING}, 0)")
    yield "job_damaged", (row[0] for row in unfit)
    reader = JobReader(connection)
    jobs = fetch(connection, "SELECT id FROM job")
    yield "job_damaged", [job for (job,) in jobs if not readable_job(reader, job)]


def readable_job(reader: JobReader, job: str) -> bool:
    """Whether a job can be read."""
    try:
        return reader.find(job) is not None
    except (StoreCorruptError, *UNREADABLE):
        return False


def _replies(connection: apsw.Connection) -> Found:
    for number, status, headers, body, at in connection.execute(
        "SELECT id, status, headers, body, at FROM reply"
    ):
        sound = status in _HTTP and moment(at) and isinstance(_json(headers), dict)
        if not sound or (body is not None and _json(body) is None):
            yield "reply_damaged", [number]


def _json(text: object) -> object:
    try:
        return json.loads(str(text)) if text else {}
    except (*UNREADABLE, ValueError, RecursionError):
        return None


def unlinked(connection: apsw.Connection) -> Iterator[tuple[int, int]]:
    """Replies, and numbers of documents that they tell of without being linked with them.

    Args:
        connection: In a transaction.
    """
    linked = set(fetch(connection, "SELECT reply, document FROM reply_document"))
    for reply, body in connection.execute("SELECT id, body FROM reply WHERE body IS NOT NULL"):
        named = sorted(set(_told_of(_json(body))))
        for start in range(0, len(named), _BINDS):
            part = tuple(named[start : start + _BINDS])
            for (number,) in fetch(
                connection,
                "SELECT number FROM document WHERE id IN carray(?)",
                (apsw.carray(part),),
            ):
                if (reply, number) not in linked:
                    yield int(reply), int(number)


def _told_of(value: object) -> Iterator[str]:
    """Ids of the documents whose content or verdicts stand in an answer, at any depth."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            waiting += item.values()
            name = "id" if "content_hash" in item else "document_id" if "verdict" in item else None
            if name is not None and isinstance(item.get(name), str):
                yield item[name]
