"""What the fast paths lose: recall of the vector leg against a full scan, nDCG with distractors.

    python -m bench.recall corpus.jsonl --work /tmp/recall --passages 50000 --judged scifact.tar.gz

Real passages (a seeded choice of the corpus) are embedded by the shipped model once, kept below --work,
and stored with these vectors. Questions are runs of 5, 9 and 11 words of passages. Recall is the share
of the true first 10 by exact float32 cosine among the first 10 of ``mode="vector"``. Then the judged
set's documents are added, the passages being distractors, and nDCG@10 of `score` is compared between
the product as it is and the same with every vector compared exactly. Appends to
bench/results/recall.jsonl.
"""

from __future__ import annotations

import argparse
import json
import random
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.latency import questions
from bench.lines import read_lines
from bench.machine import append_row
from vstash import Memory, VstashError
from vstash.embed.catalogue import open_model
from vstash.evaluation import Corpus, JudgedSet, evaluate, load_judged
from vstash.evaluation.beir import documents
from vstash.store import vectors as exact

if TYPE_CHECKING:
    from vstash.types import FloatArray

RESULTS = Path(__file__).parent / "results" / "recall.jsonl"
PART = 2_000
BATCH = 5_000
DOCUMENTS = 256


def chosen(corpus: Path, count: int) -> list[dict[str, Any]]:
    """Passages all over the corpus, in an order of their own."""
    rows = list(read_lines(corpus))
    random.Random(5).shuffle(rows)
    return rows[:count]


def embedded(rows: list[dict[str, Any]], path: Path) -> FloatArray:
    """Vectors of passages, kept in a file; what an earlier run left is gone on with."""
    model = open_model()
    made = np.load(path) if path.exists() else np.empty((0, model.info.dimension), np.float32)
    for start in range(len(made), len(rows), PART):
        texts = [f"{row['title']}\n{row['text']}" for row in rows[start : start + PART]]
        made = np.concatenate([made, model.embed_passages(texts)])
        np.save(path, made)
        print(f"{len(made):,} of {len(rows):,} embedded", flush=True)
    found: FloatArray = made[: len(rows)]
    return found


def recall(memory: Memory, vectors: FloatArray, asked: FloatArray) -> dict[str, float]:
    """Share of the true first 10 that are listed, over all questions and the worst of them."""
    shares = []
    for query in asked:
        tenth = np.sort(vectors @ query)[-10]
        hits = memory.search("x", vector=query, mode="vector", k=10, log=False).hits
        shares.append(sum((hit.vector_score or 0) >= tenth - 1e-6 for hit in hits) / 10)
    return {"recall@10": round(float(np.mean(shares)), 4), "worst": min(shares)}


def compared(memory: Memory, judged: JudgedSet) -> dict[str, float]:
    """nDCG@10 of `score` as it is and with every vector compared."""
    fast = ndcg(memory, judged)
    limit = exact.EXACT_LIMIT
    exact.EXACT_LIMIT = 10**9
    try:
        full = ndcg(memory, judged)
    finally:
        exact.EXACT_LIMIT = limit
    return {"fast": round(fast, 4), "exact": round(full, 4)}


def ndcg(memory: Memory, judged: JudgedSet) -> float:
    """Mean nDCG@10 of `score`."""
    run = evaluate(memory, judged, ways=["score"]).run("score")
    return float(run.values["nDCG@10"].mean())


def ingest(memory: Memory, corpus: Corpus) -> None:
    """Store a judged set's documents; texts that cannot be stored are left out."""
    rows = documents(corpus)
    while batch := list(islice(rows, DOCUMENTS)):
        for result in memory.add_batch(batch):
            if isinstance(result, VstashError) and result.code != "text_invalid":
                raise result


def main() -> None:
    """Measure recall, and the loss in nDCG where a judged set is given."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=50_000)
    parser.add_argument("--judged", type=Path)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    rows = chosen(given.corpus, given.passages)
    vectors = embedded(rows, given.work / "passages.npy")
    asked = [
        q for words, seed in ((11, 1), (9, 3), (5, 4)) for q in questions(given.corpus, words, seed)
    ]
    result: dict[str, Any] = {"passages": len(rows), "questions": len(asked)}
    with Memory(given.work / f"recall-{len(rows)}.db", warm=True) as memory:
        if not memory.stats().chunks:
            for start in range(0, len(rows), BATCH):
                part = rows[start : start + BATCH]
                memory.add_many(
                    [row["text"] for row in part],
                    vectors=vectors[start : start + BATCH],
                    keys=[row["_id"] for row in part],
                    titles=[row["title"] for row in part],
                )
            result |= recall(memory, vectors, open_model().embed_queries(asked))
        if given.judged is not None:
            judged = load_judged(given.judged, unpacked=given.work)
            if judged.corpus is not None:
                ingest(memory, judged.corpus)
            result["ndcg@10"] = {judged.name: compared(memory, judged)}
    print(json.dumps(result))
    append_row(given.results, {"bench": "recall", **result})


if __name__ == "__main__":
    main()
