"""The vector leg: exact on small files, by sign codes on large ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vstash.store import vectors
from vstash.store.connection import fetch
from vstash.store.rows import ChunkRow, DocumentRow
from vstash.store.sqlite import SqliteStore
from vstash.store.vectors import EXACT_LIMIT, coarse, cosines, sample, sign_codes
from vstash.store.writer import Writer
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

COUNT = 5_000
DIMENSION = 64
INFO = ModelInfo("made", DIMENSION, "0" * 64, 512)


def unit(rows: Any) -> FloatArray:
    """Rows of length 1."""
    made: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
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


def put(writer: Writer, key: str, rows: FloatArray) -> int:
    """Store a document with a chunk for each vector."""
    chunks = [
        ChunkRow(number, number + 1, (), 1, ("", "", "w"), vector)
        for number, vector in enumerate(rows)
    ]
    text = "x" * len(rows)
    row = DocumentRow(key, "default", key, "", text, "{}", (), "text/plain", "0", None)
    return writer.put(row, chunks, now=1)


def best(matrix: FloatArray, query: FloatArray, depth: int, among: IdArray) -> list[int]:
    """What an exact comparison lists."""
    scores = matrix[among - 1] @ query
    return [int(among[i]) for i in np.lexsort((among, -scores))[:depth]]


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("share", [None, 0.95, 0.5, 0.01])
def test_the_coarse_paths_agree_with_the_exact_one(
    path: Path, matrix: FloatArray, *, share: float | None, in_memory: bool
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
            leg = reader.vector_leg(1, query, depth=10, allowed=allowed, in_memory=in_memory)
            assert np.isin(leg.ids, among).all()
            assert np.allclose(leg.scores, matrix[leg.ids - 1] @ query, atol=1e-6)
            assert (np.diff(leg.scores) <= 0).all()
            found += len({*leg.ids.tolist()} & {*best(matrix, query, 10, among)})
    store.close()
    assert (len(among) > EXACT_LIMIT) == (share in {None, 0.95})
    assert found / 400 >= (0.95 if len(among) > EXACT_LIMIT else 1.0)


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("depth", [1, 10, 1000])
def test_the_list_is_as_long_as_asked(
    path: Path, matrix: FloatArray, *, depth: int, in_memory: bool
) -> None:
    """A deep list is full, and one beyond what is allowed holds all of it."""
    store = SqliteStore(path)
    few = np.array([3, 5, 4999], dtype=np.int64)
    none = np.empty(0, dtype=np.int64)
    with store.read() as reader:
        lists = [
            reader.vector_leg(1, matrix[0], depth=depth, allowed=allowed, in_memory=in_memory).ids
            for allowed in (None, few, none)
        ]
    store.close()
    assert len(lists[0]) == depth
    assert lists[1].tolist() == best(matrix, matrix[0], depth, few)
    assert len(lists[2]) == 0


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("gone", [("near",), ("near", "bulk"), ("bulk",)])
def test_what_was_removed_takes_no_place(
    tmp_path: Path, *, gone: tuple[str, ...], in_memory: bool
) -> None:
    """After the nearest chunks or half the file are removed, the rest is found as before."""
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((9_500, DIMENSION))
    query = unit(rng.standard_normal((1, DIMENSION)))[0]
    noise[:1_000] += 12 * query
    matrix = unit(noise)
    places = {"near": slice(0, 1_000), "rest": slice(1_000, 5_500), "bulk": slice(5_500, 9_500)}
    store = SqliteStore(tmp_path / "x.db")
    numbers = {}
    with store.write() as writer:
        writer.use_model(INFO)
        for key, place in places.items():
            numbers[key] = put(writer, key, matrix[place])
    with store.read() as reader:
        leg = reader.vector_leg(1, query, depth=10, allowed=None, in_memory=in_memory)
        assert (leg.ids <= 1_000).all()
    with store.write() as writer:
        for key in gone:
            writer.delete(numbers[key])
    left = np.arange(1, 9_501, dtype=np.int64)
    for key in gone:
        left = left[~np.isin(left, np.arange(1, 9_501)[places[key]])]
    with store.read() as reader:
        assert reader.chunk_count == len(left) > EXACT_LIMIT
        leg = reader.vector_leg(1, query, depth=10, allowed=None, in_memory=in_memory)
    store.close()
    assert np.isin(leg.ids, left).all()
    assert len({*leg.ids.tolist()} & {*best(matrix, query, 10, left)}) >= 8


@pytest.mark.parametrize("depth", [1, 10, 1000, 4096])
def test_the_survivors_of_codes_are_bounded(path: Path, matrix: FloatArray, depth: int) -> None:
    """sqlite-vec's scan gives ascending ids, allowed ones only, and never more than it can."""
    store = SqliteStore(path)
    allowed = np.arange(2, COUNT + 1, 2, dtype=np.int64)
    with store.read() as reader:
        run = reader._connection
        found = coarse(run, 1, matrix[0], depth=depth, allowed=None)
        within = coarse(run, 1, matrix[0], depth=depth, allowed=allowed)
    store.close()
    assert len(found) == min(max(800, 4 * depth), EXACT_LIMIT)
    assert (np.diff(found) > 0).all()
    assert found[0] == 1
    assert np.isin(within, allowed).all()
    assert len(within) == min(len(found), len(allowed))


def test_the_best_are_chosen_among_those_given(path: Path, matrix: FloatArray) -> None:
    """Only what is among them is scored, each by its true cosine; None means every chunk."""
    store = SqliteStore(path)
    among = np.array([9, 11, 4000, 99_999], dtype=np.int64)
    with store.read() as reader:
        some = vectors.best(reader._connection, 1, matrix[10], depth=2, among=among)
        every = vectors.best(reader._connection, 1, matrix[10], depth=7, among=None)
    store.close()
    assert some.ids.tolist() == best(matrix, matrix[10], 2, among[:3])
    assert np.allclose(some.scores, matrix[some.ids - 1] @ matrix[10], atol=1e-6)
    assert every.ids.tolist() == best(matrix, matrix[10], 7, np.arange(1, COUNT + 1))


def test_ties_are_listed_by_id(tmp_path: Path, matrix: FloatArray) -> None:
    """Chunks with the same vector come in the order of their ids, always."""
    store = SqliteStore(tmp_path / "x.db")
    same = np.repeat(matrix[:1], 9, axis=0)
    with store.write() as writer:
        writer.use_model(INFO)
        put(writer, "key", same)
    with store.read() as reader:
        leg = reader.vector_leg(1, matrix[0], depth=5, allowed=None, in_memory=True)
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
        for in_memory in (True, False):
            leg = writer.vector_leg(1, query, depth=3, allowed=None, in_memory=in_memory)
            assert len(leg.ids) == 0
        assert fetch(writer._connection, "SELECT count(*) FROM coarse_1") == [(0,)]
    store.close()


def test_codes_are_the_signs() -> None:
    """One bit per component, set where it is positive; odd dimensions are filled up."""
    row = np.array([[0.5, -0.5, 0.1, 0, 1, -1, 2, -2, 3, -3]], dtype=np.float32)
    assert sign_codes(row).tolist() == [[0b10101010, 0b10000000]]
