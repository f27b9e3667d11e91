"""The scan over codes in memory: good enough to find the nearest, in every shape of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.store.made_vectors import embeddings, unit
from vstash.errors import StoreCorruptError
from vstash.store import code_table
from vstash.store.code_table import CodeTable, Estimates, nearest
from vstash.store.codes import encoded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray, IdArray

SHARD = 32_768


def survivors(count: int) -> int:
    """How many chunks of so many survive the count of signs."""
    return int(8 * count**0.5)


def made(ids: IdArray, rows: FloatArray) -> CodeTable:
    """A table in memory alone, as the file's would be."""
    return code_table._with(1, 0, (), [encoded(ids, rows)])


def everyone(table: CodeTable) -> NDArray[np.bool_]:
    """A mask that says that every chunk of a table is alive."""
    return np.ones(table.last + 1, dtype=np.bool_)


def only(ids: IdArray, size: int) -> NDArray[np.bool_]:
    """A mask for some chunks."""
    mask = np.zeros(size, dtype=np.bool_)
    mask[ids] = True
    return mask


def sound(found: Estimates) -> Estimates:
    """The same, after making sure that each chunk comes once and the best first."""
    assert len(np.unique(found.ids)) == len(found.ids) == len(found.cosines)
    assert (np.diff(found.cosines) <= 0).all()
    assert (found.ids.dtype, found.cosines.dtype) == (np.dtype(np.int64), np.dtype(np.float32))
    return found


def true_first(
    rows: FloatArray, query: FloatArray, among: NDArray[np.bool_] | None, count: int = 10
) -> IdArray:
    """The nearest by exact cosine; chunk i + 1 has row i."""
    scores = rows @ query
    if among is not None:
        scores[~among[1:]] = -2
    return np.argpartition(-scores, count)[:count] + 1


def test_the_nearest_are_found_on_both_sides_of_a_shards_border() -> None:
    """A search goes over every shard and names chunks by their ids."""
    rng = np.random.default_rng(8)
    count = SHARD + 3_000
    rows = unit(rng.standard_normal((count, 32)))
    ids = np.arange(1, count + 1, dtype=np.int64)
    table = made(ids, rows)
    assert len(table.shards) == 2
    for place in (0, SHARD - 1, SHARD, count - 1):
        found = sound(nearest(table, rows[place], living=everyone(table), masked=False))
        assert ids[place] in found.ids[:5]
    last = ids[SHARD - 5 :]
    found = sound(nearest(table, rows[0], living=only(last, count + 1), masked=True))
    assert np.isin(found.ids, last).all()
    # The cut comes from a sample of one in two.
    assert survivors(count) * 0.8 <= len(found.ids) <= survivors(count) * 1.2


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


def recall(
    table: CodeTable,
    rows: FloatArray,
    queries: FloatArray,
    among: NDArray[np.bool_] | None,
    first: int | None = None,
) -> float:
    """Share of the true first 10 that are among the first so many estimates."""
    hit = 0
    for query in queries:
        living = everyone(table) if among is None else among
        found = sound(nearest(table, query, living=living, masked=among is not None))
        hit += int(np.isin(true_first(rows, query, among), found.ids[:first]).sum())
    return hit / (10 * len(queries))


def test_the_true_nearest_are_among_the_survivors(
    rows: FloatArray, table: CodeTable, queries: FloatArray
) -> None:
    """Of the first 10 by exact cosine at least .95 survive, and only some of all chunks do."""
    assert recall(table, rows, queries, None) >= 0.95
    found = nearest(table, queries[0], living=everyone(table), masked=False)
    wanted = survivors(len(rows))
    assert wanted * 0.9 <= len(found.ids) <= wanted * 1.1


def test_as_many_as_are_wanted_survive(
    rows: FloatArray, table: CodeTable, queries: FloatArray
) -> None:
    """A long list gets as many candidates as it asks for, and no more than there are."""
    for least, expected in ((4_000, 4_000), (10**6, len(rows))):
        found = nearest(table, queries[0], living=everyone(table), masked=False, least=least)
        assert expected * 0.95 <= len(sound(found).ids) <= expected * 1.05


def test_the_true_nearest_are_among_the_first_estimates(
    rows: FloatArray, table: CodeTable, queries: FloatArray
) -> None:
    """Two bits a component put at least .95 of the first 10 among the first 100."""
    assert recall(table, rows, queries, None, first=100) >= 0.95


@pytest.mark.parametrize("share", [0.5, 0.11, 0.03])
def test_only_allowed_chunks_survive(
    rows: FloatArray, table: CodeTable, queries: FloatArray, share: float
) -> None:
    """What is not allowed takes no place from what is, and where they are few all survive."""
    allowed = np.flatnonzero(np.random.default_rng(11).random(len(rows)) < share) + 1
    mask = only(allowed, len(rows) + 1)
    found = sound(nearest(table, queries[0], living=mask, masked=True))
    assert np.isin(found.ids, allowed).all()
    wanted = min(len(allowed), survivors(len(rows)))
    assert wanted <= len(found.ids) <= wanted * 1.1
    assert recall(table, rows, queries, mask) >= 0.95


def test_removed_chunks_are_left_out(
    rows: FloatArray, table: CodeTable, queries: FloatArray
) -> None:
    """Codes of chunks that are gone are not returned, and the nearest of the others are."""
    living = np.random.default_rng(12).random(len(rows) + 1) < 0.8
    for query in queries[:10]:
        found = sound(nearest(table, query, living=living, masked=False))
        assert living[found.ids].all()
        assert survivors(len(rows)) * 0.7 <= len(found.ids) <= survivors(len(rows))
        assert np.isin(true_first(rows, query, living), found.ids).mean() >= 0.9


@pytest.mark.parametrize("masked", [True, False])
def test_chunks_on_one_side_alone_are_passed_over(
    table: CodeTable, queries: FloatArray, *, masked: bool
) -> None:
    """Chunks newer than the table, codes newer than the mask, or none at all do no harm."""
    beyond = only(np.array([3, 5, 20_001, 900_000]), 900_001)
    short = only(np.array([3, 5]), 6)
    for living in (beyond, short):
        found = sound(nearest(table, queries[0], living=living, masked=masked))
        assert set(found.ids.tolist()) <= {3, 5}
        if masked:
            assert sorted(found.ids.tolist()) == [3, 5]
    none = np.zeros(0, dtype=np.bool_)
    assert len(nearest(table, queries[0], living=none, masked=masked).ids) == 0


@pytest.mark.parametrize("masked", [True, False])
def test_an_empty_table_has_no_nearest(queries: FloatArray, *, masked: bool) -> None:
    """Without codes there is nothing to find, and no error."""
    empty = CodeTable(1, 0, 0, ())
    living = np.ones(10, dtype=np.bool_)
    found = sound(nearest(empty, queries[0], living=living, masked=masked))
    assert found.ids.tolist() == []


def test_codes_of_another_dimension_are_refused(table: CodeTable) -> None:
    """A damaged file may hold them; comparing them would tell nothing."""
    for dimension in (64, 448):
        with pytest.raises(StoreCorruptError):
            nearest(
                table,
                embeddings(1, dimension, seed=1)[0],
                living=everyone(table),
                masked=False,
            )


def test_equal_vectors_tie_and_all_survive() -> None:
    """Where more than survive are equally near, none is dropped at random; ties come by id."""
    count = 6_000
    rows = embeddings(count, 64, seed=13)
    query = embeddings(1, 64, seed=14)[0]
    same = np.arange(0, count, 2)
    rows[same] = query
    table = made(np.arange(1, count + 1, dtype=np.int64), rows)
    found = sound(nearest(table, query, living=everyone(table), masked=False))
    assert found.ids[: len(same)].tolist() == (same + 1).tolist()
    assert (found.cosines[: len(same)] == found.cosines[0]).all()


def by_formula(rows: FloatArray, query: FloatArray) -> NDArray[np.float64]:
    """Estimates from plain floats: a code's steps by the query in 63 steps."""
    step = np.float32(1 / np.sqrt(rows.shape[1]))
    upper = np.where(rows > 0, rows > step, rows > -step)
    values = 2.0 * (rows > 0) + upper - 1.5
    factors = 1 / np.einsum("ij,ij->i", values, rows.astype(np.float64))
    largest = np.abs(query).max()
    unit_step = 2 * largest / 63
    coarse = np.rint((query + largest) / unit_step) * unit_step - largest
    estimate: NDArray[np.float64] = factors * (
        (values + 1.5) @ coarse.astype(np.float64) - 1.5 * query.sum()
    )
    return estimate


@pytest.mark.parametrize("dimension", [2, 3, 64, 100, 130, 384, 1024, 1030, 1600, 4096])
def test_any_dimension_will_do(dimension: int) -> None:
    """Bits that only fill up the last word change nothing, and no sum is too large for its type."""
    count = 6_000 if dimension < 1_000 else 2_500
    directions = min(dimension, 20)
    rows = embeddings(count, dimension, seed=15, directions=directions)
    queries = embeddings(20, dimension, seed=16, directions=directions)
    # A query and vectors of equal components are where every sum is largest.
    rows[-1] = np.full(dimension, dimension**-0.5, dtype=np.float32)
    table = made(np.arange(1, count + 1, dtype=np.int64), rows)
    for query in (queries[0], rows[-1], -rows[-1]):
        found = sound(nearest(table, query, living=everyone(table), masked=False))
        assert len(found.ids) >= survivors(count)
        expected = by_formula(rows, query)[found.ids - 1]
        assert found.cosines == pytest.approx(expected, abs=2e-4)
    if dimension > 8:
        assert recall(table, rows, queries, None) >= 0.95


@pytest.mark.parametrize("dimension", [3, 100, 639, 640, 1600])
def test_signs_are_counted_with_their_weights(dimension: int) -> None:
    """What differs counts once, and three times where the query is among its largest .4."""
    rows = embeddings(300, dimension, seed=17, directions=min(dimension, 20))
    query = embeddings(1, dimension, seed=18, directions=min(dimension, 20))[0]
    rows[0], rows[1] = query, -query
    codes = encoded(np.arange(1, 301, dtype=np.int64), rows)
    found = code_table._by_signs(codes, code_table._signs_of(query, len(codes.high)))
    weights = np.ones(dimension)
    weights[np.argsort(-np.abs(query))[: int(0.4 * dimension)]] = 3
    agreeing = np.where((rows > 0) == (query > 0), 1.0, -1.0) @ weights
    assert found == pytest.approx(codes.factors * agreeing, rel=1e-5)
