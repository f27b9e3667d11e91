"""Codes in memory: those of the file, brought up to date, and good enough to find the nearest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import numpy as np
import pytest

from vstash.store import codes
from vstash.store.codes import CodeTable, nearest, refreshed
from vstash.store.connection import fetch
from vstash.store.sqlite import SqliteStore
from vstash.store.vectors import delete_vectors, insert_vectors, register_model, sign_codes
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray, IdArray

SHARD = 65_536
MODEL = 1


def unit(rows: NDArray[np.float64]) -> FloatArray:
    """Rows of length 1."""
    made: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return made


def embeddings(count: int, dimension: int, *, seed: int, directions: int = 40) -> FloatArray:
    """Unit vectors that share some strong directions, as those of texts do, and have noise."""
    shared = np.random.default_rng(0).standard_normal((directions, dimension))
    rng = np.random.default_rng(seed)
    strength = np.linspace(1.0, 0.3, directions)
    low_rank = (rng.standard_normal((count, directions)) * strength) @ shared
    noise = 0.3 * np.sqrt(directions) * rng.standard_normal((count, dimension))
    return unit(low_rank + noise)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A write connection inside a transaction that takes vectors of chunks that do not exist."""
    store = SqliteStore(tmp_path / "x.db")
    with store.write() as writer:
        # The chunks themselves do not matter here; the transaction is rolled back by the test's end.
        writer._connection.execute("PRAGMA defer_foreign_keys = ON")
        writer._connection.execute("SAVEPOINT vectors")
        yield writer._connection
        writer._connection.execute("ROLLBACK TO vectors")
    store.close()


def store_vectors(connection: apsw.Connection, ids: Sequence[int], rows: FloatArray) -> None:
    """Put vectors into the file, making the model on first use."""
    if not fetch(connection, "SELECT 1 FROM model"):
        register_model(connection, ModelInfo("made", rows.shape[1], "0" * 64, 512))
    insert_vectors(connection, MODEL, ids, rows)


def in_file(
    connection: apsw.Connection, kept: CodeTable | None, counter: int, chunk_count: int
) -> CodeTable:
    """The table at a state of the file."""
    return refreshed(connection, MODEL, kept, counter=counter, chunk_count=chunk_count)


def flat(table: CodeTable, dimension: int) -> dict[int, bytes]:
    """The code of each chunk, as whole bytes without padding."""
    width = -(-dimension // 8)
    found: dict[int, bytes] = {}
    for shard in table.shards:
        rows = np.ascontiguousarray(shard.bits.T).view(np.uint8)[:, :width]
        assert (np.diff(shard.ids) > 0).all()
        found |= {int(chunk): bytes(row) for chunk, row in zip(shard.ids, rows, strict=True)}
    assert len(found) == table.count
    assert max(found, default=0) == table.last
    return found


def coded(ids: Sequence[int], rows: FloatArray) -> dict[int, bytes]:
    """The codes that vectors must have."""
    return {int(chunk): bytes(code) for chunk, code in zip(ids, sign_codes(rows), strict=True)}


def made(ids: IdArray, rows: FloatArray) -> CodeTable:
    """A table in memory alone, as the file's would be."""
    return codes._joined(1, (), ids, codes._words(sign_codes(rows)))


def recall(table: CodeTable, rows: FloatArray, queries: FloatArray, among: IdArray | None) -> float:
    """Share of the true first 10 of chunks i + 1 of row i that are among the nearest."""
    hit = 0
    for query in queries:
        scores = rows @ query
        if among is not None:
            outside = np.ones(len(rows), dtype=np.bool_)
            outside[among - 1] = False
            scores[outside] = -2
        best = np.argpartition(-scores, 10)[:10] + 1
        found = nearest(table, query, wanted=10, allowed=among)
        assert (np.diff(found) > 0).all()
        hit += int(np.isin(best, found).sum())
    return hit / (10 * len(queries))


@pytest.mark.parametrize("dimension", [8, 64, 100, 384])
def test_the_tables_of_vec0_hold_the_sign_codes(
    connection: apsw.Connection, dimension: int
) -> None:
    """The layout of sqlite-vec's own tables is the one we read, gaps and reused places included."""
    rows = embeddings(2_600, dimension, seed=1, directions=8)
    ids = list(range(5, 5 + 2 * 2_500, 2))
    store_vectors(connection, ids, rows[:2_500])
    assert fetch(connection, "SELECT count(*) FROM coarse_1_chunks")[0][0] > 1
    gone = ids[10:1_500:3]
    delete_vectors(connection, MODEL, gone)
    more = list(range(9_000, 9_100))
    store_vectors(connection, more, rows[2_500:])
    expected = coded(ids, rows[:2_500]) | coded(more, rows[2_500:])
    for chunk in gone:
        del expected[chunk]
    assert flat(in_file(connection, None, 1, len(expected)), dimension) == expected


def test_the_layout_is_that_of_the_tested_release(connection: apsw.Connection) -> None:
    """Another release of sqlite-vec must pass these tests before it is allowed."""
    assert fetch(connection, "SELECT vec_version()") == [("v0.1.9",)]


def test_a_file_without_vectors_has_an_empty_table(connection: apsw.Connection) -> None:
    """No vector is no shard; the first ones are found by the next refresh."""
    rows = embeddings(3, 64, seed=2)
    store_vectors(connection, [], rows[:0])
    table = in_file(connection, None, 1, 0)
    assert (table.count, table.last, table.shards) == (0, 0, ())
    store_vectors(connection, [1, 2, 3], rows)
    assert flat(in_file(connection, table, 2, 3), 64) == coded([1, 2, 3], rows)


@pytest.mark.parametrize("dimension", [64, 100])
def test_a_refresh_equals_a_full_load(connection: apsw.Connection, dimension: int) -> None:
    """Whatever is added in how many steps, the kept table grows to what a fresh one reads."""
    rows = embeddings(1_000, dimension, seed=3)
    table = None
    for counter, (first, last) in enumerate([(0, 300), (300, 301), (301, 301), (301, 1_000)], 1):
        store_vectors(connection, range(first + 1, last + 1), rows[first:last])
        table = in_file(connection, table, counter, last)
        assert table.counter == counter
        assert flat(table, dimension) == coded(range(1, last + 1), rows[:last])
        assert flat(table, dimension) == flat(in_file(connection, None, counter, last), dimension)


def test_a_refresh_reads_only_what_is_new(connection: apsw.Connection) -> None:
    """Codes up to the last known id are kept, not read again."""
    rows = embeddings(50, 64, seed=4)
    store_vectors(connection, range(1, 41), rows[:40])
    table = in_file(connection, None, 1, 40)
    # Planted without the codes: whoever read all again would miss them.
    connection.execute("DELETE FROM coarse_1 WHERE rowid <= 40")
    connection.execute("DELETE FROM vector_1 WHERE chunk <= 40")
    store_vectors(connection, range(41, 51), rows[40:])
    assert flat(in_file(connection, table, 2, 50), 64) == coded(range(1, 51), rows)


@pytest.mark.parametrize("counter", [6, 7])
def test_a_table_that_is_new_enough_is_kept(connection: apsw.Connection, counter: int) -> None:
    """A reader of an earlier state takes a newer table as it is."""
    store_vectors(connection, [1], embeddings(1, 64, seed=5))
    table = in_file(connection, None, 7, 1)
    assert in_file(connection, table, counter, 1) is table


def test_a_table_of_mostly_removed_chunks_is_read_again(connection: apsw.Connection) -> None:
    """A few codes of chunks that are gone stay; many make the table be read anew."""
    rows = embeddings(1_000, 64, seed=6)
    ids = list(range(1, 1_001))
    store_vectors(connection, ids, rows)
    table = in_file(connection, None, 1, 1_000)
    delete_vectors(connection, MODEL, ids[:100])
    table = in_file(connection, table, 2, 900)
    assert table.count == 1_000
    delete_vectors(connection, MODEL, ids[100:900])
    table = in_file(connection, table, 3, 100)
    assert flat(table, 64) == coded(ids[900:], rows[900:])


def test_shards_are_filled_one_after_the_other() -> None:
    """Full shards are shared with the earlier table, the last one grows, no code is lost."""
    rng = np.random.default_rng(7)
    packed = rng.integers(0, 256, (2 * SHARD + 10, 8), dtype=np.uint8)
    ids = np.arange(1, len(packed) + 1, dtype=np.int64) * 3
    words = codes._words(packed)
    sizes = {
        SHARD - 1: [SHARD - 1],
        SHARD: [SHARD],
        SHARD + 5: [SHARD, 5],
        2 * SHARD + 10: [SHARD, SHARD, 10],
    }
    table, before = CodeTable(0, 0, 0, ()), 0
    for upto, expected in sizes.items():
        earlier = table
        table = codes._joined(1, table.shards, ids[before:upto], words[before:upto])
        before = upto
        assert [len(shard.ids) for shard in table.shards] == expected
        assert (table.count, table.last) == (upto, 3 * upto)
        assert np.array_equal(np.concatenate([shard.ids for shard in table.shards]), ids[:upto])
        bits = np.concatenate([shard.bits for shard in table.shards], axis=1)
        assert np.array_equal(bits, words[:upto].T)
        assert all(shard.bits.flags.c_contiguous for shard in table.shards)
        full = [shard for shard in earlier.shards if len(shard.ids) == SHARD]
        assert all(a is b for a, b in zip(full, table.shards, strict=False))
    same = codes._joined(2, table.shards, ids[:0], words[:0])
    assert same.shards == table.shards


def test_the_nearest_are_found_on_both_sides_of_a_shards_border() -> None:
    """A search goes over every shard and names chunks by their ids."""
    rng = np.random.default_rng(8)
    count = SHARD + 3_000
    rows = unit(rng.standard_normal((count, 32)))
    ids = np.arange(1, count + 1, dtype=np.int64)
    table = made(ids, rows)
    assert len(table.shards) == 2
    for place in (0, SHARD - 1, SHARD, count - 1):
        found = nearest(table, rows[place], wanted=1, allowed=None)
        assert ids[place] in found
        assert (np.diff(found) > 0).all()
    last = ids[SHARD - 5 :]
    found = nearest(table, rows[0], wanted=10, allowed=last)
    assert np.isin(found, last).all()
    assert len(found) == 400


@pytest.fixture(scope="module")
def rows() -> FloatArray:
    """Twenty thousand vectors that resemble embeddings; chunk i + 1 has row i."""
    return embeddings(20_000, 384, seed=9)


@pytest.fixture(scope="module")
def table(rows: FloatArray) -> CodeTable:
    """Their codes."""
    return made(np.arange(1, len(rows) + 1, dtype=np.int64), rows)


@pytest.fixture(scope="module")
def queries() -> FloatArray:
    """Forty more of the same kind."""
    return embeddings(40, 384, seed=10)


def test_the_true_nearest_are_among_the_survivors(
    rows: FloatArray, table: CodeTable, queries: FloatArray
) -> None:
    """Of the first 10 by exact cosine at least .95 survive, and only 400 chunks do."""
    assert recall(table, rows, queries, None) >= 0.95
    assert len(nearest(table, queries[0], wanted=10, allowed=None)) == 400
    assert len(nearest(table, queries[0], wanted=1_000, allowed=None)) == 8_000


@pytest.mark.parametrize("share", [0.5, 0.03, 0.01])
def test_only_allowed_chunks_survive(
    rows: FloatArray, table: CodeTable, queries: FloatArray, share: float
) -> None:
    """What is not allowed takes no place from what is, and fewer than 400 all survive."""
    allowed = np.flatnonzero(np.random.default_rng(11).random(len(rows)) < share) + 1
    found = nearest(table, queries[0], wanted=10, allowed=allowed)
    assert np.isin(found, allowed).all()
    assert len(found) == min(len(allowed), 400)
    assert recall(table, rows, queries, allowed) >= 0.95


def test_chunks_that_are_not_in_the_table_are_passed_over(
    table: CodeTable, queries: FloatArray
) -> None:
    """A chunk that is newer than the table, or none at all, does no harm."""
    beyond = np.array([3, 5, 20_001, 900_000], dtype=np.int64)
    assert nearest(table, queries[0], wanted=10, allowed=beyond).tolist() == [3, 5]
    none = np.empty(0, dtype=np.int64)
    assert nearest(table, queries[0], wanted=10, allowed=none).tolist() == []


def test_an_empty_table_has_no_nearest(queries: FloatArray) -> None:
    """Without codes there is nothing to find, and no error."""
    empty = CodeTable(1, 0, 0, ())
    assert nearest(empty, queries[0], wanted=10, allowed=None).tolist() == []


@pytest.mark.parametrize("dimension", [3, 100, 130])
def test_any_dimension_will_do(dimension: int) -> None:
    """Bits that only fill up the last word change nothing."""
    rows = embeddings(6_000, dimension, seed=12, directions=min(dimension, 20))
    table = made(np.arange(1, 6_001, dtype=np.int64), rows)
    queries = embeddings(20, dimension, seed=13, directions=min(dimension, 20))
    found = nearest(table, queries[0], wanted=10, allowed=None)
    assert len(found) == 400
    if dimension > 8:
        assert recall(table, rows, queries, None) >= 0.95
    bits = 2.0 * np.unpackbits(sign_codes(rows[:50]), axis=1)[:, :dimension] - 1.0
    first = table.shards[0].bits[:, :50]
    assert np.allclose(codes._by_query(first, queries[0]), bits @ queries[0], atol=1e-5)


def test_distances_are_numbers_of_differing_signs(rows: FloatArray, table: CodeTable) -> None:
    """Counted word by word they are what comparing every sign gives, and none for the forbidden."""
    shard = table.shards[0]
    code = codes._words(sign_codes(rows[:1]))[0]
    allowed = np.ones(table.last + 1, dtype=np.bool_)
    allowed[2] = False
    found = codes._distances(shard, code, allowed)[:200]
    expected = ((rows[:200] > 0) != (rows[0] > 0)).sum(axis=1)
    expected[1] = np.iinfo(np.uint16).max
    assert found.tolist() == expected.tolist()
