"""The vector leg: exact on small files, by codes on large ones until the first hits are sure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.store.made_vectors import unit
from vstash.store import vectors
from vstash.store.allowed import Allowed
from vstash.store.code_table import Estimates
from vstash.store.connection import fetch
from vstash.store.rows import ChunkRow, DocumentRow, Leg
from vstash.store.session import Reader
from vstash.store.sqlite import SqliteStore
from vstash.store.vectors import EXACT_LIMIT, PLAIN_LIMIT, coarse, cosines, sign_codes
from vstash.store.writer import Writer
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

COUNT = 5_000
DIMENSION = 64
INFO = ModelInfo("made", DIMENSION, "0" * 64, 512)


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
    row = DocumentRow("id", "default", "key", "", text, "{}", (), "text/plain", "00" * 32, None)
    with store.write() as writer:
        writer.use_model(INFO)
        writer.put(row, chunks, now=1)
    store.close()
    return target


def put(writer: Writer, key: str, rows: FloatArray) -> int:
    """Store a document with a chunk for each vector; returns its number."""
    chunks = [
        ChunkRow(number, number + 1, (), 1, ("", "", "w"), vector)
        for number, vector in enumerate(rows)
    ]
    text = "x" * len(rows)
    row = DocumentRow(key, "default", key, "", text, "{}", (), "text/plain", "00" * 32, None)
    writer.put(row, chunks, now=1)
    found = writer.document_by_key("default", key, now=1)
    assert found is not None
    return found[0]


def those(ids: IdArray | None) -> Allowed | None:
    """What a filter that allows these chunks finds."""
    if ids is None:
        return None
    mask = np.zeros(int(ids.max(initial=-1)) + 1, dtype=np.bool_)
    mask[ids] = True
    return Allowed(ids, mask, 0, 2**63 - 1)


def leg_of(
    reader: Reader,
    query: FloatArray,
    *,
    depth: int,
    allowed: IdArray | None,
    in_memory: bool,
    sure: int = 10,
) -> Leg:
    """The reader's list, cut to its depth, after making sure that each chunk comes once."""
    leg = reader.vector_leg(
        1, query, depth=depth, sure=min(sure, depth), allowed=those(allowed), in_memory=in_memory
    )
    assert len(np.unique(leg.ids)) == len(leg.ids) == len(leg.scores)
    return Leg(leg.ids[:depth], leg.scores[:depth])


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
            leg = leg_of(reader, query, depth=10, allowed=allowed, in_memory=in_memory)
            assert np.isin(leg.ids, among).all()
            assert np.allclose(leg.scores, matrix[leg.ids - 1] @ query, atol=1e-6)
            assert (np.diff(leg.scores) <= 0).all()
            found += len({*leg.ids.tolist()} & {*best(matrix, query, 10, among)})
    store.close()
    exact = len(among) <= (EXACT_LIMIT if in_memory else PLAIN_LIMIT)
    assert exact == (share == 0.01 or (share == 0.5 and not in_memory))
    assert found / 400 >= (1.0 if exact else 0.95)


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
            leg_of(reader, matrix[0], depth=depth, allowed=allowed, in_memory=in_memory).ids
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
        leg = leg_of(reader, query, depth=10, allowed=None, in_memory=in_memory)
        assert (leg.ids <= 1_000).all()
    with store.write() as writer:
        for key in gone:
            writer.delete(numbers[key])
    left = np.arange(1, 9_501, dtype=np.int64)
    for key in gone:
        left = left[~np.isin(left, np.arange(1, 9_501)[places[key]])]
    with store.read() as reader:
        assert reader.chunk_count == len(left) > PLAIN_LIMIT
        leg = leg_of(reader, query, depth=10, allowed=None, in_memory=in_memory)
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
    assert len(found) == min(max(800, 4 * depth), PLAIN_LIMIT)
    assert (np.diff(found) > 0).all()
    assert found[0] == 1
    assert np.isin(within, allowed).all()
    assert len(within) == min(len(found), len(allowed))


def test_the_best_are_chosen_among_those_given(path: Path, matrix: FloatArray) -> None:
    """Only what is among them is scored, each by its true cosine; None means every chunk."""
    store = SqliteStore(path)
    among = np.array([9, 11, 4000, 99_999], dtype=np.int64)
    with store.read() as reader:
        some = vectors.best(reader._connection, 1, matrix[10], among=among)
        every = vectors.best(reader._connection, 1, matrix[10], among=None)
    store.close()
    assert some.ids.tolist() == best(matrix, matrix[10], 3, among[:3])
    assert np.allclose(some.scores, matrix[some.ids - 1] @ matrix[10], atol=1e-6)
    assert every.ids[:7].tolist() == best(matrix, matrix[10], 7, np.arange(1, COUNT + 1))
    assert len(every.ids) == COUNT
    assert (np.diff(every.scores) <= 0).all()


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("count", [9, 700])
def test_ties_are_listed_by_id(
    tmp_path: Path, matrix: FloatArray, *, count: int, in_memory: bool
) -> None:
    """Chunks with the same vector come in the order of their ids, always."""
    store = SqliteStore(tmp_path / "x.db")
    with store.write() as writer:
        writer.use_model(INFO)
        # Others among them: equal ones are not beside each other where codes are sorted.
        put(writer, "key", np.stack([matrix[n if n % 3 else 0] for n in range(3 * count)]))
    with store.read() as reader:
        leg = leg_of(reader, matrix[0], depth=5, allowed=None, in_memory=in_memory)
    store.close()
    assert leg.ids.tolist() == [1, 4, 7, 10, 13]


def guessed(matrix: FloatArray, query: FloatArray, error: float) -> Estimates:
    """Estimates of every chunk that are wrong by this deviation, best first."""
    noise = np.random.default_rng(5).standard_normal(COUNT)
    estimates = (matrix @ query + error * noise).astype(np.float32)
    order = np.argsort(-estimates)
    return Estimates(order + 1, estimates[order])


def surest(
    path: Path, query: FloatArray, estimates: Estimates, *, depth: int = 10, sure: int = 10
) -> Leg:
    """What is read for some estimates, after making sure that it is true and each chunk once."""
    store = SqliteStore(path)
    with store.read() as reader:
        leg = vectors.surest(reader._connection, 1, query, estimates, depth=depth, sure=sure)
    store.close()
    assert len(np.unique(leg.ids)) == len(leg.ids) == len(leg.scores)
    assert leg.ids.tolist() == leg.ids[np.lexsort((leg.ids, -leg.scores))].tolist()
    return leg


@pytest.mark.parametrize(
    ("error", "least", "most"), [(0.0, 64, 64), (0.05, 64, 256), (0.1, 256, 512)]
)
def test_reading_goes_on_until_the_first_hits_are_sure(
    path: Path, matrix: FloatArray, error: float, least: int, most: int
) -> None:
    """The worse the estimates, the more is read, and the first 10 are the true ones."""
    rng = np.random.default_rng(6)
    every = np.arange(1, COUNT + 1, dtype=np.int64)
    found, read = 0, []
    for query in unit(matrix[:20] + 0.08 * rng.standard_normal((20, DIMENSION))):
        leg = surest(path, query, guessed(matrix, query, error))
        assert np.allclose(leg.scores, matrix[leg.ids - 1] @ query, atol=1e-6)
        found += len({*leg.ids[:10].tolist()} & {*best(matrix, query, 10, every)})
        read.append(len(leg.ids))
    assert found >= 0.99 * 200
    assert least <= np.mean(read) <= most


def test_what_need_not_be_sure_is_not_read_for(path: Path, matrix: FloatArray) -> None:
    """One sure hit takes fewer reads than ten, and ten fewer than fifty."""
    estimates = guessed(matrix, matrix[0], 0.08)
    read = [
        len(surest(path, matrix[0], estimates, depth=50, sure=sure).ids) for sure in (1, 10, 50)
    ]
    assert read[0] < read[2]
    assert read == sorted(read)


@pytest.mark.parametrize(("depth", "least", "most"), [(1, 1, 2_048), (100, 100, 2_048), (1_500, 1_500, 3_000)])  # fmt: skip
def test_reading_ends(path: Path, matrix: FloatArray, depth: int, least: int, most: int) -> None:
    """Estimates that say nothing are not read to their end, and a long list has enough to rank."""
    estimates = guessed(matrix, matrix[0], 5.0)
    leg = surest(path, matrix[0], estimates, depth=depth, sure=min(depth, 10))
    assert least <= len(leg.ids) <= most


@pytest.mark.parametrize("count", [0, 1, 127, 300])
def test_chunks_that_are_gone_are_passed_over(path: Path, matrix: FloatArray, count: int) -> None:
    """A table that is newer than the reader may estimate chunks that it cannot see yet."""
    sound = guessed(matrix, matrix[0], 0.01)
    beyond = np.arange(COUNT + 1, COUNT + 1 + count, dtype=np.int64)
    high = np.linspace(2, 1.5, count, dtype=np.float32)
    both = Estimates(np.concatenate([beyond, sound.ids]), np.concatenate([high, sound.cosines]))
    leg = surest(path, matrix[0], both)
    every = np.arange(1, COUNT + 1, dtype=np.int64)
    assert leg.ids[:10].tolist() == best(matrix, matrix[0], 10, every)


def test_few_estimates_are_all_read(path: Path, matrix: FloatArray) -> None:
    """Three are read whatever was asked for, and none is an empty list."""
    few = Estimates(np.array([9, 4, 7], dtype=np.int64), np.zeros(3, dtype=np.float32))
    leg = surest(path, matrix[0], few, depth=100, sure=100)
    assert leg.ids.tolist() == best(matrix, matrix[0], 3, np.array([4, 7, 9], dtype=np.int64))
    none = Estimates(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
    assert len(surest(path, matrix[0], none).ids) == 0


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("count", [20, 400, 5_000])
def test_chunks_that_await_a_vector_are_not_listed(
    tmp_path: Path, matrix: FloatArray, *, count: int, in_memory: bool
) -> None:
    """A file none of whose chunks has a vector yet lists nothing; then those that got one."""
    store = SqliteStore(tmp_path / "x.db")
    chunks = [ChunkRow(n, n + 1, (), 1, ("", "", "w"), None) for n in range(count)]
    row = DocumentRow("a", "default", "a", "", "x" * count, "{}", (), "text/plain", "00" * 32, None)
    with store.write() as writer:
        writer.use_model(INFO)
        writer.put(row, chunks, now=1)
    embedded = np.array([3, 11, 17], dtype=np.int64)
    with store.read() as reader:
        assert reader.awaiting_count == count
        leg = leg_of(reader, matrix[2], depth=5, allowed=None, in_memory=in_memory)
        assert leg.ids.tolist() == []
        leg = leg_of(reader, matrix[2], depth=5, allowed=embedded, in_memory=in_memory)
        assert leg.ids.tolist() == []
    with store.write() as writer:
        assert writer.embed(embedded, matrix[embedded - 1]) == 3
    with store.read() as reader:
        leg = leg_of(reader, matrix[2], depth=5, allowed=None, in_memory=in_memory)
        assert leg.ids.tolist() == best(matrix, matrix[2], 3, embedded)
    store.close()


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


def test_a_file_without_chunks_lists_nothing(tmp_path: Path) -> None:
    """Without vectors there is nothing to list, and no error."""
    store = SqliteStore(tmp_path / "x.db")
    query = np.full(DIMENSION, 0.125, dtype=np.float32)
    with store.write() as writer:
        writer.use_model(INFO)
        for in_memory in (True, False):
            leg = leg_of(writer, query, depth=3, allowed=None, in_memory=in_memory)
            assert len(leg.ids) == 0
        assert fetch(writer._connection, "SELECT count(*) FROM coarse_1") == [(0,)]
    store.close()


def test_codes_are_the_signs() -> None:
    """One bit per component, set where it is positive; odd dimensions are filled up."""
    row = np.array([[0.5, -0.5, 0.1, 0, 1, -1, 2, -2, 3, -3]], dtype=np.float32)
    assert sign_codes(row).tolist() == [[0b10101010, 0b10000000]]
