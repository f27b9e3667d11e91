"""Cutting documents anew whose chunks are not what they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import apsw
import numpy as np

from vstash.store import documents
from vstash.store.connection import fetch
from vstash.store.found import Piece, Rules

__all__ = ["restore_chunks", "restore_digests"]

_OF_DOCUMENTS: Final = ("chunk_missing", "chunk_span", "document_chunks")


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    title: str
    media_type: str
    first_chunk: int
    chunk_count: int


def restore_chunks(
    connection: apsw.Connection,
    rules: Rules,
    found: Mapping[str, Sequence[object]],
    recovered: Sequence[int],
) -> None:
    """Cut documents anew from their text.

    A document that comes out in as many chunks as it had keeps their ids, and with them vectors,
    triples and feedback; else its chunks are new ones. A vector whose passage is another now goes.

    Args:
        connection: A write connection in a transaction.
        rules: Cut texts and make digests.
        found: By code, what the check found: ids of documents or of chunks.
        recovered: Numbers of further documents.
    """
    ids = {str(row) for code in _OF_DOCUMENTS for row in found.get(code, ())}
    chunks = [int(str(row)) for row in found.get("chunk_differs", ())]
    numbers = {*recovered}
    for chunk in chunks:
        numbers |= {
            row[0] for row in fetch(connection, "SELECT document FROM chunk WHERE id = ?", (chunk,))
        }
    for document_id in ids:
        rows = fetch(connection, "SELECT number FROM document WHERE id = ?", (document_id,))
        numbers |= {row[0] for row in rows}
    for number in sorted(numbers):
        _restore(connection, rules, number)


def _restore(connection: apsw.Connection, rules: Rules, number: int) -> None:
    row = _Row(
        number,
        *fetch(
            connection,
            "SELECT title, media_type, first_chunk, chunk_count FROM document WHERE number = ?",
            (number,),
        )[0],
    )
    text = documents.read_text(connection, number)
    pieces = _as_brought(connection, row, text) or rules.pieces(text, row.media_type)
    if not pieces:
        return
    first = _first(connection, row, len(pieces))
    kept = range(first, first + len(pieces))
    _forget(connection, number, kept)
    # Two chunks of a document must not stand at one place, not even in between.
    connection.execute("UPDATE chunk SET seq = -1 - id WHERE document = ?", (number,))
    connection.executemany(
        'INSERT INTO chunk (id, document, seq, start, "end", heading, tokens) '
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, "
        'start = excluded.start, "end" = excluded."end", heading = excluded.heading, '
        "tokens = excluded.tokens",
        (
            (
                *(first + seq, number, seq, piece.start, piece.end),
                *(documents.heading_json(piece.heading), piece.tokens),
            )
            for seq, piece in enumerate(pieces)
        ),
    )
    connection.execute(
        "UPDATE document SET first_chunk = ?, chunk_count = ? WHERE number = ?",
        (first, len(pieces), number),
    )
    for chunk, title, heading, body in list(documents.passages(connection, list(kept))):
        _renew(connection, chunk, rules.digest(title, heading, body))


def _as_brought(connection: apsw.Connection, row: _Row, text: str) -> list[Piece]:
    """The one chunk of a document whose caller brought its vector: it was never cut."""
    rows = fetch(connection, "SELECT tokens FROM chunk WHERE document = ?", (row.number,))
    whole = row.chunk_count == 1 and rows == [(0,)]
    return [Piece(0, len(text), (), 0)] if whole and text else []


def _first(connection: apsw.Connection, row: _Row, count: int) -> int:
    """The first of the ids that chunks keep, or of new ones."""
    held = fetch(connection, "SELECT id, seq FROM chunk WHERE document = ?", (row.number,))
    likely = [row.first_chunk] if count in {row.chunk_count, len(held)} else []
    if count in {row.chunk_count, len(held)}:
        likely += [chunk - seq for chunk, seq in held]
    likely = [first for first in dict.fromkeys(likely) if first > 0]
    likely.sort(key=lambda first: -sum(chunk == first + seq for chunk, seq in held))
    last = documents.last_chunk(connection)
    for first in likely:
        taken = fetch(
            connection,
            "SELECT count(*) FROM chunk WHERE id BETWEEN ? AND ? AND document <> ?",
            (first, first + count - 1, row.number),
        )
        if not taken[0][0] and first + count - 1 <= last:
            return first
    return last + 1


def _forget(connection: apsw.Connection, number: int, kept: range) -> None:
    gone = [
        (chunk,)
        for (chunk,) in fetch(connection, "SELECT id FROM chunk WHERE document = ?", (number,))
        if chunk not in kept
    ]
    for (model,) in fetch(connection, "SELECT id FROM model"):
        connection.executemany(f"DELETE FROM vector_{model} WHERE chunk = ?", gone)
    connection.executemany("DELETE FROM chunk WHERE id = ?", gone)


def _renew(connection: apsw.Connection, chunk: int, digest: bytes) -> None:
    """Remember what is embedded for a chunk; a vector of something else goes."""
    rows = fetch(connection, "SELECT digest FROM passage WHERE chunk = ?", (chunk,))
    if rows and bytes(rows[0][0]) == digest:
        return
    if not rows and _has_vector(connection, chunk):
        # Its caller brought it, or its digest is lost: nothing says that it is wrong.
        return
    connection.execute(
        "INSERT OR REPLACE INTO passage (chunk, digest) VALUES (?, ?)", (chunk, digest)
    )
    for (model,) in fetch(connection, "SELECT id FROM model"):
        connection.execute(f"DELETE FROM vector_{model} WHERE chunk = ?", (chunk,))


def _has_vector(connection: apsw.Connection, chunk: int) -> bool:
    models = fetch(connection, "SELECT id FROM model")
    return any(
        fetch(connection, f"SELECT 1 FROM vector_{model} WHERE chunk = ?", (chunk,))
        for (model,) in models
    )


def restore_digests(connection: apsw.Connection, rules: Rules) -> None:
    """Make the digests anew of what was or will be embedded, where vstash embeds it."""
    wanted = {
        int(chunk): digest
        for chunk, digest in fetch(connection, "SELECT chunk, digest FROM passage")
    }
    waiting = {row[0] for row in fetch(connection, "SELECT chunk FROM awaiting")}
    asked = np.array(sorted({*wanted, *waiting}), dtype=np.int64)
    for chunk, title, heading, body in list(documents.passages(connection, asked.tolist())):
        digest = rules.digest(title, heading, body)
        if wanted.get(chunk) != digest:
            connection.execute(
                "INSERT OR REPLACE INTO passage (chunk, digest) VALUES (?, ?)", (chunk, digest)
            )
