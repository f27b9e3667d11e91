"""What the tests of the keyword leg share: plain BM25 by FTS5's words, and files to ask."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw
import numpy as np
import pytest

from vstash.pipeline.keyword_leg import KeywordLeg, KeywordScores
from vstash.store.connection import fetch
from vstash.store.rows import ChunkRow, DocumentRow
from vstash.store.sqlite import SqliteStore
from vstash.types import ModelInfo

K1, B = 0.9, 0.4
BUDGET = 64 * 1024 * 1024
VOCABULARY = [f"w{number}" for number in range(60)]


@dataclass(frozen=True)
class State:
    """What a file holds: by chunk the words of title, headings and body."""

    chunks: dict[int, Counter[str]]

    def scores(self, asked: Sequence[str], words: Sequence[str]) -> dict[int, float]:
        """BM25 of every chunk that holds a word, by the formula."""
        lengths = {chunk: max(held.total(), 1) for chunk, held in self.chunks.items()}
        mean = sum(lengths.values()) / max(len(lengths), 1)
        scores: dict[int, float] = {}
        for word, frequency in zip(asked, self.frequencies(asked), strict=True):
            weight = math.log(1 + (len(lengths) - frequency + 0.5) / (frequency + 0.5))
            for chunk, held in self.chunks.items():
                count = min(held[word], 255)
                if count:
                    norm = K1 * (1 - B + B * lengths[chunk] / mean)
                    gain = words.count(word) * weight * count * (K1 + 1) / (count + norm)
                    scores[chunk] = scores.get(chunk, 0.0) + gain
        return scores

    def frequencies(self, asked: Sequence[str]) -> list[int]:
        """In how many chunks each word occurs."""
        return [sum(1 for held in self.chunks.values() if held[word]) for word in asked]


def state(connection: apsw.Connection) -> State:
    """The words of each chunk as FTS5 has them, which the packed postings have no part in."""
    chunks: dict[int, Counter[str]] = {
        row[0]: Counter() for row in fetch(connection, "SELECT id FROM chunk")
    }
    for word, chunk in fetch(connection, "SELECT term, doc FROM keyword_instance"):
        chunks[chunk][word] += 1
    return State(chunks)


def now(path: Path) -> State:
    """The latest state of a file, seen by a connection of its own."""
    connection = apsw.Connection(str(path))
    try:
        return state(connection)
    finally:
        connection.close()


def listed(found: KeywordScores) -> dict[int, float]:
    """The chunks that hold a word, with their scores."""
    return {int(chunk): float(found.scores[chunk]) for chunk in np.flatnonzero(found.scores)}


def compare(leg: KeywordLeg, store: SqliteStore, words: Sequence[str], expected: State) -> None:
    """A query of some words has the scores, frequencies and count of the formula."""
    asked = list(dict.fromkeys(words))
    with store.read() as reader:
        found = leg.score(reader, asked, words)
    assert listed(found) == pytest.approx(expected.scores(asked, words), rel=1e-4)
    assert list(found.frequencies) == expected.frequencies(asked)
    assert found.count == len(expected.chunks)


def put(store: SqliteStore, documents: dict[str, Sequence[str]]) -> None:
    """Store documents in one transaction, each with a chunk for each of its texts."""
    with store.write() as writer:
        for key, texts in documents.items():
            chunks = [
                ChunkRow(i, i + 1, (), 1, ("", "", text), None) for i, text in enumerate(texts)
            ]
            body = "x" * len(texts)
            row = DocumentRow(
                key, "default", key, "", body, "{}", (), "text/plain", "00" * 32, None
            )
            writer.put(row, chunks, now=1)


def delete(store: SqliteStore, key: str) -> None:
    """Remove a document."""
    with store.write() as writer:
        found = writer.document_by_key("default", key, now=1)
        assert found is not None
        writer.delete(found[0])


def opened(path: Path) -> SqliteStore:
    """A store on a file, which has a model from the first time on."""
    store = SqliteStore(path)
    with store.write() as writer:
        if writer.model is None:
            writer.use_model(ModelInfo("made", 64, "0" * 64, 512))
    return store


def planted(store: SqliteStore, *statements: str) -> None:
    """Change the file by hand, without a word to those who have it open."""
    connection = apsw.Connection(str(store.path))
    for statement in statements:
        connection.execute(statement)
    connection.close()
