"""What every peer gets: the same chunks, vectors and questions, made once below the work folder.

Chunks are the first rows of the corpus with visible text and a new `_id`. Vectors are by default those
of `bench.latency.ProjectionEmbedder`: seeded random directions of hashed words, summed, of length 1;
they cost next to nothing and are the same everywhere. They spread more evenly than a model's vectors
do, which is harder for an index that relies on clusters or neighbours: for recall as in use, take the
vectors of the shipped model (``model``), at its price of about a hundredth of a second a chunk.
Questions are runs of 11 words of passages, as in `bench.latency`; other ones warm up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.latency import ProjectionEmbedder, questions
from bench.lines import read_lines
from bench.peers.peer import Chunk, FloatArray, K, PeerError
from vstash.embed.catalogue import open_model

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder

__all__ = ["VECTORS", "Dataset", "Judge", "prepare"]

WORDS = 11
WARM = 20
VECTORS = ("projection", "model")
_LAYOUT = 1
_BATCH = 1_000


@dataclass(frozen=True)
class Dataset:
    """A folder with `chunks.jsonl`, `vectors.npy`, `questions.json`, `warm.npy` and `timed.npy`."""

    folder: Path
    count: int

    def vectors(self, size: int) -> FloatArray:
        """The vectors of the first chunks, read as they are used."""
        found: FloatArray = np.load(self.folder / "vectors.npy", mmap_mode="r")[:size]
        return found

    def keys(self, size: int) -> list[str]:
        """The keys of the first chunks."""
        with (self.folder / "chunks.jsonl").open(encoding="utf-8") as file:
            return [json.loads(line)[0] for line in islice(file, size)]


class Judge:
    """Knows the exact ten nearest chunks of each timed question, by a float32 scan."""

    def __init__(self, data: Dataset, size: int) -> None:
        self._vectors = data.vectors(size)
        self._rows = {key: row for row, key in enumerate(data.keys(size))}
        self._asked: FloatArray = np.load(data.folder / "timed.npy")
        self._wanted = min(K, size)
        self._tenth = [
            np.partition(self._vectors @ asked, -self._wanted)[-self._wanted]
            for asked in self._asked
        ]

    def recall(self, keys: Sequence[Sequence[str]]) -> float:
        """The mean share of the nearest ten that was found; whatever ties with the tenth counts."""
        if any(key not in self._rows for found in keys for key in found):
            raise PeerError("a hit has a key that was not stored")
        shares = []
        for found, asked, tenth in zip(keys, self._asked, self._tenth, strict=True):
            rows = sorted({self._rows[key] for key in found[:K]})
            near = self._vectors[rows] @ asked >= tenth - 1e-6
            shares.append(min(1.0, float(near.sum()) / self._wanted))
        return float(np.mean(shares))


def prepare(corpus: Path, folder: Path, size: int, timed: int, vectors: str) -> Dataset:
    """Make the data set, or use again what an earlier run with the same inputs made.

    Args:
        corpus: JSON Lines with `_id`, `text` and perhaps `title`.
        folder: Where the data set is kept.
        size: Chunks wanted; fewer where the corpus ends.
        timed: How many questions are timed.
        vectors: One of `VECTORS`.

    Returns:
        The data set; its ``count`` says how many chunks there are.

    Raises:
        ValueError: When the corpus has no usable row.
    """
    state = corpus.stat()
    wanted = [
        _LAYOUT,
        str(corpus.resolve()),
        state.st_size,
        state.st_mtime_ns,
        size,
        timed,
        vectors,
    ]
    digest = hashlib.sha256(json.dumps(wanted).encode()).hexdigest()
    stamp = folder / "stamp.json"
    if stamp.exists():
        made = json.loads(stamp.read_text("utf-8"))
        if made["inputs"] == digest:
            return Dataset(folder, made["count"])
        stamp.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    embedder: Embedder = open_model() if vectors == "model" else ProjectionEmbedder()
    count = _write(corpus, folder, size, timed, embedder)
    stamp.write_text(json.dumps({"inputs": digest, "count": count}), encoding="utf-8")
    return Dataset(folder, count)


def _write(corpus: Path, folder: Path, size: int, timed: int, embedder: Embedder) -> int:
    chunks = list(islice(_chunks(corpus), size))
    if not chunks:
        raise ValueError("the corpus has no row with an _id and visible text")
    with (folder / "chunks.jsonl").open("w", encoding="utf-8") as file:
        for chunk in chunks:
            file.write(json.dumps([chunk.key, chunk.title, chunk.text]) + "\n")
    vectors = np.empty((len(chunks), embedder.info.dimension), dtype=np.float32)
    for start in range(0, len(chunks), _BATCH):
        passages = [chunk.passage for chunk in chunks[start : start + _BATCH]]
        vectors[start : start + _BATCH] = embedder.embed_passages(passages)
    np.save(folder / "vectors.npy", vectors)
    asked = {"warm": _questions(corpus, WARM, 1_000), "timed": _questions(corpus, timed, 1)}
    for name, texts in asked.items():
        np.save(folder / f"{name}.npy", embedder.embed_queries(texts))
    (folder / "questions.json").write_text(json.dumps(asked), encoding="utf-8")
    return len(chunks)


def _chunks(corpus: Path) -> Iterator[Chunk]:
    seen = set()
    for row in read_lines(corpus):
        if row["_id"] not in seen and row["text"].strip():
            seen.add(row["_id"])
            yield Chunk(row["_id"], row.get("title") or "", row["text"])


def _questions(corpus: Path, count: int, seed: int) -> list[str]:
    made: list[str] = []
    while len(made) < count:
        made += questions(corpus, WORDS, seed)
        seed += 1
    return made[:count]
