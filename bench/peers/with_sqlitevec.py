"""sqlite-vec and FTS5, written the plain way through APSW.

One table of texts, one vec0 table of float32 vectors, one FTS5 table over the texts (external
content, porter stemming) and, for hybrid search, the one SQL statement with reciprocal rank fusion
that sqlite-vec's author published: k = 60, equal weights, as many candidates a leg as hits wanted
(https://alexgarcia.xyz/blog/2024/sqlite-vec-hybrid-search/). The vec0 table has its default
distance, L2: for vectors of length 1 it ranks as cosine does. It is an exact scan. FTS5 ranks with
`ORDER BY rank`, which is its bm25() and, says its documentation, the faster way to write it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import apsw
import sqlite_vec

from bench.peers.peer import Chunk, FloatArray, Hit, K, Peer, Search, words

__all__ = ["peer"]

_TABLES = """
PRAGMA journal_mode = WAL;
CREATE TABLE chunk (id INTEGER PRIMARY KEY, key TEXT UNIQUE, text TEXT);
CREATE VIRTUAL TABLE chunk_vector USING vec0(embedding float[{dimension}]);
CREATE VIRTUAL TABLE chunk_word USING fts5(
    text, content = 'chunk', content_rowid = 'id', tokenize = 'porter unicode61'
);
"""
_VECTOR = """
SELECT chunk.key, chunk.text FROM chunk_vector JOIN chunk ON chunk.id = chunk_vector.rowid
WHERE embedding MATCH :vector AND k = :k ORDER BY distance
"""
_KEYWORD = """
SELECT chunk.key, chunk.text FROM chunk_word JOIN chunk ON chunk.id = chunk_word.rowid
WHERE chunk_word MATCH :words ORDER BY rank LIMIT :k
"""
_HYBRID = """
WITH near AS (
    SELECT rowid AS id, row_number() OVER (ORDER BY distance) AS place
    FROM chunk_vector WHERE embedding MATCH :vector AND k = :k
), worded AS (
    SELECT rowid AS id, row_number() OVER (ORDER BY rank) AS place
    FROM chunk_word WHERE chunk_word MATCH :words ORDER BY rank LIMIT :k
)
SELECT chunk.key, chunk.text
FROM near FULL OUTER JOIN worded ON worded.id = near.id
JOIN chunk ON chunk.id = coalesce(near.id, worded.id)
ORDER BY coalesce(1.0 / (60 + near.place), 0.0) + coalesce(1.0 / (60 + worded.place), 0.0) DESC
LIMIT :k
"""


class _SqliteVec:
    note = ""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "plain.db"
        self._connection: apsw.Connection | None = None

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path))
        connection.enable_load_extension(enable=True)
        connection.load_extension(sqlite_vec.loadable_path())  # type: ignore[no-untyped-call]  # it has no types
        return connection

    def build(self, chunks: Sequence[Chunk], vectors: FloatArray) -> None:
        connection = self._open()
        # APSW runs the next statement once the rows of the one before are read.
        list(connection.execute(_TABLES.format(dimension=vectors.shape[1])))
        with connection:
            connection.executemany(
                "INSERT INTO chunk (id, key, text) VALUES (?, ?, ?)",
                ((row, chunk.key, chunk.passage) for row, chunk in enumerate(chunks, 1)),
            )
            connection.executemany(
                "INSERT INTO chunk_word (rowid, text) VALUES (?, ?)",
                ((row, chunk.passage) for row, chunk in enumerate(chunks, 1)),
            )
            connection.executemany(
                "INSERT INTO chunk_vector (rowid, embedding) VALUES (?, ?)",
                ((row, vector.tobytes()) for row, vector in enumerate(vectors, 1)),
            )
        connection.close()

    def searches(self) -> dict[str, Search]:
        connection = self._connection = self._open()

        def search(sql: str) -> Search:
            def run(question: str, vector: FloatArray) -> list[Hit]:
                match = " OR ".join(f'"{word}"' for word in dict.fromkeys(words(question)))
                bound = {"vector": vector.tobytes(), "words": match, "k": K}
                return [(str(key), str(text)) for key, text in connection.execute(sql, bound)]

            return run

        return {"hybrid": search(_HYBRID), "vector": search(_VECTOR), "keyword": search(_KEYWORD)}

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def peer(folder: Path, _option: str) -> Peer:
    """Keep the one file below ``folder``."""
    return _SqliteVec(folder)
