"""The fast ways to rank give what plain formulas over every chunk give."""

from __future__ import annotations

import math
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vstash import Memory, NewDocument
from vstash.errors import DocumentNotFoundError
from vstash.settings import Settings
from vstash.store.vectors import EXACT_LIMIT
from vstash.testing import FakeEmbedder
from vstash.text.function_words import FUNCTION_WORDS
from vstash.text.normalise import tokens
from vstash.types import Hit

if TYPE_CHECKING:
    from vstash.types import FloatArray

K1, B = 0.9, 0.4
COLLECTIONS = ("default", "other")
SMALL = Settings(chunk_tokens=16, chunk_overlap=4, log_searches="off")

KEYS = st.sampled_from(["a", "b", "c", "d"])
PLACES = st.tuples(st.sampled_from(COLLECTIONS), KEYS)
WORDS = st.sampled_from(
    ["amber", "basil", "cedar", "lamps", "HTTPServer2", "the", "of", "naïve", "東京", ".", "\n\n"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=40).map(" ".join).filter(str.strip) | st.sampled_from(
    ["# Amber\n\nbasil lamp\n\n## Cedar\n\n" + "the lamp of cedar. " * 12, "amber " * 300, "..."]
)
TITLES = st.sampled_from(["", "amber", "the lamp of basil"])
QUERIES = st.lists(
    st.sampled_from(
        ["amber", "basil", "cedar", "lamp", "http", "the", "of", "naive", "東京", "no"]
    ),
    min_size=1,
    max_size=6,
).map(" ".join)


@dataclass(frozen=True)
class Add:
    """Add a document, or replace what has its key."""

    place: tuple[str, str]
    text: str
    title: str


@dataclass(frozen=True)
class Batch:
    """Add several in one transaction; keys may repeat."""

    documents: list[tuple[str, str]]


@dataclass(frozen=True)
class Update:
    """Change the title, which is indexed with every chunk."""

    place: tuple[str, str]
    title: str


@dataclass(frozen=True)
class Delete:
    """Remove a document."""

    place: tuple[str, str]


@dataclass(frozen=True)
class Search:
    """Make the file's other user bring up to date what it keeps."""

    query: str


Step = Add | Batch | Update | Delete | Search
STEPS = st.lists(
    st.builds(Add, PLACES, TEXTS, TITLES)
    | st.builds(Batch, st.lists(st.tuples(KEYS, TEXTS), min_size=1, max_size=4))
    | st.builds(Update, PLACES, TITLES)
    | st.builds(Delete, PLACES)
    | st.builds(Search, QUERIES),
    max_size=30,
)


def take(step: Step, writer: Memory, reader: Memory) -> None:
    """Apply one step; one about a document that is not there changes nothing."""
    try:
        if isinstance(step, Add):
            collection, key = step.place
            writer.add(step.text, key=key, collection=collection, title=step.title)
        elif isinstance(step, Batch):
            writer.add_batch([NewDocument(text, key=key) for key, text in step.documents])
        elif isinstance(step, Update):
            writer.update(key=step.place[1], collection=step.place[0], title=step.title)
        elif isinstance(step, Delete):
            writer.delete(key=step.place[1], collection=step.place[0])
        else:
            reader.search(step.query, mode="keyword")
    except DocumentNotFoundError:
        assert isinstance(step, Update | Delete)


@dataclass(frozen=True)
class Plain:
    """A chunk's place and the words of its title, headings and body together."""

    collection: str
    words: Counter[str]

    @property
    def length(self) -> int:
        """In words; a chunk without any counts as one."""
        return max(self.words.total(), 1)


def every_chunk(memory: Memory) -> dict[int, Plain]:
    """All chunks of a file, which vectors list whether or not they hold a word."""
    found = {}
    for collection in COLLECTIONS:
        for hit in memory.search("x", mode="vector", collection=collection, k=1000).hits:
            columns = (hit.document.title, "\n".join(hit.chunk.heading), hit.text)
            counted = Counter(word for column in columns for word in tokens(column))
            found[hit.chunk.id] = Plain(collection, counted)
    return found


def plain_bm25(chunks: dict[int, Plain], query: str) -> dict[int, float]:
    """BM25 of every chunk that holds a word, by the formula."""
    asked = Counter(token for token in tokens(query) if token not in FUNCTION_WORDS)
    mean = sum(chunk.length for chunk in chunks.values()) / max(len(chunks), 1)
    scores: dict[int, float] = {}
    for word, times in asked.items():
        frequency = sum(1 for chunk in chunks.values() if chunk.words[word])
        weight = math.log(1 + (len(chunks) - frequency + 0.5) / (frequency + 0.5))
        for number, chunk in chunks.items():
            count = min(chunk.words[word], 255)
            if count:
                norm = K1 * (1 - B + B * chunk.length / mean)
                gain = times * weight * count * (K1 + 1) / (count + norm)
                scores[number] = scores.get(number, 0.0) + gain
    return scores


def compare(memory: Memory, chunks: dict[int, Plain], query: str) -> None:
    """A keyword search lists the chunks that hold a word, with their scores and in their order."""
    scores = plain_bm25(chunks, query)
    for collection in COLLECTIONS:
        hits = memory.search(query, mode="keyword", collection=collection, k=1000).hits
        listed = {hit.chunk.id: hit.keyword_score for hit in hits}
        assert len(listed) == len(hits)
        expected = {
            number: score
            for number, score in scores.items()
            if chunks[number].collection == collection
        }
        assert listed == pytest.approx(expected, rel=1e-4)
        assert_ordered(hits, expected)


def assert_ordered(hits: Sequence[Hit], expected: dict[int, float]) -> None:
    """The best first; what float32 cannot tell apart may change places, what is equal may not."""
    for before, after in pairwise(hits):
        assert expected[before.chunk.id] >= expected[after.chunk.id] * (1 - 1e-4)
        if before.keyword_score == after.keyword_score:
            assert before.chunk.id < after.chunk.id


@given(steps=STEPS, queries=st.lists(QUERIES, min_size=1, max_size=3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_keyword_search_is_plain_bm25(steps: list[Step], queries: list[str]) -> None:
    """After any writes, both who wrote and who kept the file open rank by the formula."""
    with tempfile.TemporaryDirectory(prefix="vstash-plain-") as folder:
        path = Path(folder) / "x.db"
        with (
            Memory(path, model="fake", settings=SMALL) as writer,
            Memory(path, model="fake", settings=SMALL) as reader,
        ):
            for collection in COLLECTIONS:
                writer.add("the first cedar", key="first", collection=collection)
            for step in steps:
                take(step, writer, reader)
            chunks = every_chunk(writer)
            for query in queries:
                compare(writer, chunks, query)
                compare(reader, chunks, query)
            assert writer.check().findings == ()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_keyword_search_is_plain_bm25_through_many_merges(tmp_path: Path, seed: int) -> None:
    """Hundreds of commits, with removals, whose segments were merged several times over."""
    rng = random.Random(seed)
    words = [f"word{number}x" for number in range(300)]
    with (
        Memory(tmp_path / "x.db", model="fake", settings=SMALL) as writer,
        Memory(tmp_path / "x.db", model="fake", settings=SMALL) as reader,
    ):
        writer.add("word1x", key="first", collection="other")
        for number in range(150):
            text = " ".join(rng.choices(words, weights=range(300, 0, -1), k=rng.randint(1, 60)))
            writer.add(text, key=str(rng.randrange(90)))
            if number % 4 == 0:
                take(Delete(("default", str(rng.randrange(90)))), writer, reader)
            if number % 30 == 0:
                reader.search(text, mode="keyword")
        chunks = every_chunk(writer)
        assert len(chunks) > 100
        for _ in range(20):
            query = " ".join(rng.choices(words, k=rng.randint(1, 8)))
            compare(writer, chunks, query)
            compare(reader, chunks, query)


COUNT = 5_000
# As long as those of the shipped model: codes of 64 bits say too little.
LONG = FakeEmbedder(384)
VOCABULARY = [f"term{number}" for number in range(400)]


def tiny(count: int, seed: int) -> list[str]:
    """Distinct short texts of few words."""
    rng = random.Random(seed)
    return [
        f"{' '.join(rng.choices(VOCABULARY, k=rng.randint(4, 9)))} n{seed}x{number}"
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with more documents than are compared exactly, added in batches."""
    path = tmp_path_factory.mktemp("many") / "x.db"
    texts = tiny(COUNT, 1)
    with Memory(path, model=LONG) as memory:
        for start in range(0, COUNT, 1_000):
            batch = [NewDocument(text, key=text) for text in texts[start : start + 1_000]]
            memory.add_batch(batch)
    return path


def recall(memory: Memory, texts: list[str], matrix: FloatArray, queries: list[str]) -> float:
    """Share of the hits that are among the true first 10; every hit's cosine is the true one."""
    place = {text: number for number, text in enumerate(texts)}
    found = 0
    for query, vector in zip(queries, LONG.embed_queries(queries), strict=True):
        cosines = matrix @ vector
        tenth = np.sort(cosines)[-10]
        hits = memory.search(query, mode="vector", k=10, log=False).hits
        assert len({hit.text for hit in hits}) == 10
        for hit in hits:
            true = cosines[place[hit.text]]
            assert hit.vector_score == pytest.approx(true, abs=1e-5)
            found += bool(true >= tenth - 1e-6)
        scores = [hit.vector_score or 0.0 for hit in hits]
        assert scores == sorted(scores, reverse=True)
    return found / (10 * len(queries))


@pytest.mark.parametrize("in_memory", [True, False])
def test_vector_search_is_exact_cosine(many: Path, *, in_memory: bool, tmp_path: Path) -> None:
    """Above the limit of the exact comparison at least .95 of the true first 10 are listed."""
    texts = tiny(COUNT, 1)
    assert len(texts) > EXACT_LIMIT
    path = tmp_path / "x.db"
    path.write_bytes(many.read_bytes())
    queries = tiny(30, 2)
    chosen = Settings(codes_in_memory=in_memory, log_searches="off")
    with Memory(path, model=LONG, settings=chosen) as memory:
        matrix = LONG.embed_passages(texts)
        assert recall(memory, texts, matrix, queries) >= 0.95
        # What is kept in memory now follows what another user of the file adds and removes.
        added = tiny(300, 3)
        with Memory(path, model=LONG) as other:
            other.add_batch([NewDocument(text, key=text) for text in added])
            for text in texts[:60]:
                other.delete(key=text)
        left = texts[60:] + added
        matrix = LONG.embed_passages(left)
        assert recall(memory, left, matrix, queries + added[:20]) >= 0.95
