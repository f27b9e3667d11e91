"""Documents, their text in parts, their chunks and tags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

import apsw

from vstash.store.connection import fetch, id_list
from vstash.store.faults import unreadable
from vstash.store.rows import DocumentRow, SourceRow
from vstash.types import Chunk, Document

if TYPE_CHECKING:
    from vstash.types import IdArray

__all__ = [
    "PART_CHARS",
    "chunks_by_id",
    "collection_number",
    "delete_document",
    "document_number",
    "find",
    "heading_json",
    "insert_document",
    "insert_text",
    "passages",
    "read_text",
    "sources_below",
    "span",
    "to_datetime",
    "to_microseconds",
    "write_tags",
]

# Near one page of the file: reading a passage touches one part, seldom two.
PART_CHARS = 8_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_COLUMNS = (
    "d.id, d.key, c.name, d.title, d.metadata, "
    "(SELECT json_group_array(tag) FROM (SELECT tag FROM tag WHERE document = d.number ORDER BY tag)), "
    "d.content_hash, d.created, d.updated, d.expires_at, "
    "(SELECT count(*) FROM chunk WHERE document = d.number), d.char_count, d.number"
)
_FROM = "FROM document d JOIN collection c ON c.id = d.collection"


def to_microseconds(moment: datetime) -> int:
    """Microseconds since the epoch, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_datetime(microseconds: int) -> datetime:
    """The UTC time of a number of microseconds since the epoch."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise unreadable() from None


def _document(row: Sequence[Any]) -> tuple[int, Document]:
    document = Document(
        id=row[0],
        key=row[1],
        collection=row[2],
        title=row[3],
        metadata=json.loads(row[4]),
        tags=tuple(json.loads(row[5])),
        content_hash=row[6],
        created=to_datetime(row[7]),
        updated=to_datetime(row[8]),
        expires_at=None if row[9] is None else to_datetime(row[9]),
        chunk_count=row[10],
        char_count=row[11],
    )
    return row[12], document


def find(
    connection: apsw.Connection, where: str, binds: Sequence[apsw.SQLiteValue], limit: int = -1
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
    return [_document(row) for row in connection.execute(sql, (*binds, limit))]


def read_text(connection: apsw.Connection, number: int) -> str:
    """The whole text of a document."""
    rows = fetch(
        connection, "SELECT text FROM text_part WHERE document = ? ORDER BY start", (number,)
    )
    return "".join(str(row[0]) for row in rows)


def span(connection: apsw.Connection, number: int, start: int, end: int) -> str:
    """A passage of a document, reading only the parts that it touches."""
    rows = fetch(
        connection,
        "SELECT start, text FROM text_part WHERE document = ?1 AND start < ?3 AND start >= "
        "(SELECT max(start) FROM text_part WHERE document = ?1 AND start <= ?2) ORDER BY start",
        (number, start, end),
    )
    if not rows:
        return ""
    first = rows[0][0]
    joined = "".join(str(row[1]) for row in rows)
    return joined[start - first : end - first]


def passages(connection: apsw.Connection) -> Iterator[tuple[int, str, str, str]]:
    """Every chunk's id with what its words are derived from: title, headings, text."""
    rows = connection.execute(
        'SELECT chunk.id, d.number, d.title, chunk.heading, chunk.start, chunk."end" '
        "FROM chunk JOIN document d ON d.number = chunk.document"
    )
    for chunk, number, title, heading, start, end in cast("Iterator[tuple[Any, ...]]", rows):
        text = span(connection, number, start, end)
        yield chunk, title, "\n".join(json.loads(heading)), text


def chunks_by_id(connection: apsw.Connection, ids: IdArray) -> dict[int, tuple[Chunk, Document]]:
    """Chunks with their documents.

    Args:
        connection: In a transaction.
        ids: Chunk ids, shape (n,); unknown ones are left out.

    Returns:
        By chunk id; documents come without their text.
    """
    rows = fetch(
        connection,
        'SELECT id, document, seq, start, "end", heading, tokens FROM chunk WHERE id IN carray(?)',
        (id_list(ids),),
    )
    documents = dict(
        pair
        for number in {row[1] for row in rows}
        for pair in find(connection, "d.number = ?", (number,))
    )
    found = {}
    for chunk_id, number, seq, start, end, heading, tokens in rows:
        if number not in documents:
            raise unreadable()
        document = documents[number]
        chunk = Chunk(
            id=chunk_id,
            document_id=document.id,
            seq=seq,
            text=span(connection, number, start, end),
            heading=tuple(json.loads(heading)),
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


def document_number(connection: apsw.Connection, collection: str, key: str) -> int | None:
    """The internal number of the document with this key, expired or not; None for none."""
    row = connection.execute(
        f"SELECT d.number {_FROM} WHERE c.name = ? AND d.key = ?", (collection, key)
    ).fetchone()
    return None if row is None else int(row[0])


def insert_document(
    connection: apsw.Connection, row: DocumentRow, *, now: int, replaces: int | None
) -> int:
    """Write the row of a document, or overwrite the one it replaces; tags and text with it.

    Args:
        connection: The write connection inside its transaction.
        row: What to store.
        now: Microseconds since the epoch.
        replaces: Number of the document that keeps its id and creation time.

    Returns:
        The document's number.
    """
    connection.execute("INSERT OR IGNORE INTO collection (name) VALUES (?)", (row.collection,))
    fields = (
        row.title,
        row.metadata,
        row.media_type,
        row.content_hash,
        len(row.text),
        now,
        row.expires_at,
        row.source_size,
        row.source_mtime_ns,
    )
    if replaces is None:
        connection.execute(
            "INSERT INTO document (title, metadata, media_type, content_hash, char_count, updated, "
            "expires_at, source_size, source_mtime_ns, id, key, created, collection) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT id FROM collection WHERE name = ?))",
            (*fields, row.id, row.key, now, row.collection),
        )
        number = connection.last_insert_rowid()
    else:
        number = replaces
        connection.execute(
            "UPDATE document SET title = ?, metadata = ?, media_type = ?, content_hash = ?, "
            "char_count = ?, updated = ?, expires_at = ?, source_size = ?, source_mtime_ns = ? "
            "WHERE number = ?",
            (*fields, number),
        )
    write_tags(connection, number, row.tags)
    return number


def write_tags(connection: apsw.Connection, number: int, tags: Iterable[str]) -> None:
    """Make these the document's tags."""
    connection.execute("DELETE FROM tag WHERE document = ?", (number,))
    connection.executemany(
        "INSERT INTO tag (document, tag) VALUES (?, ?)", ((number, tag) for tag in tags)
    )


def heading_json(heading: Sequence[str]) -> str:
    """A heading path as it is stored."""
    return json.dumps(list(heading), ensure_ascii=False)


def insert_text(connection: apsw.Connection, number: int, text: str) -> None:
    """Make this the document's text."""
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


def sources_below(connection: apsw.Connection, collection: str, prefix: str) -> list[SourceRow]:
    """The files that documents were read from, where the key starts with a prefix.

    Args:
        connection: In a transaction.
        collection: Name of the collection.
        prefix: Such as ``/home/ada/notes/``; empty for all.

    Returns:
        One row per document that came from a file.
    """
    rows = connection.execute(
        "SELECT d.id, d.key, d.source_size, d.source_mtime_ns, d.content_hash "
        f"{_FROM} WHERE c.name = ?1 AND d.source_mtime_ns IS NOT NULL "
        "AND substr(d.key, 1, length(?2)) = ?2",
        (collection, prefix),
    )
    return [SourceRow(str(a), str(b), int(c), int(d), str(e)) for a, b, c, d, e in rows]
