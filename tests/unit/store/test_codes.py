"""Codes of vectors in the file: what they say, how runs of them are merged, and damaged ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import numpy as np
import pytest

from tests.unit.store.made_vectors import unit
from vstash import Memory, NewDocument
from vstash.errors import StoreCorruptError
from vstash.store import codes
from vstash.store.codes import Codes, add_codes, clean_some, clear_codes, encoded, joined, runs
from vstash.store.connection import fetch
from vstash.store.lengths import set_lengths
from vstash.store.models import register_model
from vstash.store.sqlite import SqliteStore
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray, IdArray

FAN_IN = 8
FINAL_LEVEL = 3
MOST = 4096
MODEL = 1
DIMENSION = 100

# By chunk id the factor and both bits of a code.
Held = dict[int, tuple[float, bytes, bytes]]


def noise(count: int, dimension: int = DIMENSION, *, seed: int = 1) -> FloatArray:
    """Vectors in every direction."""
    return unit(np.random.default_rng(seed).standard_normal((count, dimension)))


def upto(count: int, *, first: int = 1) -> IdArray:
    """Chunk ids one after another."""
    return np.arange(first, first + count, dtype=np.int64)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A write connection inside a transaction, on a file with a model."""
    store = SqliteStore(tmp_path / "x.db")
    with store.write() as writer:
        register_model(writer._connection, ModelInfo("made", DIMENSION, "0" * 64, 512))
        yield writer._connection
    store.close()


def add(
    connection: apsw.Connection,
    ids: IdArray,
    rows: FloatArray,
    counter: int = 1,
    *,
    late: bool = False,
) -> None:
    """Write codes as one commit does, and that their chunks exist."""
    resize(connection, dict.fromkeys(ids.tolist(), 1), counter)
    add_codes(connection, MODEL, ids, rows, counter, late=late)


def resize(connection: apsw.Connection, lengths: Mapping[int, int], counter: int = 1) -> None:
    """Write lengths, 0 for a chunk that is gone."""
    ids = np.array(list(lengths), dtype=np.int64)
    set_lengths(connection, ids, np.array(list(lengths.values()), dtype=np.int64), counter)


def held(parts: list[Codes]) -> Held:
    """Codes by chunk, after making sure that each chunk comes once."""
    if not parts:
        return {}
    every = joined(parts)
    high, low = np.ascontiguousarray(every.high.T), np.ascontiguousarray(every.low.T)
    found = {
        int(chunk): (float(factor), bytes(high[row]), bytes(low[row]))
        for row, (chunk, factor) in enumerate(zip(every.ids, every.factors, strict=True))
    }
    assert len(found) == len(every.ids), "a code was found twice"
    return found


def in_file(connection: apsw.Connection, since: int = -1) -> Held:
    """Every code in the file."""
    return held([each for each, _ in runs(connection, MODEL, since)])


def levels(connection: apsw.Connection) -> Counter[int]:
    """How many runs each level has."""
    return Counter(row[0] for row in fetch(connection, "SELECT level FROM code_run"))


def bits(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Single bits of codes: shape (n, 64 * words)."""
    return np.unpackbits(np.ascontiguousarray(words.T).astype("<u8").view(np.uint8), axis=1)


def test_a_component_has_two_bits() -> None:
    """The sign, and whether it lies in the upper of two steps on its side; worked by hand."""
    # Of four components, a step is 1 / sqrt(4) = .5 wide.
    rows = np.array([[0.7, 0.1, -0.1, -0.7], [0.5, 0.0, -0.5, 0.70710678]], dtype=np.float32)
    made = encoded(np.array([4, 9], dtype=np.int64), rows)
    assert made.ids.tolist() == [4, 9]
    assert bits(made.high)[:, :4].tolist() == [[1, 1, 0, 0], [1, 0, 0, 1]]
    assert bits(made.low)[:, :4].tolist() == [[1, 0, 1, 0], [0, 1, 0, 1]]
    # The steps' middles are 1.5, .5, -.5 and -1.5; their products with the rows sum up to 2.2, and
    # to .25 + 0 + .75 + 1.06066.
    assert made.factors.tolist() == pytest.approx([1 / 2.2, 1 / 2.0606602], rel=1e-6)
    assert made.factors.dtype == np.float32


@pytest.mark.parametrize("dimension", [1, 3, 64, 100, 384, 1030])
def test_bits_lie_component_by_component(dimension: int) -> None:
    """The first component is the first bit, and what fills up the last word is 0."""
    rows = noise(50, dimension)
    made = encoded(upto(50), rows)
    assert made.high.shape == made.low.shape == (-(-dimension // 64), 50)
    assert made.high.dtype == made.low.dtype == np.uint64
    step = 1 / np.sqrt(dimension)
    assert np.array_equal(bits(made.high)[:, :dimension], rows > 0)
    upper = np.where(rows > 0, rows > step, rows > -step)
    assert np.array_equal(bits(made.low)[:, :dimension], upper)
    assert not bits(made.high)[:, dimension:].any()
    assert not bits(made.low)[:, dimension:].any()


def approximated(made: Codes, dimension: int) -> FloatArray:
    """The vectors that codes stand for."""
    steps = 2.0 * bits(made.high) + bits(made.low) - 1.5
    near: FloatArray = (made.factors[:, np.newaxis] * steps[:, :dimension]).astype(np.float32)
    return near


@pytest.mark.parametrize("dimension", [8, 100, 384, 1030])
def test_a_code_has_a_product_of_one_with_its_vector(dimension: int) -> None:
    """That is what the factor is for: a vector's own cosine is estimated exactly."""
    rows = noise(300, dimension, seed=2)
    near = approximated(encoded(upto(300), rows), dimension)
    assert np.einsum("ij,ij->i", near, rows) == pytest.approx(np.ones(300), rel=1e-5)


def test_estimates_of_cosines_are_unbiased() -> None:
    """At every true cosine from -.8 to .8 the estimates lie around it, not nearer to 0 or farther."""
    dimension, count = 384, 10_000
    queries = noise(count, dimension, seed=3)
    others = noise(count, dimension, seed=4).astype(np.float64)
    along = np.einsum("ij,ij->i", others, queries)[:, np.newaxis]
    aside = unit(others - along * queries)
    for true in (-0.8, -0.4, 0.0, 0.4, 0.8):
        rows = unit(true * queries + np.sqrt(1 - true**2) * aside)
        near = approximated(encoded(upto(count), rows), dimension)
        errors = np.einsum("ij,ij->i", near, queries) - true
        assert 0.005 < errors.std() < 0.03
        # Four deviations of a mean of so many.
        assert abs(errors.mean()) < 4 * errors.std() / np.sqrt(count)


def test_some_and_joined_codes_are_the_same_codes() -> None:
    """Taken apart by positions, by a mask or by a slice, and put together, nothing changes."""
    every = encoded(upto(20), noise(20))
    mask = np.arange(20) % 3 == 0
    parts = [every.only(mask), every.only(np.flatnonzero(~mask))]
    assert held(parts) == held([every])
    assert held([every.only(np.array([4, 2]))]) == {
        chunk: code for chunk, code in held([every]).items() if chunk in {3, 5}
    }


def test_what_is_added_is_read(connection: apsw.Connection) -> None:
    """Codes come back as they were made, with whether their run is late, and after a counter."""
    rows = noise(6)
    ids = np.array([1, 2, 70_000, 3, 2**20, 9], dtype=np.int64)
    add(connection, ids[:3], rows[:3], 4)
    add(connection, ids[3:5], rows[3:5], 5, late=True)
    add(connection, ids[5:], rows[5:], 7)
    found = runs(connection, MODEL, -1)
    assert [late for _, late in found] == [False, True, False]
    assert [each.ids.tolist() for each, _ in found] == [[1, 2, 70_000], [3, 2**20], [9]]
    assert in_file(connection) == held([encoded(ids, rows)])
    assert [list(in_file(connection, since)) for since in (3, 4, 6, 7)] == [
        [1, 2, 70_000, 3, 2**20, 9],
        [3, 2**20, 9],
        [9],
        [],
    ]


def test_runs_stay_bounded(connection: apsw.Connection) -> None:
    """After any number of small commits no level but the last has as many runs as a merge takes."""
    rows = noise(600)
    for row in range(600):
        add(connection, upto(1, first=row + 1), rows[row : row + 1], row + 1)
        assert all(count < FAN_IN for count in levels(connection).values())
    # 600 in base 8 is 1130: that many runs of each level.
    assert levels(connection) == {1: 3, 2: 1, 3: 1}
    assert in_file(connection) == held([encoded(upto(600), rows)])


@pytest.mark.parametrize("seed", [1, 2])
def test_runs_of_any_sizes_stay_bounded(connection: apsw.Connection, seed: int) -> None:
    """Large and small commits, late ones and removals among them: no code is lost or doubled."""
    rng = random.Random(seed)
    rows = noise(9_000, seed=seed)
    added = np.empty(0, dtype=np.int64)
    gone: set[int] = set()
    for counter in range(1, 150):
        ids = upto(rng.choice((1, 1, 2, FAN_IN, 70, 513)), first=len(added) + 1)
        if len(added) + len(ids) > len(rows):
            break
        rng_order = np.random.default_rng(counter).permutation(len(ids))
        add(connection, ids[rng_order], rows[ids - 1][rng_order], counter, late=rng.random() < 0.3)
        added = np.concatenate([added, ids])
        lost = rng.sample(added.tolist(), min(2, len(added)))
        resize(connection, dict.fromkeys(lost, 0), counter)
        gone.update(lost)
        small = {level: many for level, many in levels(connection).items() if level < FINAL_LEVEL}
        assert all(many < FAN_IN for many in small.values())
    found = in_file(connection)
    expected = held([encoded(added, rows[added - 1])])
    assert found.items() <= expected.items()
    assert found.keys() >= expected.keys() - gone


def test_a_large_commit_is_cut_and_stays(connection: apsw.Connection) -> None:
    """No row is larger than 4,096 codes, and such runs are not merged any more."""
    count = 9 * MOST + 10
    rows = noise(count)
    add(connection, upto(count), rows)
    sizes = [len(each.ids) for each, _ in runs(connection, MODEL, -1)]
    assert sizes == [MOST] * 9 + [10]
    assert levels(connection) == {FINAL_LEVEL: 9, 1: 1}
    assert in_file(connection) == held([encoded(upto(count), rows)])


def test_a_merge_drops_the_codes_of_removed_chunks(connection: apsw.Connection) -> None:
    """They stay until a merge meets them; then the rest is what is left."""
    rows = noise(FAN_IN)
    for row in range(FAN_IN - 1):
        add(connection, upto(1, first=row + 1), rows[row : row + 1])
    resize(connection, {2: 0, 5: 0}, counter=2)
    assert set(in_file(connection)) == set(range(1, FAN_IN))
    add(connection, upto(1, first=FAN_IN), rows[-1:], 2)
    every = held([encoded(upto(FAN_IN), rows)])
    assert in_file(connection) == {i: code for i, code in every.items() if i not in {2, 5}}
    assert levels(connection) == {0: 1}


def test_runs_whose_chunks_are_all_gone_vanish(connection: apsw.Connection) -> None:
    """A merge of nothing but removed chunks leaves no empty run behind."""
    rows = noise(FAN_IN)
    for row in range(FAN_IN - 1):
        add(connection, upto(1, first=row + 1), rows[row : row + 1])
    resize(connection, dict.fromkeys(range(1, FAN_IN + 1), 0), counter=2)
    add_codes(connection, MODEL, upto(1, first=FAN_IN), rows[-1:], 2, late=False)
    assert levels(connection) == {}
    assert in_file(connection) == {}


@pytest.mark.parametrize("late", [None, 0, 4, FAN_IN - 1])
def test_a_merged_run_tells_what_a_reader_must_know(
    connection: apsw.Connection, late: int | None
) -> None:
    """It is late when one of its parts was, and as new as the write that merged it."""
    rows = noise(FAN_IN)
    for row in range(FAN_IN):
        ids = upto(1, first=row + 1)
        add(connection, ids, rows[row : row + 1], 10 + row, late=row == late)
    ((every, is_late),) = runs(connection, MODEL, 10 + FAN_IN - 2)
    assert len(every.ids) == FAN_IN
    assert is_late == (late is not None)
    assert runs(connection, MODEL, 10 + FAN_IN - 1) == []


DAMAGE = {
    "ids cut": "chunks = substr(chunks, 1, length(chunks) - 4)",
    "ids torn": "chunks = substr(chunks, 2)",
    "no ids": "chunks = x''",
    "nothing": "chunks = x'', factors = x'', high = x'', low = x''",
    "factors cut": "factors = substr(factors, 5)",
    "factors too many": "factors = CAST(factors || x'00000000' AS BLOB)",
    "high bits torn": "high = substr(high, 2)",
    "high bits cut": "high = substr(high, 9)",
    "low bits cut": "low = substr(low, 1, length(low) / 2)",
    "no bits": "high = x'', low = x''",
    "other dimension": "high = substr(high, 1, length(high) / 2), low = substr(low, 1, length(low) / 2)",
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
def test_damaged_runs_are_refused(connection: apsw.Connection, change: str) -> None:
    """A run that nobody wrote is an error to who reads it, and no merge makes it part of a sound one.

    Nor does it stop the write that came to merge it.
    """
    rows = noise(FAN_IN * 2)
    for row in range(FAN_IN - 1):
        add(connection, upto(2, first=2 * row + 1), rows[2 * row : 2 * row + 2])
    assert len(in_file(connection)) == 2 * (FAN_IN - 1)
    connection.execute(f"UPDATE code_run SET {change} WHERE id = 3")
    with pytest.raises(StoreCorruptError):
        runs(connection, MODEL, -1)
    before = fetch(connection, "SELECT * FROM code_run ORDER BY id")
    add(connection, upto(2, first=2 * FAN_IN - 1), rows[-2:])
    assert fetch(connection, "SELECT * FROM code_run ORDER BY id")[:-1] == before


def test_a_merge_leaves_ids_beyond_all_chunks(connection: apsw.Connection) -> None:
    """An id that no chunk can have does not become part of a larger run."""
    rows = noise(FAN_IN)
    for row in range(FAN_IN - 1):
        add(connection, upto(1, first=row + 1), rows[row : row + 1])
    connection.execute("UPDATE code_run SET chunks = x'ffffffff' WHERE id = 3")
    add(connection, upto(1, first=FAN_IN), rows[-1:])
    assert len(fetch(connection, "SELECT 1 FROM code_run")) == FAN_IN


def test_models_do_not_share_codes(connection: apsw.Connection) -> None:
    """Each model has runs of its own; clearing one's leaves the other's."""
    other = register_model(connection, ModelInfo("other", 64, "1" * 64, 512))
    rows, others = noise(FAN_IN - 1), noise(FAN_IN - 1, 64)
    for row in range(FAN_IN - 1):
        ids = upto(1, first=row + 1)
        add(connection, ids, rows[row : row + 1])
        add_codes(connection, other, ids, others[row : row + 1], 1, late=False)
    # Two runs fewer than a merge of both would take.
    assert levels(connection) == {0: 2 * (FAN_IN - 1)}
    every = held([each for each, _ in runs(connection, other, -1)])
    assert every == held([encoded(upto(FAN_IN - 1), others)])
    clear_codes(connection, MODEL)
    assert in_file(connection) == {}
    assert held([each for each, _ in runs(connection, other, -1)]) == every


def test_codes_are_derived_anew_from_the_vectors(tmp_path: Path) -> None:
    """Whatever became of the codes, the vectors give the same ones again."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add_batch([NewDocument(f"amber {n}", key=str(n)) for n in range(20)])
        memory.delete(key="7")
        memory.add("the cedar door", key="8")
    store = SqliteStore(path)
    with store.write() as writer:
        living = {row[0] for row in fetch(writer._connection, "SELECT id FROM chunk")}
        before = {i: code for i, code in in_file(writer._connection).items() if i in living}
        writer._connection.execute("DELETE FROM code_run WHERE id = 1")
        writer._connection.execute("UPDATE code_run SET high = substr(high, 2)")
        writer._connection.execute("UPDATE meta SET value = 0 WHERE name = 'coder'")
    with store.write() as writer:
        writer.derive_codes()
        assert in_file(writer._connection) == before
    with store.read() as reader:
        assert reader.coder == codes.CODER_VERSION
        assert reader.derived_anew >= 1
    store.close()
    with Memory(path, model="fake") as memory:
        assert memory.check().findings == ()


def test_final_runs_lose_the_codes_of_chunks_that_are_gone(connection: apsw.Connection) -> None:
    """A few runs a look, on from where the last one ended; those that mostly live stay as they are."""
    size, count = 512, 4
    rows = noise(size * count)
    for run in range(count):
        part = slice(run * size, (run + 1) * size)
        add(connection, upto(size, first=run * size + 1), rows[part])
    gone = [*range(1, 101), *range(size + 1, size + 401), *range(2 * size + 1, 3 * size + 1)]
    resize(connection, dict.fromkeys(gone, 0))
    before = in_file(connection)
    cursor, looks = 0, []
    for _ in range(3):
        cursor = clean_some(connection, 9, cursor=cursor, runs=2)
        looks.append(cursor)
    assert looks == [2, 4, 0]
    # The first run lost a fifth only, and keeps them.
    left = {chunk: code for chunk, code in before.items() if chunk not in gone or chunk <= 100}
    assert in_file(connection) == left
    assert sorted(each.ids.max() for each, _ in runs(connection, MODEL, 8)) == [2 * size]
