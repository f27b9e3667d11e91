"""Search latency and write rate by size, on real passages with cheap vectors.

    python -m bench.latency corpus.jsonl --work /tmp/latency --sizes 10000 50000 250000

The corpus is JSON Lines with `title` and `text`. Vectors come from a seeded projection of hashed
words, so that the model's speed does not matter: figures of `embed` are left out of the totals.
Questions are 11 words taken from passages of the corpus; long ones 200. The file made is kept below
--work and grows from size to size. Prints a table and appends rows to bench/results/latency.jsonl.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import time
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.lines import read_lines
from bench.machine import append_row
from vstash import Memory, ModelInfo, NewDocument, VstashError
from vstash.settings import Settings

if TYPE_CHECKING:
    from vstash.types import FloatArray

RESULTS = Path(__file__).parent / "results" / "latency.jsonl"
WORD = re.compile(r"\w+")
BATCH = 500
ROUNDS = 60


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


def fill(memory: Memory, rows: Iterator[dict[str, Any]], count: int) -> float:
    """Store documents until there are ``count`` chunks or the corpus ends; seconds spent."""
    spent = 0.0
    while memory.stats().chunks < count:
        batch = [
            NewDocument(row["text"], key=row["_id"], title=row["title"])
            for row in islice(rows, BATCH)
        ]
        if not batch:
            break
        start = time.perf_counter()
        failed = [item for item in memory.add_batch(batch) if isinstance(item, VstashError)]
        spent += time.perf_counter() - start
        if failed:
            raise failed[0]
    return spent


def questions(path: Path, words: int, seed: int) -> list[str]:
    """Runs of words from passages of the corpus."""
    chosen = random.Random(seed)
    texts = [row["text"].split() for row in islice(read_lines(path), 5_000)]
    made: list[str] = []
    while len(made) < ROUNDS:
        pool = [word for text in chosen.sample(texts, 1 + words // 60) for word in text]
        start = chosen.randrange(max(1, len(pool) - words))
        made.append(" ".join(pool[start : start + words]) or "question")
    return made


def percentiles(memory: Memory, asked: Sequence[str], **options: Any) -> dict[str, float]:
    """Milliseconds of a search without embedding: p50, p99, and the median of each stage."""
    totals, stages = [], []
    for question in asked:
        times = memory.search(question, log=False, **options).timings_ms
        totals.append(times["total"] - times.get("embed", 0.0))
        stages.append(times)
    found = {"p50": float(np.median(totals)), "p99": float(np.percentile(totals, 99))}
    for stage in ("filter", "vector", "keyword", "complete", "read"):
        found[stage] = float(np.median([times[stage] for times in stages]))
    return {name: round(value, 2) for name, value in found.items()}


def main() -> None:
    """Grow one file and measure it at each size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000, 250_000])
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    path = given.work / "latency.db"
    rows = read_lines(given.corpus)
    short, long = questions(given.corpus, 11, 1), questions(given.corpus, 200, 2)
    with Memory(path, model=ProjectionEmbedder(), settings=Settings()) as memory:
        for size in given.sizes:
            seconds = fill(memory, rows, size)
            stats = memory.stats()
            memory.search(short[0], log=False)
            result: dict[str, Any] = {
                "chunks": stats.chunks,
                "write_s": round(seconds, 1),
                "file_mb": round(stats.file_bytes / 2**20, 1),
                "short": percentiles(memory, short),
                "long": percentiles(memory, long),
                "filtered": percentiles(memory, short, filter={"title": {"prefix": "lib"}}),
                "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
            print(json.dumps(result), flush=True)
            append_row(RESULTS, {"bench": "latency", **result})


if __name__ == "__main__":
    main()
