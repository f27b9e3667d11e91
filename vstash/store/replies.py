"""What requests with an idempotency key were answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import apsw

from vstash.replies import Reply, Request
from vstash.store.connection import fetch

__all__ = ["KEPT_S", "ReplyThereError", "find", "insert", "take_back"]

# How long a reply is kept.
KEPT_S: Final = 24 * 60 * 60
# Those that are older go when others come, a few at a time.
_TRIMMED: Final = 100


class ReplyThereError(Exception):
    """Another process applied the same request at the same time."""


def find(
    connection: apsw.Connection, request: Request, *, now: int
) -> tuple[bytes, Reply | None] | None:
    """The fingerprint and the reply of an earlier request with the same owner and key.

    Args:
        connection: In a transaction.
        request: Its owner and key count.
        now: Microseconds since the epoch; what is older than `KEPT_S` is not seen.

    Returns:
        None where there was none; the reply is None where a document that it told of was removed.
    """
    rows = fetch(
        connection,
        "SELECT fingerprint, status, headers, body FROM reply "
        "WHERE owner = ? AND key = ? AND at > ?",
        (request.owner, request.key, now - KEPT_S * 1_000_000),
    )
    if not rows:
        return None
    fingerprint, status, headers, body = rows[0]
    if body is None:
        return bytes(fingerprint), None
    return bytes(fingerprint), Reply(int(status), json.loads(headers), str(body))


def insert(
    connection: apsw.Connection,
    request: Request,
    reply: Reply,
    told_of: Sequence[str],
    *,
    now: int,
) -> None:
    """Keep a reply in the transaction that applied its request.

    Args:
        connection: The write connection inside its transaction.
        request: What was applied.
        reply: What it is answered.
        told_of: Ids of the documents that the reply says something of.
        now: Microseconds since the epoch.

    Raises:
        ReplyThereError: When there is one already; the transaction must be undone.
    """
    oldest = now - KEPT_S * 1_000_000
    connection.execute(
        "DELETE FROM reply WHERE id IN (SELECT id FROM reply WHERE at <= ? ORDER BY at LIMIT ?)",
        (oldest, _TRIMMED),
    )
    connection.execute(
        "DELETE FROM reply WHERE owner = ? AND key = ? AND at <= ?",
        (request.owner, request.key, oldest),
    )
    try:
        connection.execute(
            "INSERT INTO reply (owner, key, fingerprint, at, status, headers, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                request.owner,
                request.key,
                request.fingerprint,
                now,
                reply.status,
                json.dumps(dict(reply.headers)),
                reply.body,
            ),
        )
    except apsw.ConstraintError:
        raise ReplyThereError from None
    number = connection.last_insert_rowid()
    told = set(told_of)
    connection.executemany(
        "INSERT INTO reply_document (document, reply) SELECT number, ?1 FROM document WHERE id = ?2",
        ((number, document) for document in told),
    )
    linked = fetch(connection, "SELECT count(*) FROM reply_document WHERE reply = ?", (number,))
    if linked[0][0] < len(told):
        # One of them was removed since the answer was made.
        _forget(connection, "id = ?", number)


def take_back(connection: apsw.Connection, document: int) -> None:
    """Remove the words of every reply that tells of a document which is being removed."""
    which = "id IN (SELECT reply FROM reply_document WHERE document = ?)"
    _forget(connection, which, document)


def _forget(connection: apsw.Connection, where: str, number: int) -> None:
    connection.execute(f"UPDATE reply SET body = NULL, headers = '{{}}' WHERE {where}", (number,))
