"""Tiny judged sets for tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["CORPUS", "QRELS", "QUERIES", "write_set"]

CORPUS: Sequence[Mapping[str, Any]] = (
    {"_id": "tea", "title": "Tea", "text": "Ada drinks green tea in the morning."},
    {"_id": "port", "title": "Ports", "text": "The staging server listens on port 8090."},
    {"_id": "train", "title": "The night train to Vienna leaves at ten.", "text": ""},
    {"_id": "bread", "title": "", "text": "Bread needs flour and water.", "metadata": {"a": "x"}},
)
QUERIES: Sequence[Mapping[str, Any]] = (
    {"_id": "q1", "text": "which port has the staging server", "metadata": {"a": "x"}},
    {"_id": "q2", "text": "night train to Vienna"},
    {"_id": "q3", "text": "green tea"},
)
QRELS = ("q1\tport\t1", "q2\ttrain\t2", "q3\ttea\t1", "q3\tbread\t0")


def write_set(
    folder: Path,
    *,
    corpus: Iterable[Mapping[str, Any]] = CORPUS,
    queries: Iterable[Mapping[str, Any]] = QUERIES,
    qrels: Iterable[str] = QRELS,
    split: str = "test",
) -> Path:
    """Write a judged set in BEIR layout."""
    (folder / "qrels").mkdir(parents=True)
    for name, lines in (("corpus", corpus), ("queries", queries)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    rows = "\n".join(["query-id\tcorpus-id\tscore", *qrels])
    (folder / "qrels" / f"{split}.tsv").write_text(rows + "\n", encoding="utf-8")
    return folder
