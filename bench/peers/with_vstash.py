"""vstash, as this checkout has it.

Written with one `Memory.add_many` and ready vectors, searched with the ready vector of the question,
every setting at its default. Searches are not logged: no peer writes while it answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.peers.peer import Chunk, FloatArray, Hit, K, Peer, Search
from vstash import Memory, ModelInfo
from vstash.settings import Settings

if TYPE_CHECKING:
    from vstash.types import FloatArray as Vectors

__all__ = ["peer"]


class _ReadyVectors:
    """Stands where a model would: every vector is handed over ready."""

    def __init__(self, dimension: int) -> None:
        self.info = ModelInfo("ready", dimension, "0" * 64, 512, pooling="mean")

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        raise NotImplementedError("the benchmark hands over ready vectors")

    embed_queries = embed_passages

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        raise NotImplementedError("the benchmark hands over ready chunks")


class _Vstash:
    note = ""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "vstash.db"
        self._memory: Memory | None = None

    def _open(self, dimension: int) -> Memory:
        return Memory(self._path, model=_ReadyVectors(dimension), settings=Settings())

    def build(self, chunks: Sequence[Chunk], vectors: FloatArray) -> None:
        with self._open(vectors.shape[1]) as memory:
            memory.add_many(
                [chunk.text for chunk in chunks],
                vectors=vectors,
                keys=[chunk.key for chunk in chunks],
                titles=[chunk.title for chunk in chunks],
            )

    def searches(self) -> dict[str, Search]:
        modes: tuple[Literal["hybrid", "vector", "keyword"], ...] = ("hybrid", "vector", "keyword")
        return {mode: self._search(mode) for mode in modes}

    def _search(self, mode: Literal["hybrid", "vector", "keyword"]) -> Search:
        def search(question: str, vector: FloatArray) -> list[Hit]:
            if self._memory is None:
                self._memory = self._open(len(vector))
            found = self._memory.search(question, vector=vector, k=K, mode=mode, log=False)
            return [(hit.document.key, hit.text) for hit in found.hits]

        return search

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()


def peer(folder: Path, _option: str) -> Peer:
    """Keep the one file below ``folder``."""
    return _Vstash(folder)
