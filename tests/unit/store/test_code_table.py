"""Codes in memory: those of the file, brought up to date, and good enough to find the nearest."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import numpy as np
import pytest

from tests.unit.store.made_vectors import embeddings, unit
from vstash.store import code_table
from vstash.store.code_table import CodeTable, refreshed
from vstash.store.codes import Codes, add_codes, encoded
from vstash.store.connection import fetch
from vstash.store.lengths import all_lengths, set_lengths
from vstash.store.models import register_model
from vstash.store.rows import ChunkRow, DocumentRow
from vstash.store.sqlite import SqliteStore
from vstash.store.writer import Writer
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray

SHARD = 32_768
MODEL = 1

# By chunk id the factor and both bits of a code.
Held = dict[int, tuple[float, bytes, bytes]]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A write connection inside a transaction."""
    store = SqliteStore(tmp_path / "x.db")
    with store.write() as writer:
        yield writer._connection
    store.close()


def add(
    connection: apsw.Connection,
    ids: Sequence[int],
    rows: FloatArray,
    counter: int = 1,
    *,
    late: bool = False,
) -> None:
    """Write codes as one commit does, making the model on first use."""
    if not fetch(connection, "SELECT 1 FROM model"):
        register_model(connection, ModelInfo("made", rows.shape[1], "0" * 64, 512))
    if len(ids):
        numbers = np.array(ids, dtype=np.int64)
        set_lengths(connection, numbers, np.ones(len(ids), dtype=np.int64), counter)
        add_codes(connection, MODEL, numbers, rows, counter, late=late)


def remove(connection: apsw.Connection, ids: Sequence[int], counter: int) -> None:
    """Say that chunks are gone; a run keeps their codes until it is merged."""
    numbers = np.array(ids, dtype=np.int64)
    set_lengths(connection, numbers, np.zeros(len(ids), dtype=np.int64), counter)


def in_file(
    connection: apsw.Connection, kept: CodeTable | None, counter: int, vector_count: int
) -> CodeTable:
    """The table at a state of the file."""
    living = all_lengths(connection) > 0
    return refreshed(
        connection, MODEL, kept, counter=counter, vector_count=vector_count, living=living
    )


def flat(table: CodeTable) -> Held:
    """The code of each chunk, after making sure that each chunk comes once."""
    found: Held = {}
    for shard in table.shards:
        assert 0 < len(shard.ids) == len(shard.factors) <= SHARD
        assert shard.high.shape == shard.low.shape == (len(shard.high), len(shard.ids))
        found |= coded(shard)
    assert len(found) == table.count == sum(len(shard.ids) for shard in table.shards)
    assert max(found, default=0) == table.last
    return found


def coded(codes: Codes) -> Held:
    """Codes by chunk."""
    high, low = np.ascontiguousarray(codes.high.T), np.ascontiguousarray(codes.low.T)
    return {
        int(chunk): (float(factor), bytes(high[row]), bytes(low[row]))
        for row, (chunk, factor) in enumerate(zip(codes.ids, codes.factors, strict=True))
    }


def of_rows(ids: Sequence[int], rows: FloatArray) -> Held:
    """The codes that vectors must have."""
    return coded(encoded(np.array(ids, dtype=np.int64), rows))


def test_a_file_without_vectors_has_an_empty_table(connection: apsw.Connection) -> None:
    """No vector is no shard; the first ones are found by the next refresh."""
    rows = embeddings(3, 64, seed=2)
    add(connection, [], rows[:0])
    table = in_file(connection, None, 1, 0)
    assert (table.count, table.last, table.shards) == (0, 0, ())
    add(connection, [1, 2, 3], rows, 2)
    assert flat(in_file(connection, table, 2, 3)) == of_rows([1, 2, 3], rows)


@pytest.mark.parametrize("dimension", [64, 100])
def test_a_refresh_equals_a_full_load(connection: apsw.Connection, dimension: int) -> None:
    """Whatever is added in how many steps, the kept table grows to what a fresh one reads."""
    rows = embeddings(1_000, dimension, seed=3)
    table = None
    for counter, (first, last) in enumerate([(0, 300), (300, 301), (301, 301), (301, 1_000)], 1):
        add(connection, range(first + 1, last + 1), rows[first:last], counter)
        table = in_file(connection, table, counter, last)
        assert table.counter == counter
        assert flat(table) == of_rows(range(1, last + 1), rows[:last])
        assert flat(table) == flat(in_file(connection, None, counter, last))


@pytest.mark.parametrize("steps", [1, 3])
def test_a_refresh_follows_merges(connection: apsw.Connection, steps: int) -> None:
    """Runs that were merged since hold old codes and new ones; each is taken once."""
    rows = embeddings(200, 64, seed=4)
    table = None
    for chunk in range(1, 201):
        add(connection, [chunk], rows[chunk - 1 : chunk], chunk)
        if chunk % steps == 0:
            table = in_file(connection, table, chunk, chunk)
            assert flat(table) == of_rows(range(1, chunk + 1), rows[:chunk])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_late_chunks_are_taken_once(connection: apsw.Connection, seed: int) -> None:
    """Older chunks that get their vector later, and removed ones: all that live are there."""
    rng = random.Random(seed)
    rows = embeddings(3_000, 64, seed=seed)
    awaiting: list[int] = []
    living: set[int] = set()
    last = 0
    add(connection, [], rows[:0])
    tables: dict[int, CodeTable | None] = {1: None, 3: None, 10: None}
    for counter in range(1, 200):
        size = rng.choice((1, 2, 9, 30))
        fresh = range(last + 1, last + size + 1)
        last += size
        if rng.random() < 0.4:
            awaiting += fresh
            set_lengths(
                connection,
                np.array(fresh, dtype=np.int64),
                np.ones(size, dtype=np.int64),
                counter,
            )
        else:
            add(connection, fresh, rows[[chunk - 1 for chunk in fresh]], counter)
            living.update(fresh)
        if awaiting and rng.random() < 0.5:
            rng.shuffle(awaiting)
            taken, awaiting = awaiting[:20], awaiting[20:]
            add(connection, taken, rows[[i - 1 for i in taken]], counter, late=True)
            living.update(taken)
        if living and rng.random() < 0.5:
            lost = rng.sample(sorted(living), min(len(living), rng.choice((1, 3, 20))))
            remove(connection, lost, counter)
            living -= set(lost)
        expected = of_rows(sorted(living), rows[[i - 1 for i in sorted(living)]])
        for every, kept in tables.items():
            if counter % every == 0:
                table = in_file(connection, kept, counter, len(living))
                tables[every] = table
                found = flat(table)
                assert {i: code for i, code in found.items() if i in living} == expected
    assert last > 1_000


def put(writer: Writer, key: str, rows: Sequence[FloatArray | None]) -> None:
    """Store a document with a chunk for each vector, or for each that is still awaited."""
    chunks = [
        ChunkRow(number, number + 1, (), 1, ("", "", "w"), vector)
        for number, vector in enumerate(rows)
    ]
    text = "x" * len(rows)
    row = DocumentRow(key, "default", key, "", text, "{}", (), "text/plain", "00" * 32, None)
    writer.put(row, chunks, now=1)


def kept_by(store: SqliteStore) -> Held:
    """The codes that a store keeps in memory at its latest state, of chunks that live."""
    with store.read() as reader:
        table = reader._derived.codes(
            reader._connection,
            MODEL,
            counter=reader.change_counter,
            vector_count=reader.chunk_count - reader.awaiting_count,
        )
        living = reader.lengths().living
    return {i: code for i, code in flat(table).items() if i < len(living) and living[i]}


def test_what_another_user_of_the_file_embeds_is_followed(tmp_path: Path) -> None:
    """Documents stored without vectors, embedded out of order, replaced and deleted by another."""
    rows = embeddings(60, 64, seed=5)
    store, other = SqliteStore(tmp_path / "x.db"), SqliteStore(tmp_path / "x.db")
    with other.write() as writer:
        writer.use_model(ModelInfo("made", 64, "0" * 64, 512))
    expected: Held = {}
    assert kept_by(store) == expected
    with other.write() as writer:
        put(writer, "late", [None] * 20)
    assert kept_by(store) == expected
    with other.write() as writer:
        put(writer, "at once", list(rows[20:40]))
    expected = of_rows(range(21, 41), rows[20:40])
    assert kept_by(store) == expected
    for ids in ([20, 3, 7], [1, 2], [19, 4, 21]):
        with other.write() as writer:
            # Chunk 21 has a vector and is passed over.
            assert writer.embed(np.array(ids), rows[np.array(ids) - 1]) == len(set(ids) - {21})
        expected |= of_rows(ids, rows[np.array(ids) - 1])
        assert kept_by(store) == expected
    with other.write() as writer:
        put(writer, "at once", [*rows[40:50], None])
    for chunk in range(21, 41):
        del expected[chunk]
    expected |= of_rows(range(41, 51), rows[40:50])
    assert kept_by(store) == expected
    with other.write() as writer:
        assert writer.embed(np.array([51, 5]), rows[[50, 4]]) == 2
        put(writer, "third", list(rows[51:60]))
    expected |= of_rows([5, *range(51, 61)], rows[[4, *range(50, 60)]])
    assert kept_by(store) == expected
    fresh = SqliteStore(tmp_path / "x.db")
    assert kept_by(fresh) == expected
    for each in (store, other, fresh):
        each.close()


def test_a_refresh_reads_only_what_is_new(connection: apsw.Connection) -> None:
    """Codes of earlier runs are kept, not read again."""
    rows = embeddings(50, 64, seed=4)
    add(connection, range(1, 41), rows[:40], 1)
    table = in_file(connection, None, 1, 40)
    # Planted without the codes: whoever read all again would miss them.
    connection.execute("DELETE FROM code_run")
    add(connection, range(41, 51), rows[40:], 2)
    assert flat(in_file(connection, table, 2, 50)) == of_rows(range(1, 51), rows)


@pytest.mark.parametrize("counter", [6, 7])
def test_a_table_that_is_new_enough_is_kept(connection: apsw.Connection, counter: int) -> None:
    """A reader of an earlier state takes a newer table as it is."""
    add(connection, [1], embeddings(1, 64, seed=5))
    table = in_file(connection, None, 7, 1)
    assert in_file(connection, table, counter, 1) is table


def test_a_table_of_mostly_removed_chunks_is_read_again(connection: apsw.Connection) -> None:
    """A few codes of chunks that are gone stay; many make the table be read anew."""
    rows = embeddings(1_000, 64, seed=6)
    add(connection, range(1, 101), rows[:100], 1)
    table = in_file(connection, None, 1, 100)
    remove(connection, range(1, 21), 2)
    table = in_file(connection, table, 2, 80)
    assert table.count == 100
    remove(connection, range(21, 101), 3)
    # Each commit of a hundred is a run of its own; the eighth makes them one without the removed.
    for counter in range(4, 11):
        first = 100 * (counter - 3)
        add(connection, range(first + 1, first + 101), rows[first : first + 100], counter)
    assert len(fetch(connection, "SELECT 1 FROM code_run")) == 1
    assert in_file(connection, table, 10, 700).count == 800
    remove(connection, range(101, 201), 11)
    table = in_file(connection, in_file(connection, table, 10, 700), 11, 600)
    # The run in the file still holds those of the last removal; the table does not.
    assert flat(table) == of_rows(range(201, 801), rows[200:800])


def test_full_shards_are_shared_and_small_ones_few() -> None:
    """However many steps a table grows in, full shards stay as they are and no code is lost."""
    rng = np.random.default_rng(7)
    count = 2 * SHARD + 5_000
    rows = unit(rng.standard_normal((count, 8)))
    every = encoded(np.arange(1, count + 1, dtype=np.int64) * 3, rows)
    table = CodeTable(0, 0, 0, ())
    end, moved = 0, 0
    while end < count:
        start, end = end, min(end + int(rng.choice((1, 30, 999))), count)
        earlier = table
        table = code_table._with(1, earlier.last, earlier.shards, [every.only(slice(start, end))])
        assert (table.count, table.last) == (end, 3 * end)
        assert max(len(shard.ids) for shard in table.shards) <= SHARD
        large = [shard for shard in earlier.shards if len(shard.ids) > SHARD / 2]
        assert all(a is b for a, b in zip(large, table.shards, strict=False))
        # Each is larger than all that follow it: sixteen doublings are a full one.
        assert len(table.shards) <= count // SHARD * 2 + 16
        before = {id(shard) for shard in earlier.shards}
        moved += sum(len(shard.ids) for shard in table.shards if id(shard) not in before)
    assert moved < 17 * count
    assert np.array_equal(np.concatenate([shard.ids for shard in table.shards]), every.ids)
    high = np.concatenate([shard.high for shard in table.shards], axis=1)
    assert np.array_equal(high, every.high)
    assert code_table._with(2, table.last, table.shards, []).shards == table.shards
