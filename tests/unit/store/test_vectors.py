"""The vector leg: exact on small files, by sign codes on large ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vstash.store.connection import fetch
from vstash.store.rows import ChunkRow, DocumentRow
from vstash.store.sqlite import SqliteStore
from vstash.store.vectors import EXACT_LIMIT, cosines, sample, sign_codes, vector_leg
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

COUNT = 5_000
DIMENSION = 64
INFO = ModelInfo("made", DIMENSION, "0" * 64, 512)


def unit(vectors: Any) -> FloatArray:
    """Rows of length 1."""
    made: FloatArray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return made


@pytest.fixture(scope="module")
def matrix() -> FloatArray:
    """Vectors in loose clusters, as those of texts are."""
    rng = np.random.default_rng(7)
    centres = rng.standard_normal((40, DIMENSION))
    return unit(centres[rng.integers(0, 40, COUNT)] + rng.standard_normal((COUNT, DIMENSION)))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, matrix: FloatArray) -> Path:
    """A file with more chunks than are compared exactly; chunk i + 1 has row i."""
    target = tmp_path_factory.mktemp("vectors") / "x.db"
    store = SqliteStore(target)
    text = "x" * COUNT
    chunks = [
        ChunkRow(number, number + 1, (), 1, ("", "", f"w{number}"), vector)
        for number, vector in enumerate(matrix)
    ]
    row = DocumentRow("id", "default", "key", "", text, "{}", (), "text/plain", "0", None)
    with store.write() as writer:
        writer.use_model(INFO)
        writer.put(row, chunks, now=1)
    store.close()
    return target


def best(matrix: FloatArray, query: FloatArray, depth: int, among: IdArray) -> list[int]:
    """What an exact comparison lists."""
    scores = matrix[among - 1] @ query
    return [int(among[i]) for i in np.lexsort((among, -scores))[:depth]]


@pytest.mark.parametrize("share", [None, 0.95, 0.5, 0.01])
def test_the_coarse_path_agrees_with_the_exact_one(
    path: Path, matrix: FloatArray, share: float | None
) -> None:
    """Of the true first 10 at least .95 are listed, filtered or not; scores are true cosines."""
    rng = np.random.default_rng(1)
    queries = unit(matrix[rng.integers(0, COUNT, 40)] + 0.08 * rng.standard_normal((40, DIMENSION)))
    every = np.arange(1, COUNT + 1, dtype=np.int64)
    allowed = None if share is None else every[rng.random(COUNT) < share]
    among = every if allowed is None else allowed
    found = 0
    store = SqliteStore(path)
    with store.read() as reader:
        for query in queries:
            leg = reader.vector_leg(1, query, depth=10, allowed=allowed)
            assert np.isin(leg.ids, among).all()
            assert np.allclose(leg.scores, matrix[leg.ids - 1] @ query, atol=1e-6)
            assert (np.diff(leg.scores) <= 0).all()
            found += len({*leg.ids.tolist()} & {*best(matrix, query, 10, among)})
    store.close()
    assert (len(among) > EXACT_LIMIT) == (share in {None, 0.95})
    assert found / 400 >= (0.95 if len(among) > EXACT_LIMIT else 1.0)


@pytest.mark.parametrize("depth", [1, 10, 1000])
def test_the_list_is_as_long_as_asked(path: Path, matrix: FloatArray, depth: int) -> None:
    """A deep list is full, and one beyond what is allowed holds all of it."""
    store = SqliteStore(path)
    few = np.array([3, 5, 4999], dtype=np.int64)
    none = np.empty(0, dtype=np.int64)
    with store.read() as reader:
        assert len(reader.vector_leg(1, matrix[0], depth=depth, allowed=None).ids) == depth
        leg = reader.vector_leg(1, matrix[0], depth=depth, allowed=few)
        assert leg.ids.tolist() == best(matrix, matrix[0], depth, few)
        assert len(reader.vector_leg(1, matrix[0], depth=depth, allowed=none).ids) == 0
    store.close()


def test_ties_are_listed_by_id(tmp_path: Path, matrix: FloatArray) -> None:
    """Chunks with the same vector come in the order of their ids, always."""
    store = SqliteStore(tmp_path / "x.db")
    same = np.repeat(matrix[:1], 9, axis=0)
    chunks = [
        ChunkRow(number, number + 1, (), 1, ("", "", "w"), vector)
        for number, vector in enumerate(same)
    ]
    row = DocumentRow("id", "default", "key", "", "x" * 9, "{}", (), "text/plain", "0", None)
    with store.write() as writer:
        writer.use_model(INFO)
        writer.put(row, chunks, now=1)
    with store.read() as reader:
        leg = reader.vector_leg(1, matrix[0], depth=5, allowed=None)
    store.close()
    assert leg.ids.tolist() == [1, 2, 3, 4, 5]


def test_cosines_are_true_and_by_id(path: Path, matrix: FloatArray) -> None:
    """Scores of any chunks are exact, in ascending order of id, unknown ids left out."""
    store = SqliteStore(path)
    with store.read() as reader:
        asked = np.array([7, 3, 4_000, 99_999], dtype=np.int64)
        ids, scores = cosines(reader._connection, 1, matrix[2], asked)
        everything, _ = cosines(reader._connection, 1, matrix[2], None)
    store.close()
    assert ids.tolist() == [3, 7, 4_000]
    assert np.allclose(scores, matrix[ids - 1] @ matrix[2], atol=1e-6)
    assert scores[0] == pytest.approx(1.0, abs=1e-6)
    assert len(everything) == COUNT


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
    assert everywhere.shape == (min(size, COUNT), DIMENSION)
    assert within.shape == (min(size, 100), DIMENSION)
    known = {bytes(vector) for vector in matrix}
    assert {bytes(vector) for vector in everywhere} <= known
    assert {bytes(vector) for vector in within} <= {bytes(vector) for vector in matrix[:100]}
    if size == 512:
        halves = {bytes(vector) for vector in matrix[COUNT // 2 :]}
        assert 200 < sum(bytes(vector) in halves for vector in everywhere) < 312


def test_an_empty_file_has_an_empty_sample(tmp_path: Path) -> None:
    """Without vectors there is nothing to sample and nothing to list."""
    store = SqliteStore(tmp_path / "x.db")
    query = np.full(DIMENSION, 0.125, dtype=np.float32)
    with store.write() as writer:
        writer.use_model(INFO)
        assert sample(writer._connection, 1, 5, DIMENSION, None).shape == (0, DIMENSION)
        leg = vector_leg(writer._connection, 1, query, depth=3, allowed=None, chunk_count=0)
        assert len(leg.ids) == 0
        assert fetch(writer._connection, "SELECT count(*) FROM coarse_1") == [(0,)]
    store.close()


def test_codes_are_the_signs() -> None:
    """One bit per component, set where it is positive; odd dimensions are filled up."""
    vectors = np.array([[0.5, -0.5, 0.1, 0, 1, -1, 2, -2, 3, -3]], dtype=np.float32)
    assert sign_codes(vectors).tolist() == [[0b10101010, 0b10000000]]
