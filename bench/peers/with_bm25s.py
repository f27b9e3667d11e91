"""bm25s: the keyword leg only.

As in its quick start: English stop words, PyStemmer, the default method (Lucene's BM25) and the numpy
backend, index and corpus saved to a folder and loaded back into memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.peers.peer import Chunk, FloatArray, Hit, K, Peer, Search

__all__ = ["peer"]


class _Bm25s:
    note = "keyword leg only; index and texts are held in memory"

    def __init__(self, folder: Path) -> None:
        self._bm25s: Any = import_module("bm25s")
        self._stemmer: Any = import_module("Stemmer").Stemmer("english")
        self._folder = folder
        self._retriever: Any = None

    def _tokens(self, texts: list[str]) -> Any:
        return self._bm25s.tokenize(
            texts, stopwords="en", stemmer=self._stemmer, show_progress=False
        )

    def build(self, chunks: Sequence[Chunk], _vectors: FloatArray) -> None:
        retriever = self._bm25s.BM25()
        retriever.index(self._tokens([chunk.passage for chunk in chunks]), show_progress=False)
        corpus = [{"key": chunk.key, "text": chunk.passage} for chunk in chunks]
        retriever.save(self._folder, corpus=corpus, show_progress=False)

    def searches(self) -> dict[str, Search]:
        self._retriever = self._bm25s.BM25.load(self._folder, load_corpus=True, show_progress=False)
        return {"keyword": self._keyword}

    def _keyword(self, question: str, _vector: FloatArray) -> list[Hit]:
        found, scores = self._retriever.retrieve(self._tokens([question]), k=K, show_progress=False)
        pairs = zip(found[0], scores[0], strict=True)
        return [(hit["key"], hit["text"]) for hit, score in pairs if score > 0]

    def close(self) -> None:
        self._retriever = None


def peer(folder: Path, _option: str) -> Peer:
    """Keep the index below ``folder``."""
    return _Bm25s(folder)
