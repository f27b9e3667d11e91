"""Search latency, write rate, memory and size by number of chunks, on real passages.

    python -m bench.latency corpus.jsonl --work /tmp/latency --sizes 10000 50000 250000 1000000

The corpus is JSON Lines with `_id`, `title` and `text`. Vectors come from a seeded projection of hashed
words and are ready before a write or a search begins, so that the model's speed does not matter. Above
the corpus' size its passages come again with their words shuffled and every tenth left out (seeded),
with vectors of their own. Questions are 11 words taken from passages; long ones 200. The file is kept
below --work and grows from size to size. Memory is that of a process of its own, after 1,000 searches,
with the shipped model loaded and the REST service's code imported. Prints a row for each size and
appends it to bench/results/latency.jsonl.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.lines import read_lines
from bench.machine import append_row
from vstash import Memory, ModelInfo
from vstash.settings import Settings

if TYPE_CHECKING:
    from vstash.types import FloatArray

RESULTS = Path(__file__).parent / "results" / "latency.jsonl"
WORD = re.compile(r"\w+")
BATCH = 5_000
ROUNDS = 100
FILTERS = {
    "filter_1_percent": {"metadata.part": {"lt": 1}},
    "filter_50_percent": {"metadata.part": {"lt": 50}},
}
STAGES = ("filter", "keyword", "vector", "complete", "fuse", "read")


class ProjectionEmbedder:
    """Sums seeded random vectors of hashed words; texts that share words are near each other."""

    def __init__(self, dimension: int = 384, buckets: int = 65_536) -> None:
        random_numbers = np.random.default_rng(7)
        self._rows = random_numbers.standard_normal((buckets, dimension), dtype=np.float32)
        self.info = ModelInfo("projection", dimension, "0" * 64, 512, pooling="mean")

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """One vector a text."""
        vectors = np.empty((len(texts), self.info.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            words = {zlib.crc32(word.encode()) % len(self._rows) for word in WORD.findall(text)}
            row[:] = self._rows[list(words) or [0]].sum(axis=0)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    embed_queries = embed_passages

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Words stand for tokens."""
        return [match.span() for match in WORD.finditer(text)]


def passages(path: Path) -> Iterator[tuple[str, str, str]]:
    """Key, title and text without end: the corpus, then seeded variants of it."""

    def variants() -> Iterator[tuple[str, str, str]]:
        for copy in count(1):
            chosen = random.Random(copy)
            for row in read_lines(path):
                words = row["text"].split()
                chosen.shuffle(words)
                kept = words[len(words) // 10 :]
                yield f"{row['_id']}/{copy}", row["title"], " ".join(kept) or row["text"]

    first = ((row["_id"], row["title"], row["text"]) for row in read_lines(path))
    return chain(first, variants())


def fill(
    memory: Memory, model: ProjectionEmbedder, rows: Iterator[tuple[str, str, str]], size: int
) -> list[float]:
    """Store passages until there are ``size`` chunks; chunks a second of each batch."""
    rates = []
    while (missing := size - memory.stats().chunks) > 0:
        batch = list(islice(rows, min(BATCH, missing)))
        keys, titles, texts = zip(*batch, strict=True)
        vectors = model.embed_passages([f"{title}\n{text}" for _, title, text in batch])
        metadata = [{"part": zlib.crc32(key.encode()) % 100} for key in keys]
        start = time.perf_counter()
        memory.add_many(texts, vectors=vectors, keys=keys, titles=titles, metadata=metadata)
        rates.append(len(batch) / (time.perf_counter() - start))
    return rates


def questions(path: Path, words: int, seed: int, rounds: int = ROUNDS) -> list[str]:
    """Runs of words from passages of the corpus."""
    chosen = random.Random(seed)
    texts = [row["text"].split() for row in islice(read_lines(path), 5_000)]
    made: list[str] = []
    while len(made) < rounds:
        pool = [word for text in chosen.sample(texts, 1 + words // 60) for word in text]
        start = chosen.randrange(max(1, len(pool) - words))
        made.append(" ".join(pool[start : start + words]) or "question")
    return made


def percentiles(
    memory: Memory, asked: Sequence[str], vectors: FloatArray, **options: Any
) -> dict[str, float]:
    """Milliseconds of a search: p50, p99, and the median of each stage."""
    totals, stages = [], []
    for question, vector in zip(asked, vectors, strict=True):
        start = time.perf_counter()
        result = memory.search(question, vector=vector, log=False, **options)
        totals.append(1000 * (time.perf_counter() - start))
        stages.append(result.timings_ms)
    found = {"p50": float(np.median(totals)), "p99": float(np.percentile(totals, 99))}
    for stage in STAGES:
        found[stage] = float(np.median([times.get(stage, 0.0) for times in stages]))
    return {name: round(value, 2) for name, value in found.items()}


def searched(memory: Memory, model: ProjectionEmbedder, corpus: Path) -> dict[str, Any]:
    """All kinds of searches; ten other questions warm up."""
    for question in questions(corpus, 11, 99, 10):
        memory.search(question, vector=model.embed_queries([question])[0], log=False)
    rows: dict[str, Any] = {}
    for name, words, options in (
        ("short", 11, {}),
        ("long", 200, {}),
        ("keyword", 11, {"mode": "keyword"}),
        ("vector", 11, {"mode": "vector"}),
        ("rrf", 11, {"strategy": "rrf"}),
    ):
        asked = questions(corpus, words, words)
        rows[name] = percentiles(memory, asked, model.embed_queries(asked), **options)
    asked = questions(corpus, 11, 12)
    vectors = model.embed_queries(asked)
    for name, tree in FILTERS.items():
        start = time.perf_counter()
        memory.search(asked[0], vector=vectors[0], filter=tree, log=False)
        first = 1000 * (time.perf_counter() - start)
        rows[name] = {"first": round(first, 1)} | percentiles(memory, asked, vectors, filter=tree)
    return rows


class Stub:
    """Stands for the projection where all vectors are ready, without its memory."""

    def __init__(self, info: ModelInfo) -> None:
        self.info = info

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Never asked."""
        raise NotImplementedError

    embed_queries = embed_passages

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Never asked."""
        raise NotImplementedError


def resident(path: Path, vectors: Path, corpus: Path) -> None:
    """Print the memory of this process, as a service would have it, after 1,000 searches."""
    import vstash.api.app  # noqa: F401, PLC0415 - what a service has loaded
    from vstash.embed.catalogue import open_model  # noqa: PLC0415 - the same

    shipped = open_model()
    shipped.embed_queries(["a question", "another question"])
    asked = questions(corpus, 11, 7, 1_000)
    ready = np.load(vectors)
    with Memory(
        path, model=Stub(ModelInfo("projection", ready.shape[1], "0" * 64, 512, "mean"))
    ) as m:
        start = time.perf_counter()
        m.search(asked[0], vector=ready[0], log=False)
        first = 1000 * (time.perf_counter() - start)
        for question, vector in zip(asked, ready, strict=True):
            m.search(question, vector=vector, log=False)
        status = Path("/proc/self/status").read_text(encoding="ascii")
    found = {
        name: int(value) // 1024 for name, value in re.findall(r"Vm(RSS|HWM):\s+(\d+)", status)
    }
    print(json.dumps({"resident_mb": found["RSS"], "peak_mb": found["HWM"], "first_ms": first}))


def service_memory(path: Path, model: ProjectionEmbedder, corpus: Path) -> dict[str, Any]:
    """Ask a fresh process for its memory."""
    ready = path.with_suffix(".npy")
    np.save(ready, model.embed_queries(questions(corpus, 11, 7, 1_000)))
    words = ["-m", "bench.latency", str(corpus), "--work", str(path.parent)]
    done = subprocess.run(
        [sys.executable, *words, "--resident", str(path), str(ready)],
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def read_once(path: Path) -> None:
    """Bring the file into the system's memory, by a process of its own: ours holds locks on it."""
    reader = "import sys; f = open(sys.argv[1], 'rb')\nwhile f.read(1 << 24): pass"
    subprocess.run([sys.executable, "-c", reader, str(path)], check=True)


def text_bytes(corpus: Path, size: int) -> int:
    """UTF-8 bytes of the texts of the first chunks."""
    return sum(len(text.encode()) for _, _, text in islice(passages(corpus), size))


def main() -> None:
    """Grow one file and measure it at each size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000, 250_000])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--resident", type=Path, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.resident:
        stored, ready = given.resident
        resident(stored, ready, given.corpus)
        return
    given.work.mkdir(parents=True, exist_ok=True)
    path = given.work / "latency.db"
    model = ProjectionEmbedder()
    with Memory(path, model=model, settings=Settings()) as memory:
        rows = islice(passages(given.corpus), memory.stats().chunks, None)
        for size in given.sizes:
            rates = fill(memory, model, rows, size)
            stats = memory.stats()
            read_once(path)
            above = stats.file_bytes - text_bytes(given.corpus, size) - 4 * 384 * stats.chunks
            result: dict[str, Any] = {
                "chunks": stats.chunks,
                "write_per_s": {
                    "first": round(rates[0]) if rates else None,
                    "last": round(float(np.median(rates[-4:]))) if rates else None,
                },
                "file_mb": round(stats.file_bytes / 2**20, 1),
                "bytes_above_text_and_vector": round(above / stats.chunks),
                **searched(memory, model, given.corpus),
                **service_memory(path, model, given.corpus),
            }
            print(json.dumps(result), flush=True)
            append_row(given.results, {"bench": "latency", **result})


if __name__ == "__main__":
    main()
