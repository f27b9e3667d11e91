"""What a model is trained on: queries with passages, from a file's log and made queries or from JSON Lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from vstash.errors import (
    ChunkNotFoundError,
    DocumentNotFoundError,
    EvaluationError,
    TrainingError,
)
from vstash.evaluation.lines import broken, json_lines
from vstash.memory import Memory
from vstash.text.chunk import header, passage
from vstash.types import Chunk, Page, Triple, TripleOrigin

__all__ = ["Example", "Passage", "from_file", "from_memory"]

Item = TypeVar("Item")

_PAGE: Final = 200
_LIST: Final = 60


@dataclass(frozen=True, slots=True)
class Passage:
    """A text as it is embedded, without the model's prefix, and the document it is of."""

    text: str
    document: str


@dataclass(frozen=True, slots=True)
class Example:
    """A query, what answers it, and what does not.

    Attributes:
        positive: None where nothing but the fused list is known.
        negatives: In the order of the triples.
        origin: The log, a query made from the corpus, or judgements.
        listed: The fused list of the query, best first; empty where nobody asked.
        scores: Of `listed`.
    """

    query: str
    positive: Passage | None
    negatives: tuple[Passage, ...]
    origin: TripleOrigin
    listed: tuple[Passage, ...] = ()
    scores: tuple[float, ...] = ()


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """A line of a file of examples."""

    query: str
    positive: str
    negatives: list[str] = msgspec.field(default_factory=list)


def from_file(path: Path) -> tuple[Example, ...]:
    """Read examples: one JSON object a line with ``query``, ``positive`` and ``negatives``.

    Each passage counts as a document of its own.

    Args:
        path: Of the file.

    Raises:
        PathNotFoundError: When there is none.
        EvaluationError: When a line is broken, or there is none.
    """
    found = []
    for number, _, line in json_lines(path, _Line):
        if not line.query.strip() or not line.positive.strip():
            raise broken(path, number, "query and positive must not be empty.")
        negatives = tuple(Passage(text, text) for text in line.negatives if text != line.positive)
        positive = Passage(line.positive, line.positive)
        found.append(Example(line.query, positive, negatives, "labelled"))
    if not found:
        raise EvaluationError("There is no example in the file.", local_detail=str(path))
    return tuple(found)


def from_memory(
    memory: Memory,
    *,
    collection: str | None = None,
    lists: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Example, ...]:
    """The examples of a file: its triples, those of one query and positive together, and its queries.

    Args:
        memory: The file.
        collection: Whose; None for ``default``.
        lists: Ask every query of the log, and every made one, and put what was found into the examples.
            Nothing is logged.
        progress: Called with queries that were asked and their number.

    Raises:
        TrainingError: When there is nothing to learn from.
        VstashError: What reading and searching raise.
    """
    chosen = collection or "default"
    reader = _Reader(memory)
    found: dict[tuple[str, int], Example] = {}
    for triple in memory.triples(collection=chosen, texts=False):
        with suppress(ChunkNotFoundError, DocumentNotFoundError):
            _take(found, triple, reader)
    examples = list(found.values())
    if lists:
        examples = list(_listed(memory, chosen, examples, progress))
    if not examples:
        raise TrainingError(
            "There is nothing to learn from yet: search for a while with the log on, or make queries from "
            "the corpus with `vstash learn mine`."
        )
    return tuple(examples)


def _take(found: dict[tuple[str, int], Example], triple: Triple, reader: _Reader) -> None:
    pair = (triple.query, triple.positive_chunk_id)
    made = triple.query if triple.origin == "made" else None
    negative = reader.passage(triple.negative_chunk_id, made)
    known = found.get(pair)
    if known is not None:
        found[pair] = replace(known, negatives=(*known.negatives, negative))
        return
    positive = reader.passage(triple.positive_chunk_id, made)
    found[pair] = Example(triple.query, positive, (negative,), triple.origin)


class _Reader:
    """Chunks of a file as they are embedded."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._titles: dict[str, str] = {}
        self._chunks: dict[int, Chunk] = {}

    def passage(self, chunk_id: int, made: str | None) -> Passage:
        if chunk_id not in self._chunks:
            chunk = self._memory.get_chunk(chunk_id)
            if chunk.document_id not in self._titles:
                self._titles[chunk.document_id] = self._memory.get(
                    chunk.document_id, include=()
                ).title
            self._chunks[chunk_id] = chunk
        chunk = self._chunks[chunk_id]
        return _passage(self._titles[chunk.document_id], chunk, made)


def _passage(title: str, chunk: Chunk, made: str | None) -> Passage:
    # A query that was made from a title or heading would find itself there.
    if made is not None and made.casefold() in header(title, chunk.heading).casefold():
        return Passage(chunk.text, chunk.document_id)
    return Passage(passage(title, chunk.heading, chunk.text), chunk.document_id)


def _listed(
    memory: Memory,
    collection: str,
    examples: Sequence[Example],
    progress: Callable[[int, int], None] | None,
) -> Iterator[Example]:
    """An example for each query with what a search finds, and one for each other positive of it."""
    waiting: dict[str, list[Example]] = {}
    for example in examples:
        waiting.setdefault(example.query, []).append(example)
    for query, origin in _queries(memory, collection):
        waiting.setdefault(query, [Example(query, None, (), origin)])
    for number, (query, known) in enumerate(waiting.items(), 1):
        hits = memory.search(query, k=_LIST, collection=collection, log=False).hits
        made = query if known[0].origin == "made" else None
        yield replace(
            known[0],
            listed=tuple(_passage(hit.document.title, hit.chunk, made) for hit in hits),
            scores=tuple(hit.score for hit in hits),
        )
        yield from known[1:]
        if progress is not None:
            progress(number, len(waiting))


def _queries(memory: Memory, collection: str) -> Iterator[tuple[str, TripleOrigin]]:
    for search in _pages(partial(memory.disagreements, collection=collection)):
        if search.query is not None:
            yield search.query, "search"
    for made in _pages(partial(memory.made_queries, collection=collection)):
        yield made.query, "labelled" if made.form == "labelled" else "made"


def _pages(read: Callable[..., Page[Item]]) -> Iterator[Item]:
    cursor = None
    while True:
        page = read(limit=_PAGE, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
