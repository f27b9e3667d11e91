"""One write transaction: everything in it is stored together or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

import apsw
import numpy as np

from vstash.store import documents, keyword, log, vectors
from vstash.store.derived import Derived
from vstash.store.lengths import clear_lengths, set_lengths
from vstash.store.postings import add_postings, clear_postings, merge_some
from vstash.store.rows import ChunkRow, DocumentRow, SearchRow
from vstash.store.session import Reader
from vstash.types import ModelInfo

__all__ = ["Writer"]

# Rows of a merge that a commit moves at least, and how many it moves for each that it adds: a row is
# merged once a level, and there are six levels to a million chunks.
_MERGE_LEAST: Final = 500
_MERGE_SHARE: Final = 8
_REBUILD_CHUNKS: Final = 4096


class Writer(Reader):
    """A write transaction: everything in it is stored together or not at all.

    Args:
        connection: Inside BEGIN IMMEDIATE.
        crash_point: Called by name between steps; tests stop the process there.
    """

    def __init__(self, connection: apsw.Connection, crash_point: Callable[[str], None]) -> None:
        super().__init__(connection, Derived())
        self._crash_point = crash_point
        self._changed = False
        # One segment a transaction, however many documents are in it.
        self._added: dict[int, Counter[str]] = {}
        self._removed: list[int] = []

    def finish(self) -> None:
        """Write what is stored once a transaction: counters, postings and lengths."""
        if not self._changed:
            return
        counter = self.change_counter + 1
        self._connection.execute(
            "UPDATE meta SET value = CASE name WHEN 'change_counter' THEN ?1 ELSE value + ?2 END "
            "WHERE name IN ('change_counter', 'chunk_count')",
            (counter, len(self._added) - len(self._removed)),
        )
        rows = self._add_postings(counter)
        self._set_lengths(dict.fromkeys(self._removed, 0), counter)
        self._crash_point("finish:postings")
        merge_some(self._connection, max(_MERGE_LEAST, _MERGE_SHARE * rows))

    def _add_postings(self, counter: int) -> int:
        rows = add_postings(self._connection, sorted(self._added.items()))
        # A chunk without a word counts as one word: 0 says that there is no chunk.
        totals = {chunk: max(counts.total(), 1) for chunk, counts in self._added.items()}
        self._set_lengths(totals, counter)
        return rows

    def _set_lengths(self, totals: dict[int, int], counter: int) -> None:
        ids = np.fromiter(totals, dtype=np.int64, count=len(totals))
        lengths = np.fromiter(totals.values(), dtype=np.int64, count=len(totals))
        set_lengths(self._connection, ids, lengths, counter)

    def use_model(self, info: ModelInfo) -> int:
        """Make a model the active one of a file without vectors; returns its number."""
        return vectors.register_model(self._connection, info)

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
        for part in _parts(documents.passages(self._connection), _REBUILD_CHUNKS):
            words = {
                chunk: (normalise(title), normalise(heading), normalise(body))
                for chunk, title, heading, body in part
            }
            keyword.insert_words(self._connection, words.items())
            self._added = {chunk: _counted(each) for chunk, each in words.items()}
            self._add_postings(counter)
        self._added = {}
        self._connection.execute("UPDATE meta SET value = ? WHERE name = 'normaliser'", (version,))

    def put(self, row: DocumentRow, chunks: Sequence[ChunkRow], *, now: int) -> int:
        """Store a document whole, replacing the one with its collection and key.

        Args:
            row: The document.
            chunks: Its chunks in order, at least one.
            now: Microseconds since the epoch.

        Returns:
            The document's internal number.
        """
        replaces = documents.document_number(self._connection, row.collection, row.key)
        self._changed = True
        if replaces is not None:
            self._remove_chunks(replaces)
        number = documents.insert_document(self._connection, row, now=now, replaces=replaces)
        documents.insert_text(self._connection, number, row.text)
        self._crash_point("put:text")
        self._insert_chunks(number, chunks)
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
        self._changed = True

    def touch_source(self, document_id: str, size: int, mtime_ns: int) -> None:
        """Remember that a file with the same content has a new size or time."""
        self._connection.execute(
            "UPDATE document SET source_size = ?, source_mtime_ns = ? WHERE id = ?",
            (size, mtime_ns, document_id),
        )

    def delete(self, number: int) -> None:
        """Remove a document with its text, words, vectors and triples."""
        self._changed = True
        self._remove_chunks(number)
        self._crash_point("delete:chunks")
        documents.delete_document(self._connection, number)

    def log(self, row: SearchRow) -> None:
        """Write one search to the disagreement log."""
        log.append(self._connection, row)

    def trim_log(self, *, keep_rows: int, oldest: int) -> None:
        """Forget logged searches beyond a count, and those before a time in microseconds."""
        log.trim(self._connection, rows=keep_rows, oldest=oldest)

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
        keyword.delete_words(self._connection, ids)
        vectors.delete_vectors(self._connection, self._model_number(), ids)
        self._connection.execute("DELETE FROM chunk WHERE document = ?", (number,))
        for chunk in ids:
            # What this very transaction added is forgotten, not removed.
            if self._added.pop(chunk, None) is None:
                self._removed.append(chunk)

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
        self._added.update(
            (chunk_id, _counted(chunk.words)) for chunk_id, chunk in zip(ids, chunks, strict=True)
        )
        keyword.insert_words(
            run, ((chunk_id, chunk.words) for chunk_id, chunk in zip(ids, chunks, strict=True))
        )
        self._crash_point("put:words")
        matrix = np.stack([chunk.vector for chunk in chunks])
        vectors.insert_vectors(run, self._model_number(), ids, matrix)


def _counted(words: tuple[str, str, str]) -> Counter[str]:
    return Counter(" ".join(words).split())


def _parts(
    rows: Iterator[tuple[int, str, str, str]], size: int
) -> Iterator[list[tuple[int, str, str, str]]]:
    while part := list(islice(rows, size)):
        yield part
