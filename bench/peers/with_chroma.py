"""Chroma: vectors only.

Its local client has no ranking by keyword: `where_document` keeps or drops documents by substring or
regular expression, and `Search` with its Rrf is for its cloud ("not implemented for Local Chroma").
So there is no hybrid search and no keyword leg to measure. The collection has Chroma's defaults but
for the distance, cosine, and is written in the largest batches that the client takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.peers.peer import Chunk, FloatArray, Hit, K, Peer, Search

__all__ = ["peer"]


class _Chroma:
    note = "no ranking by keyword and so no hybrid search: its text filter only keeps or drops"

    def __init__(self, folder: Path) -> None:
        chromadb: Any = import_module("chromadb")
        settings = chromadb.config.Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(path=str(folder), settings=settings)
        self._collection: Any = None

    def build(self, chunks: Sequence[Chunk], vectors: FloatArray) -> None:
        collection = self._client.create_collection(
            "chunks", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        step = self._client.get_max_batch_size()
        for start in range(0, len(chunks), step):
            part = chunks[start : start + step]
            collection.add(
                ids=[chunk.key for chunk in part],
                documents=[chunk.passage for chunk in part],
                embeddings=vectors[start : start + step],
            )

    def searches(self) -> dict[str, Search]:
        self._collection = self._client.get_collection("chunks", embedding_function=None)
        return {"vector": self._vector}

    def _vector(self, _question: str, vector: FloatArray) -> list[Hit]:
        found = self._collection.query(
            query_embeddings=[vector], n_results=K, include=["documents"]
        )
        return list(zip(found["ids"][0], found["documents"][0], strict=True))

    def close(self) -> None:
        self._collection = None


def peer(folder: Path, _option: str) -> Peer:
    """Keep the database below ``folder``."""
    return _Chroma(folder)
