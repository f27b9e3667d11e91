"""vstash 0.39.0 from PyPI, the older program of the same name, driven at its store.

- Its commands and `Memory` fetch a model and a tokenizer; `VstashStore` takes ready chunks and
  vectors, and is what they call. Vectors are written in batches with the keyword index deferred
  (`batch_mode(defer_fts=True)`), as its documentation says for bulk writes.
- Hybrid search is at its defaults: adaptive RRF, a distance cut-off of 1.3225 times the best, MMR
  inside documents. The cut-off can leave fewer than ten hits. The vector leg is timed and judged with
  the cut-off opened, so that recall speaks of the index, an exact scan, and not of the cut-off.
- It loads sqlite-vec into the standard library's `sqlite3`, which many Pythons build without loadable
  extensions. There pysqlite3-binary, the same module with extensions, stands in for it.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.peers.peer import Chunk, FloatArray, Hit, K, Peer, Search

__all__ = ["peer"]

_BATCH = 1_000
_OPEN_CUTOFF = 1_000.0


class _Vstash039:
    def __init__(self, folder: Path) -> None:
        self.note = "hybrid may return fewer than 10 hits: its distance cut-off is at its default"
        if not hasattr(sqlite3.Connection, "enable_load_extension"):
            sys.modules["sqlite3"] = import_module("pysqlite3")
            self.note += "; pysqlite3 stands in for sqlite3, which cannot load extensions here"
        self._store_class: Any = import_module("vstash.store").VstashStore
        self._path = str(folder / "old.db")
        self._store: Any = None

    def build(self, chunks: Sequence[Chunk], vectors: FloatArray) -> None:
        with (
            self._store_class(self._path, embedding_dim=vectors.shape[1]) as store,
            store.batch_mode(defer_fts=True),
        ):
            for start in range(0, len(chunks), _BATCH):
                batch = zip(
                    chunks[start : start + _BATCH],
                    vectors[start : start + _BATCH].tolist(),
                    strict=True,
                )
                store.add_documents_batch([_document(chunk, vector) for chunk, vector in batch])

    def searches(self) -> dict[str, Search]:
        self._store = self._store_class(self._path)
        return {
            "hybrid": self._search(),
            "vector": self._search(retrieval_mode="vec_only", distance_cutoff=_OPEN_CUTOFF),
            "keyword": self._search(retrieval_mode="fts_only"),
        }

    def _search(self, **options: Any) -> Search:
        def search(question: str, vector: FloatArray) -> list[Hit]:
            found = self._store.search(vector.tolist(), question, top_k=K, **options)
            return [(hit.path, hit.text) for hit in found]

        return search

    def close(self) -> None:
        self._store.close()


def _document(chunk: Chunk, vector: list[float]) -> dict[str, Any]:
    return {
        "path": chunk.key,
        "title": chunk.title,
        "chunks": [chunk.passage],
        "embeddings": [vector],
        "source_type": "text",
    }


def peer(folder: Path, _option: str) -> Peer:
    """Keep the one file below ``folder``."""
    return _Vstash039(folder)
