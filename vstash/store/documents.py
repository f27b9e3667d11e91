"""Documents, their text in parts, their chunks and tags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

import apsw
import numpy as np

from vstash.store.connection import fetch, id_list
from vstash.store.faults import require, unreadable
from vstash.store.rows import ChunkRow, DocumentRow, etag
from vstash.types import Chunk, Document

if TYPE_CHECKING:
    from vstash.types import IdArray

__all__ = [
    "PART_CHARS",
    "Existing",
    "PlacedChunk",
    "chunks_by_id",
    "collection_number",
    "delete_document",
    "existing",
    "find",
    "heading_json",
    "insert_chunks",
    "insert_document",
    "insert_text",
    "last_chunk",
    "made_collection",
    "passages",
    "read_text",
    "stored",
    "to_datetime",
    "to_microseconds",
    "write_tags",
]

# Near one page of the file: reading a passage touches one part, seldom two.
PART_CHARS = 8_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_COLUMNS = (
    "d.id, d.key, c.name, d.title, json(d.metadata), "
    "(SELECT json_group_array(tag) FROM (SELECT tag FROM tag WHERE document = d.number ORDER BY tag)), "
    "d.digest, d.created, d.updated, d.expires_at, "
    "d.chunk_count, d.char_count, d.number"
)
_FROM = "FROM document d JOIN collection c ON c.id = d.collection"


def to_microseconds(moment: datetime) -> int:
    """Microseconds since the epoch, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_datetime(microseconds: int) -> datetime:
    """The UTC time of a number of microseconds since the epoch."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except (OverflowError, TypeError):
        raise unreadable() from None


def _json(text: str) -> Any:
    """A stored value; most are empty, and a decoder would cost more than all else of a row."""
    if text == "{}":
        return {}
    return [] if text == "[]" else json.loads(text)


def _heading(text: str) -> tuple[str, ...]:
    found = _json(text)
    require(isinstance(found, list) and all(isinstance(each, str) for each in found))
    return tuple(found)


def _document(row: Sequence[Any]) -> tuple[int, Document]:
    try:
        document = Document(
            id=row[0],
            key=row[1],
            collection=row[2],
            title=row[3],
            metadata=_json(row[4]),
            tags=tuple(_json(row[5])),
            content_hash=row[6].hex(),
            created=to_datetime(row[7]),
            updated=to_datetime(row[8]),
            expires_at=None if row[9] is None else to_datetime(row[9]),
            chunk_count=row[10],
            char_count=row[11],
            etag=etag(row[6], row[8], row[9]),
        )
    except (TypeError, AttributeError):
        # A row of another table, as on a page that lies in another one's place.
        raise unreadable() from None
    return row[12], document


def find(
    connection: apsw.Connection, where: str, binds: Sequence[object], limit: int = -1
) -> list[tuple[int, Document]]:
    """Documents matching an SQL condition over ``d`` and ``c``, oldest first.

    Args:
        connection: In a transaction.
        where: A condition made of constants of this package.
        binds: Its parameters.
        limit: At most this many; -1 for all.

    Returns:
        Internal number and document, without text.
    """
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE {where} ORDER BY d.number LIMIT ?"
    return [_document(row) for row in fetch(connection, sql, (*binds, limit))]


def read_text(connection: apsw.Connection, number: int) -> str:
    """The whole text of a document."""
    rows = fetch(
        connection, "SELECT text FROM text_part WHERE document = ? ORDER BY start", (number,)
    )
    return "".join(str(row[0]) for row in rows)


def _chunks(
    connection: apsw.Connection, ids: IdArray | None
) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Chunks by ascending id, all for None: their rows, and their texts from the parts they touch."""
    rows = connection.execute(
        'SELECT c.id, c.document, d.title, c.seq, c.start, c."end", c.heading, c.tokens, p.start, '
        "p.text FROM chunk AS c LEFT JOIN document AS d ON d.number = c.document "
        'LEFT JOIN text_part AS p ON p.document = c.document AND p.start < c."end" '
        "AND p.start >= (SELECT max(start) FROM text_part WHERE document = c.document "
        f"AND start <= c.start) {'' if ids is None else 'WHERE c.id IN carray(?)'} "
        "ORDER BY c.id, p.start",
        () if ids is None else (id_list(ids),),
    )
    for _, group in groupby(cast("Iterator[tuple[Any, ...]]", rows), key=itemgetter(0)):
        parts = list(group)
        row = parts[0]
        try:
            joined = "".join(part[9] or "" for part in parts)
            offset = row[4] - (row[8] or 0)
            text = joined[offset : offset + row[5] - row[4]]
        except TypeError:
            # A row of another table, as on a page in another one's place.
            raise unreadable() from None
        yield row[:8], text


def passages(
    connection: apsw.Connection, ids: Sequence[int] | None = None
) -> Iterator[tuple[int, str, str, str]]:
    """Chunks' ids with what their words are derived from: title, headings, text.

    Args:
        connection: In a transaction.
        ids: Of the chunks; None for every chunk, by ascending id.
    """
    asked = None if ids is None else np.array(ids, dtype=np.int64)
    for (chunk, _, title, _, _, _, heading, _), text in _chunks(connection, asked):
        # A chunk without its document is found by the check of references.
        if title is not None:
            yield chunk, title, "\n".join(_heading(heading)), text


def chunks_by_id(connection: apsw.Connection, ids: IdArray) -> dict[int, tuple[Chunk, Document]]:
    """Chunks with their documents.

    Args:
        connection: In a transaction.
        ids: Chunk ids, shape (n,); unknown ones are left out.

    Returns:
        By chunk id; documents come without their text.
    """
    rows = list(_chunks(connection, ids))
    numbers = id_list(np.unique(np.array([row[1] for row, _ in rows], dtype=np.int64)))
    documents = dict(find(connection, "d.number IN carray(?)", (numbers,)))
    found = {}
    for (chunk_id, number, _, seq, start, end, heading, tokens), text in rows:
        if number not in documents:
            raise unreadable()
        document = documents[number]
        chunk = Chunk(
            id=chunk_id,
            document_id=document.id,
            seq=seq,
            text=text,
            heading=_heading(heading),
            start=start,
            end=end,
            tokens=tokens,
        )
        found[chunk_id] = (chunk, document)
    return found


def collection_number(connection: apsw.Connection, name: str) -> int | None:
    """The number of a collection, None when nothing was ever written to it."""
    row = connection.execute("SELECT id FROM collection WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])


@dataclass(frozen=True, slots=True)
class Existing:
    """What stays of a document that is replaced."""

    number: int
    id: str
    created: int


@dataclass(frozen=True, slots=True)
class PlacedChunk:
    """A chunk to be written, at its place in a document."""

    document: int
    seq: int
    row: ChunkRow


def existing(connection: apsw.Connection, collection: int, key: str) -> Existing | None:
    """The document with this key, expired or not; None for none."""
    row = connection.execute(
        "SELECT number, id, created FROM document WHERE collection = ? AND key = ?",
        (collection, key),
    ).fetchone()
    return None if row is None else Existing(*cast("tuple[int, str, int]", row))


def made_collection(connection: apsw.Connection, name: str) -> int:
    """The number of a collection, which is made on first use."""
    connection.execute("INSERT OR IGNORE INTO collection (name) VALUES (?)", (name,))
    return int(fetch(connection, "SELECT id FROM collection WHERE name = ?", (name,))[0][0])


def insert_document(
    connection: apsw.Connection,
    row: DocumentRow,
    *,
    now: int,
    collection: int,
    replaces: Existing | None,
    chunks: range,
) -> int:
    """Write the row of a document, or overwrite the one it replaces; its tags with it.

    Args:
        connection: The write connection inside its transaction.
        row: What to store.
        now: Microseconds since the epoch, for times that the row leaves open.
        collection: Its collection's number.
        replaces: The document that keeps its id and creation time.
        chunks: The ids of its chunks.

    Returns:
        The document's number.
    """
    created, updated = _times(row, replaces, now)
    fields = (
        row.title,
        row.metadata,
        row.media_type,
        bytes.fromhex(row.content_hash),
        len(row.text),
        created,
        updated,
        row.expires_at,
        row.source_size,
        row.source_mtime_ns,
        chunks.start,
        len(chunks),
    )
    if replaces is None:
        connection.execute(
            "INSERT INTO document (title, metadata, media_type, digest, char_count, created, "
            "updated, expires_at, source_size, source_mtime_ns, first_chunk, chunk_count, id, key, "
            "collection) VALUES (?, jsonb(?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*fields, row.id, row.key, collection),
        )
        number = connection.last_insert_rowid()
        _insert_tags(connection, number, row.tags)
    else:
        number = replaces.number
        connection.execute(
            "UPDATE document SET title = ?, metadata = jsonb(?), media_type = ?, digest = ?, "
            "char_count = ?, created = ?, updated = ?, expires_at = ?, source_size = ?, "
            "source_mtime_ns = ?, first_chunk = ?, chunk_count = ? WHERE number = ?",
            (*fields, number),
        )
        write_tags(connection, number, row.tags)
    return number


def _times(row: DocumentRow, replaces: Existing | None, now: int) -> tuple[int, int]:
    """When a document was made and last changed, in microseconds since the epoch."""
    first = now if replaces is None else replaces.created
    return (
        first if row.created is None else row.created,
        now if row.updated is None else row.updated,
    )


def stored(row: DocumentRow, replaces: Existing | None, *, now: int, chunk_count: int) -> Document:
    """A document as it was just written, without its text."""
    created, updated = _times(row, replaces, now)
    return Document(
        id=row.id if replaces is None else replaces.id,
        key=row.key,
        collection=row.collection,
        title=row.title,
        metadata=json.loads(row.metadata),
        tags=tuple(sorted(row.tags)),
        content_hash=row.content_hash,
        created=to_datetime(created),
        updated=to_datetime(updated),
        expires_at=None if row.expires_at is None else to_datetime(row.expires_at),
        chunk_count=chunk_count,
        char_count=len(row.text),
        etag=etag(bytes.fromhex(row.content_hash), now, row.expires_at),
    )


def last_chunk(connection: apsw.Connection) -> int:
    """The highest chunk id that was ever given."""
    rows = fetch(connection, "SELECT seq FROM sqlite_sequence WHERE name = 'chunk'")
    return int(rows[0][0]) if rows else 0


def insert_chunks(connection: apsw.Connection, chunks: Mapping[int, PlacedChunk]) -> None:
    """Write chunks under ids higher than any before."""
    connection.executemany(
        'INSERT INTO chunk (id, document, seq, start, "end", heading, tokens) '
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                chunk,
                placed.document,
                placed.seq,
                placed.row.start,
                placed.row.end,
                heading_json(placed.row.heading),
                placed.row.tokens,
            )
            for chunk, placed in chunks.items()
        ),
    )


def write_tags(connection: apsw.Connection, number: int, tags: Iterable[str]) -> None:
    """Make these the document's tags."""
    connection.execute("DELETE FROM tag WHERE document = ?", (number,))
    _insert_tags(connection, number, tags)


def _insert_tags(connection: apsw.Connection, number: int, tags: Iterable[str]) -> None:
    connection.executemany(
        "INSERT INTO tag (document, tag) VALUES (?, ?)", ((number, tag) for tag in tags)
    )


def heading_json(heading: Sequence[str]) -> str:
    """A heading path as it is stored."""
    return json.dumps(list(heading), ensure_ascii=False) if heading else "[]"


def insert_text(connection: apsw.Connection, number: int, text: str, *, new: bool) -> None:
    """Make this the document's text; a new document has none yet."""
    if not new:
        connection.execute("DELETE FROM text_part WHERE document = ?", (number,))
    connection.executemany(
        "INSERT INTO text_part (document, start, text) VALUES (?, ?, ?)",
        (
            (number, start, text[start : start + PART_CHARS])
            for start in range(0, len(text), PART_CHARS)
        ),
    )


def delete_document(connection: apsw.Connection, number: int) -> None:
    """Remove a document whose chunks are gone; tags and text follow by foreign key."""
    connection.execute("DELETE FROM document WHERE number = ?", (number,))
