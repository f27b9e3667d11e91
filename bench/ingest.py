"""Ingest with the shipped model against the model alone; unchanged files; one text at a time.

    python -m bench.ingest corpus.jsonl --work /tmp/ingest

The corpus is JSON Lines with `_id`, `title` and `text`; its passages become Markdown files, twenty to a
file. The model's own best rate is that of the same chunks, one text a run on all cores, nothing else
done; it is measured before and after, since a machine's speed drifts. Prints a row and appends it to
bench/results/ingest.jsonl.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from bench.lines import read_lines
from bench.machine import append_row
from vstash import Memory
from vstash.embed.catalogue import open_model
from vstash.text.chunk import passage

RESULTS = Path(__file__).parent / "results" / "ingest.jsonl"
TO_A_FILE = 20


def write_files(corpus: Path, folder: Path, passages: int) -> None:
    """Passages as Markdown files with a heading each; chosen all over the corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(islice(read_lines(corpus), 0, None, 97))[:passages]
    for start in range(0, len(rows), TO_A_FILE):
        part = rows[start : start + TO_A_FILE]
        text = "\n\n".join(f"## {row['title']} {row['_id']}\n\n{row['text']}" for row in part)
        (folder / f"{start:06}.md").write_text(text, encoding="utf-8")


def model_rate(passages: Sequence[str]) -> float:
    """Passages a second of the shipped model, best way of running it."""
    model = open_model()
    model.embed_passages(passages[:8])
    start = time.perf_counter()
    model.embed_passages(passages)
    return len(passages) / (time.perf_counter() - start)


def stored_passages(path: Path) -> list[str]:
    """What was embedded for each chunk of a file."""
    with Memory(path) as memory:
        texts = []
        for document in memory.list(limit=1000).items:
            whole = memory.get(document.id)
            hits = memory.search("a", mode="vector", k=1000, filter={"id": {"eq": whole.id}})
            texts += [passage(whole.title, hit.chunk.heading, hit.text) for hit in hits.hits]
    return texts


def fresh(path: Path) -> Path:
    """A place where no file is."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return path


def ingest_rates(folder: Path, work: Path) -> dict[str, float]:
    """Chunks a second of an ingest, now and with vectors for later, against the model alone."""
    path = fresh(work / "now.db")
    with Memory(path, warm=True) as memory:
        memory.search("warm up") if memory.stats().chunks else memory.add("warm up")
        report = memory.ingest(folder)
    passages = stored_passages(path)
    alone = model_rate(passages)
    with Memory(fresh(work / "again.db"), warm=True) as memory:
        memory.add("warm up")
        second = memory.ingest(folder)
    rates = [report.chunks / report.seconds, second.chunks / second.seconds]
    with Memory(fresh(work / "later.db")) as memory:
        later = memory.ingest(folder, embed="later")
    return {
        "chunks": report.chunks,
        "ingest_per_s": round(max(rates), 1),
        "model_per_s": round(alone, 1),
        "share_of_model": round(max(rates) / alone, 3),
        "later_per_s": round(later.chunks / later.seconds, 1),
    }


def unchanged_s(work: Path, files: int = 10_000) -> float:
    """Seconds to ingest that many files again, of which none changed."""
    folder = work / "many"
    folder.mkdir(exist_ok=True)
    for number in range(files):
        path = folder / f"{number % 100:02}" / f"{number}.md"
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_text(f"# Note {number}\n\nnumber {number}\n", encoding="utf-8")
    with Memory(work / "many.db", model="fake") as memory:
        memory.ingest(folder)
        return memory.ingest(folder).seconds


def single_adds(work: Path, corpus: Path, count: int) -> dict[str, float]:
    """Milliseconds of `add` with embedding, durable, for short texts; p50 and p99."""
    texts = [row["text"][:120] for row in islice(read_lines(corpus), count)]
    spent = []
    with Memory(fresh(work / "single.db"), warm=True) as memory:
        memory.add("warm up")
        for text in texts:
            start = time.perf_counter()
            memory.add(text)
            spent.append(1000 * (time.perf_counter() - start))
    return {
        "p50": round(float(np.median(spent)), 2),
        "p99": round(float(np.percentile(spent, 99)), 2),
    }


def main() -> None:
    """Measure all of it once."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=2_000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--adds", type=int, default=300)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    folder = given.work / f"files-{given.passages}"
    write_files(given.corpus, folder, given.passages)
    result = {
        **ingest_rates(folder, given.work),
        "files": given.files,
        "unchanged_files_s": round(unchanged_s(given.work, given.files), 2),
        "add_ms": single_adds(given.work, given.corpus, given.adds),
    }
    print(json.dumps(result))
    append_row(given.results, {"bench": "ingest", **result})


if __name__ == "__main__":
    main()
