"""One write transaction: everything in it is stored together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from vstash.errors import StoreCorruptError
from vstash.store import codes, collections, documents, keyword, models, queue, replies, vectors
from vstash.store.beside_writer import BesideWriter
from vstash.store.indexes import IndexWriter
from vstash.store.jobs import JobWriter
from vstash.store.learned import LearnedWriter
from vstash.store.leftovers import LeftoverWriter
from vstash.store.lengths import clear_lengths, set_lengths
from vstash.store.made import MadeWriter
from vstash.store.models import Served
from vstash.store.postings import add_postings, clear_postings, merge_some
from vstash.store.rows import ChunkRow, DocumentRow
from vstash.store.traces import TraceWriter
from vstash.types import Document, ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = ["Writer"]

# Rows of a merge that a commit moves at least, and how many it moves for each that it adds: a row is
# merged once a level, and there are six levels to a million chunks.
_MERGE_LEAST: Final = 500
_MERGE_SHARE: Final = 8
# Runs of codes are looked through for chunks that are gone: one a removal, and for each so many more.
_CLEAN_SHARE: Final = 256
_REBUILD_CHUNKS: Final = 32_768


class Writer(BesideWriter):
    """A write transaction: everything in it is stored together or not at all.

    Chunks wait until its end, so that each table and index is written once, however many documents
    there are; `chunk` and what hangs on it does not show them before.

    Args:
        connection: Inside BEGIN IMMEDIATE.
        crash_point: Called by name between steps; tests stop the process there.
        made_by: The model that the vectors of what is stored were made with, None for the active one.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        crash_point: Callable[[str], None],
        made_by: Served | None = None,
    ) -> None:
        super().__init__(connection, crash_point)
        self._made_by = made_by
        self.left: list[int] = []
        """Chunks whose vectors were made with a model that is not the active one any more."""
        self._changed = False
        self._added: dict[int, documents.PlacedChunk] = {}
        self._added_to: dict[int, range] = {}
        self._removed: list[int] = []
        self._embedded: list[tuple[int, FloatArray]] = []
        self._collections: dict[str, int] = {}
        self._last_chunk: int | None = None

    def finish(self) -> None:
        """Write what is stored once a transaction: chunks, their indexes, counters."""
        if not self._changed:
            return
        counter = self.change_counter + 1
        self._insert_chunks()
        self._set_lengths(dict.fromkeys(self._removed, 0), counter)
        rows = self._add_postings(self._words(), counter)
        self._crash_point("finish:postings")
        self._insert_vectors(counter)
        self._crash_point("finish:vectors")
        self._connection.execute(
            "UPDATE meta SET value = CASE name WHEN 'change_counter' THEN ?1 "
            "WHEN 'chunk_count' THEN value + ?2 ELSE (SELECT count(*) FROM awaiting) END "
            "WHERE name IN ('change_counter', 'chunk_count', 'awaiting_count')",
            (counter, len(self._added) - len(self._removed)),
        )
        merge_some(
            self._connection,
            max(_MERGE_LEAST, _MERGE_SHARE * rows),
            removed=bool(self._removed),
        )
        if self._removed:
            self._clean_codes(counter)

    def _clean_codes(self, counter: int) -> None:
        looked = 1 + len(self._removed) // _CLEAN_SHARE
        # What is damaged stays as it is, for the check to find; it must not keep others from writing.
        with suppress(StoreCorruptError):
            cursor = codes.clean_some(
                self._connection,
                counter,
                cursor=self._meta.get("code_cursor", 0),
                runs=looked,
            )
            self._connection.execute(
                "UPDATE meta SET value = ? WHERE name = 'code_cursor'", (cursor,)
            )

    def _insert_chunks(self) -> None:
        if not self._added:
            return
        documents.insert_chunks(self._connection, self._added)
        self._crash_point("finish:chunks")
        keyword.insert_words(
            self._connection, ((chunk, placed.row.words) for chunk, placed in self._added.items())
        )
        self._crash_point("finish:words")

    def _words(self) -> list[tuple[int, list[str]]]:
        rows = ((chunk, placed.row.words) for chunk, placed in self._added.items())
        return [(chunk, " ".join(words).split()) for chunk, words in rows]

    def _add_postings(self, words: Sequence[tuple[int, list[str]]], counter: int) -> int:
        # A chunk without a word counts as one word: 0 says that there is no chunk.
        self._set_lengths({chunk: max(len(found), 1) for chunk, found in words}, counter)
        return add_postings(self._connection, words)

    def _set_lengths(self, totals: dict[int, int], counter: int) -> None:
        ids = np.fromiter(totals, dtype=np.int64, count=len(totals))
        lengths = np.fromiter(totals.values(), dtype=np.int64, count=len(totals))
        set_lengths(self._connection, ids, lengths, counter)

    def _insert_vectors(self, counter: int) -> None:
        late = bool(self._embedded)
        model = self._vectors_model()
        if self._added:
            rows = [(chunk, placed.row) for chunk, placed in self._added.items()]
            queue.insert_digests(self._connection, rows)
            made = [(chunk, row.vector) for chunk, row in rows if row.vector is not None]
            if model != self._model_number():
                self.left = [chunk for chunk, _ in made]
            waiting = [chunk for chunk, row in rows if row.vector is None]
            queue.wait(self._connection, sorted({*waiting, *self.left}))
            self._embedded += made
        if not self._embedded or model is None:
            return
        ids = np.array([chunk for chunk, _ in self._embedded], dtype=np.int64)
        matrix = np.stack([vector for _, vector in self._embedded])
        vectors.insert_vectors(self._connection, model, ids, matrix)
        codes.add_codes(self._connection, model, ids, matrix, counter, late=late)

    def _vectors_model(self) -> int | None:
        """The number of the model that vectors were made with, None where its index is gone."""
        made_by = self._made_by
        if made_by is None:
            return self._model_number()
        return made_by.number if models.knows(self._connection, made_by) else None

    def use_model(self, info: ModelInfo) -> int:
        """Make a model the active one of a file without vectors; returns its number."""
        number = models.register_model(self._connection, info)
        models.activate(self._connection, number)
        return number

    @property
    def indexes(self) -> IndexWriter:
        """The indexes of the file's models, to be changed."""
        return IndexWriter(self._connection, self.change_counter + 1, self._crash_point)

    def forget_derived(self) -> None:
        """Have every process read anew what it keeps in memory of the file."""
        self._changed = True
        self._connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'derived_anew'")

    def touch(self) -> None:
        """Count this transaction as a change, so that other processes look at the file anew."""
        self._changed = True

    def derive_words(self, normalise: Callable[[str], str], version: int) -> None:
        """Build the keyword index anew from the text, by the rules of this version.

        Args:
            normalise: Derives the words of a text.
            version: Of the rules, remembered in the file.
        """
        self._changed = True
        keyword.clear(self._connection)
        clear_postings(self._connection)
        counter = self.change_counter + 1
        clear_lengths(self._connection, counter)
        rows = documents.passages(self._connection)
        while part := list(islice(rows, _REBUILD_CHUNKS)):
            words = {
                chunk: (normalise(title), normalise(heading), normalise(body))
                for chunk, title, heading, body in part
            }
            keyword.insert_words(self._connection, words.items())
            self._add_postings(
                [(chunk, " ".join(each).split()) for chunk, each in words.items()], counter
            )
        self._connection.execute(
            "UPDATE meta SET value = CASE name WHEN 'normaliser' THEN ? ELSE value + 1 END "
            "WHERE name IN ('normaliser', 'derived_anew')",
            (version,),
        )

    def derive_codes(self) -> None:
        """Build the codes of every model anew from its vectors, by the rules of this version."""
        self._changed = True
        counter = self.change_counter + 1
        for model in models.numbers(self._connection):
            codes.clear_codes(self._connection, model)
            for ids, matrix in vectors.in_parts(self._connection, model):
                codes.add_codes(self._connection, model, ids, matrix, counter, late=False)
        self._connection.execute(
            "UPDATE meta SET value = CASE name WHEN 'coder' THEN ? ELSE value + 1 END "
            "WHERE name IN ('coder', 'derived_anew')",
            (codes.CODER_VERSION,),
        )

    def put(
        self,
        row: DocumentRow,
        chunks: Sequence[ChunkRow],
        *,
        now: int,
        first_chunk: int | None = None,
    ) -> Document:
        """Store a document whole, replacing the one with its collection and key.

        Args:
            row: The document.
            chunks: Its chunks in order, at least one; those without a vector will await one.
            now: Microseconds since the epoch.
            first_chunk: Id of its first chunk, above all that were given; None for the next.

        Returns:
            The stored document, without its text.
        """
        self._changed = True
        collection = self._collection(row.collection)
        replaces = documents.existing(self._connection, collection, row.key)
        if replaces is not None:
            self._remove_chunks(replaces.number)
        ids = self._new_ids(len(chunks), first_chunk)
        number = documents.insert_document(
            self._connection, row, now=now, collection=collection, replaces=replaces, chunks=ids
        )
        documents.insert_text(self._connection, number, row.text, new=replaces is None)
        self._crash_point("put:text")
        self._added_to[number] = ids
        for seq, (chunk_id, chunk) in enumerate(zip(ids, chunks, strict=True)):
            self._added[chunk_id] = documents.PlacedChunk(number, seq, chunk)
        self._crash_point("put:end")
        return documents.stored(row, replaces, now=now, chunk_count=len(chunks))

    def _collection(self, name: str) -> int:
        number = self._collections.get(name)
        if number is None:
            number = documents.made_collection(self._connection, name)
            self._collections[name] = number
        return number

    def _new_ids(self, count: int, at_least: int | None) -> range:
        if self._last_chunk is None:
            self._last_chunk = documents.last_chunk(self._connection)
        first = max(self._last_chunk + 1, at_least or 0)
        self._last_chunk = first + count - 1
        return range(first, first + count)

    def embed(
        self, ids: IdArray, matrix: FloatArray, *, digests: Sequence[bytes] | None = None
    ) -> int:
        """Give chunks that await a vector theirs.

        Args:
            ids: Chunk ids, shape (n,); those that are gone or have a vector by now are passed over.
            matrix: Shape (n, dimension), float32, length 1.
            digests: Of what was embedded; a chunk that is another by now, since a backup was restored
                or its document was cut anew, goes on waiting. None looks at no text.

        Returns:
            How many got one; none where they are of a model that is not the active one any more.
        """
        if self._vectors_model() != self._model_number():
            return 0
        same = ids if digests is None else queue.still(self._connection, ids, digests)
        waiting = set(queue.leave(self._connection, same))
        found = [
            (chunk, vector)
            for chunk, vector in zip(ids.tolist(), matrix, strict=True)
            if chunk in waiting
        ]
        self._embedded += found
        self._changed = self._changed or bool(found)
        return len(found)

    def put_fields(self, number: int, row: DocumentRow, *, now: int) -> None:
        """Change a document's fields other than text and title, which its chunks depend on."""
        self._connection.execute(
            "UPDATE document SET metadata = jsonb(?), digest = ?, expires_at = ?, updated = ? "
            "WHERE number = ?",
            (row.metadata, bytes.fromhex(row.content_hash), row.expires_at, now, number),
        )
        documents.write_tags(self._connection, number, row.tags)
        self._changed = True

    def touch_source(self, document_id: str, size: int, mtime_ns: int) -> None:
        """Remember that a file with the same content has a new size or time."""
        self._connection.execute(
            "UPDATE document SET source_size = ?, source_mtime_ns = ? WHERE id = ?",
            (size, mtime_ns, document_id),
        )

    def delete(self, number: int) -> None:
        """Remove a document with its text, words, vectors, triples and feedback."""
        self._changed = True
        self._remove_chunks(number)
        replies.take_back(self._connection, number)
        self._crash_point("delete:chunks")
        documents.delete_document(self._connection, number)

    def delete_collection(self, name: str) -> None:
        """Remove a collection whose documents were removed, and the log of its searches."""
        self._changed = True
        collections.remove(self._connection, name)
        self._crash_point("delete:collection")

    def clean_codes(self, *, after: int, runs: int) -> int:
        """Leave no code of a chunk that is gone in some runs; see `LeftoverWriter.clean_codes`."""
        before, counter = self._connection.total_changes(), self.change_counter + 1
        looked = self.leftovers.clean_codes(counter, after=after, runs=runs)
        self._changed |= self._connection.total_changes() > before
        return looked

    @property
    def learned(self) -> LearnedWriter:
        """What was learnt, to be changed."""
        return LearnedWriter(self._connection, self._crash_point)

    @property
    def leftovers(self) -> LeftoverWriter:
        """What chunks that are gone left, to be removed."""
        return LeftoverWriter(self._connection)

    @property
    def traces(self) -> TraceWriter:
        """What tells of documents, to be removed."""
        return TraceWriter(self._connection)

    @property
    def mined(self) -> MadeWriter:
        """Queries of which the answer is known, to be stored and removed."""
        return MadeWriter(self._connection)

    @property
    def jobs(self) -> JobWriter:
        """The jobs of the file, to be changed."""
        return JobWriter(self._connection)

    def _model_number(self) -> int:
        model = self.model
        return 0 if model is None else model[0]

    def _remove_chunks(self, number: int) -> None:
        ids = [
            int(row[0])
            for row in self._connection.execute(
                "SELECT id FROM chunk WHERE document = ?", (number,)
            )
        ]
        if ids:
            keyword.delete_words(self._connection, ids)
            for model in models.numbers(self._connection):
                vectors.delete_vectors(self._connection, model, ids)
            self._connection.execute("DELETE FROM chunk WHERE document = ?", (number,))
            self._removed += ids
        # What this very transaction added is forgotten, not removed.
        for chunk in self._added_to.pop(number, ()):
            del self._added[chunk]
