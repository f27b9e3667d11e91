"""Retrieval quality on judged sets in BEIR layout, through the product's own path.

    python -m bench.quality FOLDER [FOLDER ...] --work /tmp/quality

A FOLDER holds corpus.jsonl, queries.jsonl and qrels/test.tsv (or is a .tar.gz of such a folder).
Documents go in through `Memory.add_batch`, queries through `Memory.search`, hits are collapsed to
documents (the best chunk stands for its document). The files made are kept below --work and used
again. Prints a table of nDCG@10 and appends one row per set to bench/results/quality.jsonl.
"""

from __future__ import annotations

import argparse
import csv
import math
import tarfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.lines import read_lines
from bench.machine import append_row
from vstash import Memory, NewDocument, VstashError
from vstash.settings import load_settings
from vstash.types import JsonObject, Mode, StrategyName

RESULTS = Path(__file__).parent / "results" / "quality.jsonl"
WAYS: Mapping[str, tuple[Mode, StrategyName | None]] = {
    "vector": ("vector", None),
    "keyword": ("keyword", None),
    "rrf": ("hybrid", "rrf"),
    "adaptive-rrf": ("hybrid", "adaptive-rrf"),
    "score": ("hybrid", "score"),
}
DEPTH = 50


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A corpus with questions and judgements."""

    name: str
    folder: Path
    queries: Mapping[str, tuple[str, JsonObject]]
    judgements: Mapping[str, Mapping[str, int]]


def load(source: Path, work: Path, split: str) -> JudgedSet:
    """Read a judged set, unpacking it first where it is an archive."""
    folder = source
    if source.suffixes[-2:] == [".tar", ".gz"]:
        name = source.name.removesuffix(".tar.gz")
        folder = work / "sets" / name
        if not folder.is_dir():
            with tarfile.open(source) as archive:
                archive.extractall(work / "sets", filter="data")
    judgements: dict[str, dict[str, int]] = {}
    with (folder / "qrels" / f"{split}.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            judgements.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    queries = {
        row["_id"]: (row["text"], row.get("metadata") or {})
        for row in read_lines(folder / "queries.jsonl")
        if row["_id"] in judgements
    }
    return JudgedSet(folder.name, folder, queries, judgements)


def ingest(memory: Memory, judged: JudgedSet) -> float:
    """Store the corpus; documents already there cost next to nothing. Returns seconds."""
    start = time.perf_counter()
    batch: list[NewDocument] = []

    def flush() -> None:
        for result in memory.add_batch(batch):
            if isinstance(result, VstashError) and result.code != "text_invalid":
                raise result
        batch.clear()

    for row in read_lines(judged.folder / "corpus.jsonl"):
        text = row["text"] or row["title"]
        metadata = {
            name: value
            for name, value in (row.get("metadata") or {}).items()
            if isinstance(value, str | int | float | bool)
        }
        batch.append(
            NewDocument(text, key=row["_id"], title=row["title"][:1000], metadata=metadata)
        )
        if len(batch) >= 256:
            flush()
    flush()
    return time.perf_counter() - start


def ndcg(ranked: Sequence[str], judged: Mapping[str, int], depth: int = 10) -> float:
    """The nDCG with linear gains, as trec_eval and BEIR compute it."""
    gains = [judged.get(key, 0) for key in ranked[:depth]]
    best = sorted(judged.values(), reverse=True)[:depth]
    ideal = discounted(best)
    return discounted(gains) / ideal if ideal else 0.0


def discounted(gains: Iterable[int]) -> float:
    """Sum of gains over the logarithm of their rank."""
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def measure(
    memory: Memory, judged: JudgedSet, way: str, filter_field: str | None
) -> tuple[float, float]:
    """Mean nDCG@10 and median milliseconds of one way of searching."""
    mode, strategy = WAYS[way]
    values, times = [], []
    for query_id, (text, metadata) in judged.queries.items():
        where: JsonObject | None = None
        if filter_field is not None:
            where = {f"metadata.{filter_field}": {"eq": metadata[filter_field]}}
        result = memory.search(text, k=DEPTH, mode=mode, strategy=strategy, filter=where, log=False)
        ranked = list(dict.fromkeys(hit.document.key for hit in result.hits))
        values.append(ndcg(ranked, judged.judgements[query_id]))
        times.append(result.timings_ms["total"])
    return sum(values) / len(values), sorted(times)[len(times) // 2]


def main() -> None:
    """Measure every set in every way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="where files are kept")
    parser.add_argument("--split", default="test")
    parser.add_argument("--filter-field", help="metadata of a query that must match")
    parser.add_argument("--chunk-tokens", type=int)
    given = parser.parse_args()
    settings = load_settings(chunk_tokens=given.chunk_tokens)
    print(f"{'set':12} {'docs':>7} {'chunks':>7} " + " ".join(f"{way:>12}" for way in WAYS))
    for source in given.folders:
        judged = load(source, given.work, given.split)
        path = given.work / f"{judged.name}-{settings.chunk_tokens}.db"
        with Memory(path, settings=settings) as memory:
            seconds = ingest(memory, judged)
            stats = memory.stats()
            found = {way: measure(memory, judged, way, given.filter_field) for way in WAYS}
        print(
            f"{judged.name:12} {stats.documents:7} {stats.chunks:7} "
            + " ".join(f"{value:6.3f} {ms:4.0f}ms" for value, ms in found.values()),
            flush=True,
        )
        append_row(
            RESULTS,
            {
                "bench": "quality",
                "set": judged.name,
                "split": given.split,
                "chunk_tokens": settings.chunk_tokens,
                "documents": stats.documents,
                "chunks": stats.chunks,
                "ingest_s": round(seconds, 1),
                "ndcg@10": {way: round(value, 4) for way, (value, _) in found.items()},
                "p50_ms": {way: ms for way, (_, ms) in found.items()},
            },
        )


if __name__ == "__main__":
    main()
