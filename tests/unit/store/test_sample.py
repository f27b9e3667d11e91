"""Samples of vectors: spread over the file, and told apart by what they depend on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from vstash.store.rows import ChunkRow, DocumentRow
from vstash.store.sqlite import SqliteStore
from vstash.store.vectors import sample
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray

COUNT = 5_000
STEP = 128
DIMENSION = 16


@pytest.fixture(scope="module")
def matrix() -> FloatArray:
    """Vectors in every direction."""
    rows = np.random.default_rng(7).standard_normal((COUNT, DIMENSION))
    made: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return made


def opened(path: Path) -> SqliteStore:
    """A new file with a model."""
    store = SqliteStore(path)
    with store.write() as writer:
        writer.use_model(ModelInfo("made", DIMENSION, "0" * 64, 512))
    return store


def put(store: SqliteStore, key: str, rows: Sequence[FloatArray | None]) -> None:
    """Store a document with a chunk for each vector, or for each that is still awaited."""
    chunks = [ChunkRow(n, n + 1, (), 1, ("", "", "w"), vector) for n, vector in enumerate(rows)]
    text = "x" * len(rows)
    row = DocumentRow(key, "default", key, "", text, "{}", (), "text/plain", "00" * 32, None)
    with store.write() as writer:
        writer.put(row, chunks, now=1)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, matrix: FloatArray) -> Path:
    """A file whose chunk i + 1 has row i."""
    target = tmp_path_factory.mktemp("sample") / "x.db"
    store = opened(target)
    put(store, "key", list(matrix))
    store.close()
    return target


@pytest.mark.parametrize("size", [1, 512, 10_000])
def test_a_sample_is_spread_over_the_file(path: Path, matrix: FloatArray, size: int) -> None:
    """A sample has at most the size asked for, from the whole file or from what is allowed."""
    store = SqliteStore(path)
    with store.read() as reader:
        run = reader._connection
        everywhere = sample(run, 1, size, DIMENSION, None)
        allowed = np.arange(1, 101, dtype=np.int64)
        within = sample(run, 1, size, DIMENSION, allowed)
    store.close()
    # What is newer than the last whole step of a large file, 2 or 3 % of it, is left out.
    assert everywhere.shape == (min(size, COUNT // STEP * STEP), DIMENSION)
    assert within.shape == (min(size, 100), DIMENSION)
    known = {bytes(vector) for vector in matrix}
    assert {bytes(vector) for vector in everywhere} <= known
    assert {bytes(vector) for vector in within} <= {bytes(vector) for vector in matrix[:100]}
    if size == 512:
        halves = {bytes(vector) for vector in matrix[COUNT // 2 :]}
        assert 200 < sum(bytes(vector) in halves for vector in everywhere) < 312


def test_a_file_without_vectors_has_an_empty_sample(tmp_path: Path, matrix: FloatArray) -> None:
    """Neither an empty file nor one whose chunks all await a vector has anything to sample."""
    store = opened(tmp_path / "x.db")
    for held in range(2):
        with store.read() as reader:
            assert reader.chunk_count == 3 * held
            assert reader.sample(1, 5, DIMENSION, None).shape == (0, DIMENSION)
            allowed = np.array([1, 2], dtype=np.int64)
            assert reader.sample(1, 5, DIMENSION, allowed).shape == (0, DIMENSION)
        if not held:
            put(store, "later", [None] * 3)
    with store.write() as writer:
        assert writer.embed(np.array([2]), matrix[:1]) == 1
    with store.read() as reader:
        assert reader.sample(1, 5, DIMENSION, None).tolist() == matrix[:1].tolist()
    store.close()


def seen(store: SqliteStore) -> tuple[tuple[int, ...], bytes]:
    """The state that a sample depends on, and a sample."""
    with store.read() as reader:
        return reader.sample_state(1), bytes(reader.sample(1, 512, DIMENSION, None))


def test_a_sample_changes_with_its_state_alone(tmp_path: Path, matrix: FloatArray) -> None:
    """While chunks are added and the state stays, the sample stays; it grows by a few percent."""
    store = opened(tmp_path / "x.db")
    states: list[tuple[int, ...]] = []
    before = None
    for start in range(0, 3_000, 25):
        put(store, str(start), list(matrix[start : start + 25]))
        state, drawn = seen(store)
        if before is not None and before[0] == state:
            assert before[1] == drawn
        before = state, drawn
        states.append(state)
        assert 0.96 * (start + 25) <= state[0] <= start + 25
    small = [state for state in states if state[0] < 1_000]
    assert len(set(small)) == len(small) == 39
    assert len(set(states)) < 39 + 60
    store.close()


def test_a_removal_or_a_late_vector_changes_the_state(tmp_path: Path, matrix: FloatArray) -> None:
    """What a sample may hold no more, and what it should reach now, makes it be drawn again."""
    store = opened(tmp_path / "x.db")
    put(store, "large", list(matrix[:2_000]))
    put(store, "small", list(matrix[2_000:2_001]))
    put(store, "later", [None, None])
    put(store, "last", list(matrix[2_001:2_003]))
    states = [seen(store)[0]]
    with store.write() as writer:
        writer.embed(np.array([2_002]), matrix[2_003:2_004])
    states.append(seen(store)[0])
    with store.write() as writer:
        found = writer.document_by_key("default", "small", now=1)
        assert found is not None
        writer.delete(found[0])
    states.append(seen(store)[0])
    assert states[0] != states[1] != states[2]
    store.close()
