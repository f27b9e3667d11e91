"""Access keys in the file."""

from __future__ import annotations

import apsw

from vstash.keys import AccessKey
from vstash.store.connection import fetch
from vstash.store.documents import to_datetime, to_microseconds

__all__ = ["find_keys", "insert_key", "revoke_key"]


def find_keys(connection: apsw.Connection, key_id: str | None) -> list[tuple[AccessKey, bytes]]:
    """Keys with the SHA-256 of their secrets, in the order in which they were made.

    Args:
        connection: In a transaction.
        key_id: Only the key with this id, None for all.
    """
    which, binds = ("", ()) if key_id is None else ("WHERE id = ? ", (key_id,))
    rows = fetch(
        connection,
        "SELECT id, name, scope, collection, created, expires_at, revoked_at, digest "
        f"FROM access_key {which}ORDER BY created, id",
        binds,
    )
    return [
        (
            AccessKey(
                found,
                name,
                scope,
                collection,
                to_datetime(created),
                None if expires_at is None else to_datetime(expires_at),
                None if revoked_at is None else to_datetime(revoked_at),
            ),
            digest,
        )
        for found, name, scope, collection, created, expires_at, revoked_at, digest in rows
    ]


def insert_key(connection: apsw.Connection, key: AccessKey, digest: bytes) -> None:
    """Store a key with the SHA-256 of its secret."""
    connection.execute(
        "INSERT INTO access_key (id, name, scope, collection, digest, created, expires_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            key.id,
            key.name,
            key.scope,
            key.collection,
            digest,
            to_microseconds(key.created),
            None if key.expires_at is None else to_microseconds(key.expires_at),
        ),
    )


def revoke_key(connection: apsw.Connection, key_id: str, *, now: int) -> None:
    """Revoke a key from now on; one that was revoked stays revoked since then."""
    connection.execute(
        "UPDATE access_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (now, key_id)
    )
