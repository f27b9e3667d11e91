"""Integrity of documents: their rows, and their text against its hash and its chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import apsw

from vstash.store.connection import fetch
from vstash.store.found import Found, Rules, Tick
from vstash.store.rows import content_hash

__all__ = ["document_findings", "stored_hash", "text_findings"]

# The end of the year 9999 in microseconds: datetime knows no later time.
_LATEST: Final = 253_402_300_799_999_999
_SOUND: Final = (
    f"d.created BETWEEN 0 AND {_LATEST} AND d.updated BETWEEN 0 AND {_LATEST} "
    f"AND coalesce(d.expires_at, 0) BETWEEN -62135596800000000 AND {_LATEST} "
    "AND d.id <> '' AND d.key <> '' AND d.media_type <> '' AND d.char_count >= 0 "
    "AND json_valid(d.metadata, 4) AND json_type(d.metadata) = 'object' "
    "AND (d.source_size IS NULL) = (d.source_mtime_ns IS NULL) AND coalesce(d.source_size, 0) >= 0 "
    "AND length(d.digest) = 32"
)


def document_findings(connection: apsw.Connection, _rules: Rules, _tick: Tick) -> Found:
    """Look at the documents' rows.

    Args:
        connection: In a read transaction.
    """
    rows = connection.execute(f"SELECT d.id FROM document AS d WHERE NOT coalesce({_SOUND}, 0)")
    yield "document_invalid", (row[0] for row in rows)
    rows = connection.execute(
        "SELECT d.id FROM tag JOIN document AS d ON d.number = tag.document WHERE tag.tag = ''"
    )
    yield "document_invalid", (row[0] for row in rows)


def text_findings(connection: apsw.Connection, _rules: Rules, tick: Tick) -> Found:
    """Compare each text with its parts' places, its length, its hash and its chunks' spans.

    Args:
        connection: In a read transaction.
        tick: Called with documents done.
    """
    total = int(fetch(connection, "SELECT count(*) FROM document")[0][0])
    order, wrong_length, wrong_hash, bad_span = [], [], [], []
    rows = connection.execute(
        "SELECT number, id, title, json(metadata), digest, char_count FROM document"
    )
    for done, (number, document_id, title, metadata, digest, length) in enumerate(rows):
        if not done % 256:
            tick(done, total)
        parts = fetch(
            connection,
            "SELECT start, text FROM text_part WHERE document = ? ORDER BY start",
            (number,),
        )
        text = "".join(str(part[1]) for part in parts)
        if not _follow(parts):
            order.append(document_id)
        if len(text) != length:
            wrong_length.append(document_id)
        if stored_hash(connection, number, text, title, metadata) != digest:
            wrong_hash.append(document_id)
        if _left_out(connection, number, text):
            bad_span.append(document_id)
    yield "text_order", order
    yield "text_length", wrong_length
    yield "text_hash", wrong_hash
    yield "chunk_span", bad_span


def _follow(parts: Sequence[tuple[int, str]]) -> bool:
    place = 0
    for start, text in parts:
        if start != place or not text:
            return False
        place += len(text)
    return True


def stored_hash(
    connection: apsw.Connection, number: int, text: str, title: str, metadata: str
) -> bytes:
    """The hash of a document as it is stored now."""
    rows = fetch(connection, "SELECT tag FROM tag WHERE document = ? ORDER BY tag", (number,))
    return bytes.fromhex(content_hash(text, title, [row[0] for row in rows], metadata))


def _left_out(connection: apsw.Connection, number: int, text: str) -> bool:
    """Whether chunks end outside of their text, or some of it is in none of them."""
    spans = fetch(
        connection, 'SELECT start, "end" FROM chunk WHERE document = ? ORDER BY start', (number,)
    )
    if not spans:
        return False
    covered = 0
    for start, end in spans:
        if text[covered:start].strip():
            return True
        covered = max(covered, end)
    return covered > len(text) or bool(text[covered:].strip())
