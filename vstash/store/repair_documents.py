"""Making right what goes with texts, which are never changed or removed themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apsw

from vstash.store import documents
from vstash.store.check_documents import stored_hash
from vstash.store.connection import fetch
from vstash.store.found import Rules

__all__ = ["accept_content", "recover_documents", "restore_texts"]

_ORPHANED = "document NOT IN (SELECT number FROM document)"


def recover_documents(connection: apsw.Connection, rules: Rules, *, now: int) -> list[int]:
    """Make a document of each text whose document is gone; returns their numbers.

    Args:
        connection: A write connection in a transaction.
        rules: Make an id.
        now: Microseconds since the epoch.
    """
    rows = fetch(connection, f"SELECT DISTINCT document FROM text_part WHERE {_ORPHANED}")
    numbers = [int(row[0]) for row in rows]
    for number in numbers:
        text = documents.read_text(connection, number)
        connection.execute(
            "INSERT INTO document (number, id, collection, key, title, metadata, media_type, digest, "
            "char_count, created, updated) "
            "VALUES (?, ?, 1, ?, '', jsonb('{}'), 'text/plain', ?, ?, ?, ?)",
            (
                number,
                rules.new_id(),
                f"recovered-{number}",
                stored_hash(connection, number, text, "", "{}"),
                len(text),
                now,
                now,
            ),
        )
    connection.execute(f"DELETE FROM tag WHERE {_ORPHANED}")
    for (model,) in fetch(connection, "SELECT id FROM model"):
        connection.execute(
            f"DELETE FROM vector_{model} WHERE chunk IN (SELECT id FROM chunk WHERE {_ORPHANED})"
        )
    connection.execute(f"DELETE FROM chunk WHERE {_ORPHANED}")
    return numbers


def _whole(connection: apsw.Connection) -> Iterator[tuple[int, str, Any, str, bytes, int]]:
    """Each document: number, id, title, metadata, digest, number of characters."""
    yield from fetch(
        connection, "SELECT number, id, title, json(metadata), digest, char_count FROM document"
    )


def restore_texts(connection: apsw.Connection) -> None:
    """Count characters and number the parts of texts, where hash and text then agree."""
    for number, _, title, metadata, digest, length in _whole(connection):
        parts = fetch(
            connection,
            "SELECT id, start, text FROM text_part WHERE document = ? ORDER BY id",
            (number,),
        )
        # They are written one after another, so that their ids have the order, too.
        for ordered in (sorted(parts, key=lambda part: part[1]), parts):
            text = "".join(str(part[2]) for part in ordered)
            if stored_hash(connection, number, text, title, metadata) != digest:
                continue
            _number(connection, ordered)
            if len(text) != length:
                connection.execute(
                    "UPDATE document SET char_count = ? WHERE number = ?", (len(text), number)
                )
            break


def _number(connection: apsw.Connection, parts: list[tuple[int, int, str]]) -> None:
    place, wrong = 0, []
    for part, start, text in parts:
        if start != place:
            wrong.append((place, part))
        place += len(text)
    # Two parts must not stand at one place, not even in between.
    connection.executemany(
        "UPDATE text_part SET start = -1 - id WHERE id = ?", ((part,) for _, part in wrong)
    )
    connection.executemany("UPDATE text_part SET start = ? WHERE id = ?", wrong)


def accept_content(connection: apsw.Connection) -> tuple[str, ...]:
    """Make the hash anew of each document that does not match its own; returns their ids."""
    accepted = []
    for number, document_id, title, metadata, digest, _ in _whole(connection):
        text = documents.read_text(connection, number)
        found = stored_hash(connection, number, text, title, metadata)
        if found != digest:
            accepted.append(document_id)
            connection.execute(
                "UPDATE document SET digest = ?, char_count = ? WHERE number = ?",
                (found, len(text), number),
            )
            parts = fetch(
                connection,
                "SELECT id, start, text FROM text_part WHERE document = ? ORDER BY start",
                (number,),
            )
            _number(connection, parts)
    return tuple(accepted)
