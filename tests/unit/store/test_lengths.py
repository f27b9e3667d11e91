"""Lengths of chunks: blocks by id, read again only where they changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import apsw
import numpy as np
import pytest

from vstash.store.connection import fetch
from vstash.store.lengths import MAX_LENGTH, LengthTable, all_lengths, refreshed, set_lengths
from vstash.store.sqlite import SqliteStore

BLOCK = 4096


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A write connection inside a transaction."""
    store = SqliteStore(tmp_path / "x.db")
    with store.write() as writer:
        yield writer._connection
    store.close()


def write(connection: apsw.Connection, lengths: Mapping[int, int], counter: int) -> None:
    """Set lengths by chunk id."""
    ids = np.array(list(lengths), dtype=np.int64)
    set_lengths(connection, ids, np.array(list(lengths.values()), dtype=np.int64), counter)


def changes(connection: apsw.Connection) -> dict[int, int]:
    """The counter of each block's last change."""
    return dict(fetch(connection, "SELECT block, changed FROM length_block ORDER BY block"))


def held(table: LengthTable) -> dict[int, int]:
    """Lengths by id of the chunks that exist."""
    return {int(chunk): int(table.lengths[chunk]) for chunk in np.flatnonzero(table.lengths)}


def test_an_empty_file_has_no_chunks() -> None:
    """Without any block the table is empty and its mean can still be divided by."""
    run = apsw.Connection(":memory:")
    run.execute("CREATE TABLE length_block (block INTEGER PRIMARY KEY, changed, lengths)")
    table = refreshed(run, None, 0)
    run.close()
    assert held(table) == {}
    assert (table.count, table.mean) == (0, 1.0)


def test_what_is_written_is_read(connection: apsw.Connection) -> None:
    """Lengths on both sides of a block's border are found under their ids."""
    lengths = {1: 7, BLOCK - 1: 11, BLOCK: 13, BLOCK + 1: 17, 3 * BLOCK + 5: 19}
    write(connection, lengths, 1)
    assert list(changes(connection)) == [0, 1, 3]
    table = refreshed(connection, None, 1)
    assert held(table) == lengths
    assert table.lengths.dtype == np.uint16
    assert len(table.lengths) == 4 * BLOCK
    assert np.array_equal(all_lengths(connection), table.lengths)


def test_count_and_mean_are_those_of_the_chunks_that_exist(connection: apsw.Connection) -> None:
    """A chunk that is gone counts neither in the number nor in the mean."""
    write(connection, {1: 10, 2: 20, BLOCK: 60}, 1)
    table = refreshed(connection, None, 1)
    assert (table.count, table.mean) == (3, 30.0)
    write(connection, {BLOCK: 0}, 2)
    table = refreshed(connection, table, 2)
    assert held(table) == {1: 10, 2: 20}
    assert (table.count, table.mean) == (2, 15.0)
    write(connection, {1: 0, 2: 0}, 3)
    table = refreshed(connection, table, 3)
    assert (table.count, table.mean) == (0, 1.0)


def test_the_mean_of_many_long_chunks_does_not_overflow(connection: apsw.Connection) -> None:
    """Lengths are summed in 64 bits."""
    ids = np.arange(1, 3 * BLOCK, dtype=np.int64)
    set_lengths(connection, ids, np.full(len(ids), MAX_LENGTH, dtype=np.int64), 1)
    table = refreshed(connection, None, 1)
    assert (table.count, table.mean) == (3 * BLOCK - 1, float(MAX_LENGTH))


def test_a_length_beyond_the_largest_is_the_largest(connection: apsw.Connection) -> None:
    """A very long chunk is cut to 65,535 words, never to a small rest."""
    write(connection, {1: MAX_LENGTH - 1, 2: MAX_LENGTH, 3: MAX_LENGTH + 1, 4: 10**9}, 1)
    top = MAX_LENGTH
    assert held(refreshed(connection, None, 1)) == {1: top - 1, 2: top, 3: top, 4: top}


def test_a_write_touches_only_its_blocks(connection: apsw.Connection) -> None:
    """Each block remembers the counter of the write that touched it last, others keep theirs."""
    write(connection, {1: 5, BLOCK: 5, 2 * BLOCK: 5}, 1)
    assert changes(connection) == {0: 1, 1: 1, 2: 1}
    write(connection, {BLOCK + 9: 3}, 2)
    assert changes(connection) == {0: 1, 1: 2, 2: 1}
    write(connection, {}, 3)
    assert changes(connection) == {0: 1, 1: 2, 2: 1}
    write(connection, {2: 1, 2 * BLOCK: 0}, 4)
    assert changes(connection) == {0: 4, 1: 2, 2: 4}
    assert held(refreshed(connection, None, 4)) == {1: 5, 2: 1, BLOCK: 5, BLOCK + 9: 3}


def test_a_refresh_reads_only_what_changed(connection: apsw.Connection) -> None:
    """A block whose counter is not newer than the table is not read again."""
    write(connection, {1: 5, BLOCK: 6}, 1)
    table = refreshed(connection, None, 1)
    # Planted behind the counters: whoever read block 0 again would see it.
    connection.execute("UPDATE length_block SET lengths = zeroblob(8192) WHERE block = 0")
    write(connection, {BLOCK + 1: 7}, 2)
    newer = refreshed(connection, table, 2)
    assert held(newer) == {1: 5, BLOCK: 6, BLOCK + 1: 7}
    assert held(refreshed(connection, None, 2)) == {BLOCK: 6, BLOCK + 1: 7}


def test_a_table_grows_with_the_ids(connection: apsw.Connection) -> None:
    """A refresh after the ids went over the border holds old and new."""
    write(connection, {BLOCK - 1: 1}, 1)
    table = refreshed(connection, None, 1)
    write(connection, {BLOCK: 2, 2 * BLOCK: 3}, 2)
    newer = refreshed(connection, table, 2)
    assert held(newer) == {BLOCK - 1: 1, BLOCK: 2, 2 * BLOCK: 3}
    assert (newer.counter, newer.count, newer.mean) == (2, 3, 2.0)


def test_a_table_is_never_changed(connection: apsw.Connection) -> None:
    """Other threads read the earlier table while a new one is made."""
    write(connection, {1: 5}, 1)
    table = refreshed(connection, None, 1)
    write(connection, {1: 9, 2: 4}, 2)
    assert held(refreshed(connection, table, 2)) == {1: 9, 2: 4}
    assert held(table) == {1: 5}


@pytest.mark.parametrize("counter", [3, 4])
def test_a_table_that_is_new_enough_is_kept(connection: apsw.Connection, counter: int) -> None:
    """A reader of an earlier state takes a newer table as it is."""
    write(connection, {1: 5}, 4)
    table = refreshed(connection, None, 4)
    assert refreshed(connection, table, counter) is table
