"""LanceDB: its own full-text index, and vectors without an index or with one of two.

- ``flat``: no vector index, as its documentation advises below about 100,000 rows.
- ``pq``: IVF_PQ with the starting points of its documentation: rows // 4096 partitions,
  dimension // 8 sub-vectors. Ten times as many candidates as hits are refined with their own vectors.
- ``hnsw``: IVF_HNSW_SQ, which its documentation calls the best trade of recall for latency;
  rows // 1,048,576 partitions. The effort of a search is 10 x k, the upper end of what it advises.

Refining and effort are set because without them recall@10 was .67 and .86 at 5,000 chunks with a
model's vectors, and with them .99 and .98 for about a millisecond and none. Probes are left to LanceDB.
The table is written from one stream of record batches. The FTS index has its defaults (English stems,
stop words dropped). Every search asks for the two columns it needs. Hybrid search is the two searches at
once, ten candidates each, fused by its RRFReranker (k = 60).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.peers.peer import Chunk, FloatArray, Hit, K, Peer, Search, words

__all__ = ["peer"]

_BATCH = 10_000
_REFINE = 10


class _LanceDB:
    note = ""

    def __init__(self, folder: Path, option: str) -> None:
        self._lancedb: Any = import_module("lancedb")
        self._indexes: Any = import_module("lancedb.index")
        self._arrow: Any = import_module("pyarrow")
        self._reranker: Any = import_module("lancedb.rerankers").RRFReranker()
        self._folder = folder
        self._option = option
        self._table: Any = None

    def build(self, chunks: Sequence[Chunk], vectors: FloatArray) -> None:
        arrow = self._arrow
        dimension = vectors.shape[1]
        schema = arrow.schema(
            [
                arrow.field("key", arrow.string()),
                arrow.field("text", arrow.string()),
                arrow.field("vector", arrow.list_(arrow.float32(), dimension)),
            ]
        )
        table = self._lancedb.connect(self._folder).create_table(
            "chunks", self._batches(chunks, vectors, schema), schema=schema
        )
        table.create_index("text", config=self._indexes.FTS())
        config = self._vector_index(len(chunks), dimension)
        if config is not None:
            table.create_index("vector", config=config)

    def _batches(self, chunks: Sequence[Chunk], vectors: FloatArray, schema: Any) -> Iterator[Any]:
        arrow = self._arrow
        for start in range(0, len(chunks), _BATCH):
            part = chunks[start : start + _BATCH]
            flat = arrow.array(vectors[start : start + _BATCH].ravel())
            columns = [
                arrow.array([chunk.key for chunk in part]),
                arrow.array([chunk.passage for chunk in part]),
                arrow.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
            ]
            yield arrow.RecordBatch.from_arrays(columns, schema=schema)

    def _vector_index(self, rows: int, dimension: int) -> Any:
        if self._option == "pq":
            return self._indexes.IvfPq(
                distance_type="cosine",
                num_partitions=max(1, rows // 4_096),
                num_sub_vectors=dimension // 8,
            )
        if self._option == "hnsw":
            return self._indexes.HnswSq(
                distance_type="cosine", num_partitions=max(1, rows // 1_048_576)
            )
        return None

    def searches(self) -> dict[str, Search]:
        self._table = self._lancedb.connect(self._folder).open_table("chunks")
        return {"hybrid": self._hybrid, "vector": self._vector, "keyword": self._keyword}

    def _hybrid(self, question: str, vector: FloatArray) -> list[Hit]:
        query = self._table.search(query_type="hybrid").vector(vector)
        query = query.text(" ".join(words(question)))
        return _hits(self._tuned(query).rerank(self._reranker))

    def _vector(self, _question: str, vector: FloatArray) -> list[Hit]:
        return _hits(self._tuned(self._table.search(vector)))

    def _tuned(self, query: Any) -> Any:
        query = query.distance_type("cosine")
        if self._option == "pq":
            return query.refine_factor(_REFINE)
        return query.ef(10 * K) if self._option == "hnsw" else query

    def _keyword(self, question: str, _vector: FloatArray) -> list[Hit]:
        return _hits(self._table.search(" ".join(words(question)), query_type="fts"))

    def close(self) -> None:
        self._table = None


def _hits(query: Any) -> list[Hit]:
    rows = query.select(["key", "text"]).limit(K).to_list()
    return [(row["key"], row["text"]) for row in rows]


def peer(folder: Path, option: str) -> Peer:
    """Keep the database below ``folder``; ``option`` is ``flat``, ``pq`` or ``hnsw``."""
    return _LanceDB(folder, option)
