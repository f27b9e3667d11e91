"""One transaction: what can be read in it, and what can be written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import apsw
import numpy as np

from vstash.filters import Filter
from vstash.store import documents, keyword, log, vectors
from vstash.store.connection import id_list
from vstash.store.filter_sql import compile_filter
from vstash.store.rows import ChunkRow, DocumentRow, Leg, SearchRow, SourceRow, StoreCounts
from vstash.types import Chunk, Disagreement, Document, ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = ["Reader", "Writer"]


class Reader:
    """A consistent view of the file; lives as long as the `with` block that it came from.

    Args:
        connection: In a transaction.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def _meta(self, name: str) -> int:
        row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    @property
    def change_counter(self) -> int:
        """Grows with every write of any process."""
        return self._meta("change_counter")

    @property
    def chunk_count(self) -> int:
        """Number of chunks in the file."""
        return self._meta("chunk_count")

    @property
    def normaliser(self) -> int:
        """Version of the rules that the keyword index was derived with, 0 in a new file."""
        return self._meta("normaliser")

    @property
    def model(self) -> tuple[int, ModelInfo] | None:
        """The active model and its number, None in a file without one."""
        return vectors.active_model(self._connection)

    def has_collection(self, name: str) -> bool:
        """Whether anything was ever written to this collection."""
        return documents.collection_number(self._connection, name) is not None

    def document(self, document_id: str, *, now: int) -> tuple[int, Document] | None:
        """A document by id with its internal number; expired ones are not seen."""
        return self._first("d.id = ?", (document_id,), now)

    def document_by_key(
        self, collection: str, key: str, *, now: int
    ) -> tuple[int, Document] | None:
        """A document by collection and key; expired ones are not seen."""
        return self._first("c.name = ? AND d.key = ?", (collection, key), now)

    def _first(self, where: str, binds: tuple[str, ...], now: int) -> tuple[int, Document] | None:
        found = documents.find(
            self._connection,
            f"{where} AND (d.expires_at IS NULL OR d.expires_at > ?)",
            (*binds, now),
            1,
        )
        return found[0] if found else None

    def text(self, number: int) -> str:
        """The whole text of a document by internal number."""
        return documents.read_text(self._connection, number)

    def media_type(self, number: int) -> str:
        """What kind of text a document holds, by internal number."""
        row = self._connection.execute(
            "SELECT media_type FROM document WHERE number = ?", (number,)
        ).fetchone()
        return "text/plain" if row is None else str(row[0])

    def page(
        self, collection: str, where: Filter | None, *, after: int, limit: int, now: int
    ) -> list[tuple[int, Document]]:
        """Documents of a collection in the order of their creation, after an internal number."""
        condition, binds = ("1", ()) if where is None else compile_filter(where)
        return documents.find(
            self._connection,
            f"c.name = ? AND d.number > ? AND (d.expires_at IS NULL OR d.expires_at > ?) "
            f"AND {condition}",
            (collection, after, now, *binds),
            limit,
        )

    def sources(self, collection: str, prefix: str) -> list[SourceRow]:
        """The files behind the documents whose key starts with a prefix."""
        return documents.sources_below(self._connection, collection, prefix)

    def allowed(self, collection: str, where: Filter | None, *, now: int) -> IdArray | None:
        """Chunk ids that a search may return.

        Args:
            collection: Name of a collection.
            where: Further conditions, None for none.
            now: Microseconds since the epoch; what has expired by then is left out.

        Returns:
            Ascending ids, shape (n,), or None when every chunk of the file is allowed.
        """
        run = self._connection.execute
        number = documents.collection_number(self._connection, collection)
        if where is None:
            alone = not run(
                "SELECT 1 FROM document WHERE collection <> ? LIMIT 1", (number,)
            ).fetchall()
            expired = run("SELECT 1 FROM document WHERE expires_at <= ? LIMIT 1", (now,)).fetchall()
            if alone and not expired:
                return None
        condition, binds = ("1", ()) if where is None else compile_filter(where)
        rows = run(
            "SELECT chunk.id FROM document d JOIN chunk ON chunk.document = d.number "
            "WHERE d.collection = ? AND (d.expires_at IS NULL OR d.expires_at > ?) "
            f"AND {condition}",
            (number, now, *binds),
        ).fetchall()
        return np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows)))

    def document_frequencies(self, words: Sequence[str]) -> list[int]:
        """In how many chunks each derived word occurs."""
        return keyword.document_frequencies(self._connection, words)

    def keyword_leg(
        self, words: Sequence[str], *, depth: int, allowed: IdArray | None, also: IdArray
    ) -> tuple[Leg, Leg]:
        """The best chunks by BM25, and the true BM25 of those in ``also``."""
        return keyword.keyword_leg(self._connection, words, depth=depth, allowed=allowed, also=also)

    def vector_leg(
        self, model: int, query: FloatArray, *, depth: int, allowed: IdArray | None
    ) -> Leg:
        """The best chunks by cosine."""
        return vectors.vector_leg(
            self._connection,
            model,
            query,
            depth=depth,
            allowed=allowed,
            chunk_count=self.chunk_count,
        )

    def cosines(self, model: int, query: FloatArray, ids: IdArray) -> tuple[IdArray, FloatArray]:
        """True cosines of chunks, by ascending id."""
        return vectors.cosines(self._connection, model, query, ids)

    def sample(self, model: int, size: int, dimension: int, allowed: IdArray | None) -> FloatArray:
        """Vectors of chunks spread over the file, shape (n, dimension)."""
        return vectors.sample(self._connection, model, size, dimension, allowed)

    def chunks(self, ids: IdArray) -> dict[int, tuple[Chunk, Document]]:
        """Chunks with their documents, by chunk id."""
        return documents.chunks_by_id(self._connection, ids)

    def owners(self, ids: IdArray) -> dict[int, str]:
        """Document id of each chunk that exists."""
        rows = self._connection.execute(
            "SELECT chunk.id, d.id FROM chunk JOIN document d ON d.number = chunk.document "
            "WHERE chunk.id IN carray(?)",
            (id_list(ids),),
        )
        return {int(chunk): str(document) for chunk, document in rows}

    def disagreements(self, *, limit: int, before: int | None) -> list[tuple[int, Disagreement]]:
        """Logged searches with their internal numbers, newest first."""
        return log.disagreements(self._connection, limit=limit, before=before)

    def counts(self) -> StoreCounts:
        """How much the file holds."""
        run = self._connection.execute

        def one(sql: str) -> int:
            row = run(sql).fetchone()
            return 0 if row is None else int(row[0])

        model = self.model
        mean = run("SELECT avg(disagreement) FROM search").fetchone()
        collections = run(
            "SELECT name, (SELECT count(*) FROM document WHERE collection = c.id) "
            "FROM collection c ORDER BY name"
        )
        return StoreCounts(
            documents=one("SELECT count(*) FROM document"),
            chunks=one("SELECT count(*) FROM chunk"),
            vectors=0 if model is None else one(f"SELECT count(*) FROM vector_{model[0]}"),
            collections={str(name): int(count) for name, count in collections},
            searches=one("SELECT count(*) FROM search"),
            triples=one("SELECT count(*) FROM triple"),
            mean_disagreement=None if mean is None else mean[0],
            file_bytes=one(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            ),
            schema_version=one("SELECT max(version) FROM migration"),
            sqlite_version=apsw.sqlite_lib_version(),
        )


class Writer(Reader):
    """A write transaction: everything in it is stored together or not at all.

    Args:
        connection: Inside BEGIN IMMEDIATE.
        crash_point: Called by name between steps; tests stop the process there.
    """

    def __init__(self, connection: apsw.Connection, crash_point: Callable[[str], None]) -> None:
        super().__init__(connection)
        self._crash_point = crash_point

    def _count(self, chunks: int) -> None:
        self._connection.execute(
            "UPDATE meta SET value = value + CASE name WHEN 'chunk_count' THEN ? ELSE 1 END "
            "WHERE name IN ('chunk_count', 'change_counter')",
            (chunks,),
        )

    def use_model(self, info: ModelInfo) -> int:
        """Make a model the active one of a file without vectors; returns its number."""
        return vectors.register_model(self._connection, info)

    def derive_words(self, normalise: Callable[[str], str], version: int) -> None:
        """Build the keyword index anew from the text, by the rules of this version.

        Args:
            normalise: Derives the words of a text.
            version: Of the rules, remembered in the file.
        """
        keyword.rebuild(
            self._connection,
            (
                (chunk, (normalise(title), normalise(heading), normalise(body)))
                for chunk, title, heading, body in documents.passages(self._connection)
            ),
        )
        self._connection.execute("UPDATE meta SET value = ? WHERE name = 'normaliser'", (version,))
        self._count(0)

    def put(self, row: DocumentRow, chunks: Sequence[ChunkRow], *, now: int) -> int:
        """Store a document whole, replacing the one with its collection and key.

        Args:
            row: The document.
            chunks: Its chunks in order, at least one.
            now: Microseconds since the epoch.

        Returns:
            The document's internal number.
        """
        existing = documents.find(
            self._connection, "c.name = ? AND d.key = ?", (row.collection, row.key), 1
        )
        replaces = existing[0][0] if existing else None
        removed = 0 if replaces is None else self._remove_chunks(replaces)
        number = documents.insert_document(self._connection, row, now=now, replaces=replaces)
        documents.insert_text(self._connection, number, row.text)
        self._crash_point("put:text")
        self._insert_chunks(number, chunks)
        self._count(len(chunks) - removed)
        self._crash_point("put:end")
        return number

    def put_fields(self, number: int, row: DocumentRow, *, now: int) -> None:
        """Change a document's fields other than text and title, which its chunks depend on."""
        self._connection.execute(
            "UPDATE document SET metadata = ?, content_hash = ?, expires_at = ?, updated = ? "
            "WHERE number = ?",
            (row.metadata, row.content_hash, row.expires_at, now, number),
        )
        documents.write_tags(self._connection, number, row.tags)
        self._count(0)

    def touch_source(self, document_id: str, size: int, mtime_ns: int) -> None:
        """Remember that a file with the same content has a new size or time."""
        self._connection.execute(
            "UPDATE document SET source_size = ?, source_mtime_ns = ? WHERE id = ?",
            (size, mtime_ns, document_id),
        )

    def delete(self, number: int) -> None:
        """Remove a document with its text, words, vectors and triples."""
        removed = self._remove_chunks(number)
        self._crash_point("delete:chunks")
        documents.delete_document(self._connection, number)
        self._count(-removed)

    def log(self, row: SearchRow, *, keep_rows: int, oldest: int) -> None:
        """Write one search to the disagreement log and trim it to its bounds."""
        log.append(self._connection, row)
        log.trim(self._connection, rows=keep_rows, oldest=oldest)

    def _model_number(self) -> int:
        model = self.model
        return 0 if model is None else model[0]

    def _remove_chunks(self, number: int) -> int:
        ids = [
            int(row[0])
            for row in self._connection.execute(
                "SELECT id FROM chunk WHERE document = ?", (number,)
            )
        ]
        keyword.delete_words(self._connection, ids)
        vectors.delete_vectors(self._connection, self._model_number(), ids)
        self._connection.execute("DELETE FROM chunk WHERE document = ?", (number,))
        return len(ids)

    def _insert_chunks(self, number: int, chunks: Sequence[ChunkRow]) -> None:
        run = self._connection
        ids = []
        for seq, chunk in enumerate(chunks):
            run.execute(
                'INSERT INTO chunk (document, seq, start, "end", heading, tokens) '
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    number,
                    seq,
                    chunk.start,
                    chunk.end,
                    documents.heading_json(chunk.heading),
                    chunk.tokens,
                ),
            )
            ids.append(run.last_insert_rowid())
        self._crash_point("put:chunks")
        keyword.insert_words(
            run, ((chunk_id, chunk.words) for chunk_id, chunk in zip(ids, chunks, strict=True))
        )
        self._crash_point("put:words")
        matrix = np.stack([chunk.vector for chunk in chunks])
        vectors.insert_vectors(run, self._model_number(), ids, matrix)
