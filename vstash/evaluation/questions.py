"""A small set made by hand: questions and the keys of the documents that answer them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from vstash.errors import DocumentNotFoundError, EvaluationError
from vstash.evaluation.judged import JudgedQuery, JudgedSet, judged_set, known_only
from vstash.evaluation.lines import broken, json_lines, table_rows
from vstash.memory import Memory
from vstash.types import JsonObject

__all__ = ["in_memory", "load_queries"]

_DELIMITERS: Final = {".csv": ",", ".tsv": "\t"}


class _Line(msgspec.Struct):
    query: str
    expected: str | list[str]
    metadata: dict[str, Any] | None = None


def load_queries(path: str | os.PathLike[str], *, collection: str | None = None) -> JudgedSet:
    """Read questions with the documents expected for them.

    Args:
        path: JSON Lines of ``{"query": ..., "expected": KEY or [KEY, ...]}``, with ``metadata`` if
            you like, or a .csv or .tsv with the columns ``query`` and ``expected``. Lines with the
            same query count together.
        collection: Where they are searched; None for ``default``.

    Raises:
        PathNotFoundError: When it cannot be read.
        EvaluationError: When a line is broken, or there is none.
    """
    source = Path(path)
    found: dict[str, JudgedQuery] = {}
    for number, text, keys, metadata in _lines(source):
        if not text.strip():
            raise broken(source, number, "the query has no text.")
        if not keys or not all(keys):
            raise broken(source, number, "no document is expected.")
        known = found.get(text)
        judgements = {} if known is None else dict(known.judgements)
        judgements.update(dict.fromkeys(keys, 1))
        found[text] = JudgedQuery(
            str(number) if known is None else known.id,
            text,
            judgements,
            metadata if known is None else {**known.metadata, **metadata},
            collection,
        )
    return judged_set(source.stem, list(found.values()))


def in_memory(memory: Memory, judged: JudgedSet) -> JudgedSet:
    """The set without the expected documents that a file does not hold.

    Args:
        memory: The file.
        judged: The set.

    Raises:
        EvaluationError: When no query is left.
    """
    known = set()
    for query in judged.queries:
        for key in query.judgements:
            if (query.collection, key) not in known and _has(memory, query.collection, key):
                known.add((query.collection, key))
    return known_only(judged, known)


def _has(memory: Memory, collection: str | None, key: str) -> bool:
    try:
        memory.get(key=key, collection=collection)
    except DocumentNotFoundError:
        return False
    return True


def _lines(source: Path) -> Iterator[tuple[int, str, list[str], JsonObject]]:
    delimiter = _DELIMITERS.get(source.suffix.lower())
    if delimiter is not None:
        for number, (text, key) in table_rows(source, ("query", "expected"), delimiter=delimiter):
            yield number, text, [key], {}
    elif source.suffix.lower() in {".jsonl", ".ndjson"}:
        for number, _, line in json_lines(source, _Line):
            keys = [line.expected] if isinstance(line.expected, str) else line.expected
            yield number, line.query, keys, line.metadata or {}
    else:
        raise EvaluationError(
            "Questions are read from .jsonl, .csv and .tsv files.",
            pointer="/queries",
            local_detail=str(source),
        )
