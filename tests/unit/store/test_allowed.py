"""What a filter allows: the right chunks, remembered while nothing changes and no longer."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vstash.filters import parse
from vstash.store.allowed import Allowed, AllowedCache
from vstash.store.connection import fetch
from vstash.store.rows import ChunkRow, DocumentRow
from vstash.store.sqlite import SqliteStore
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from vstash.types import IdArray

MOST_BYTES = 32 * 1024 * 1024
# Five of these fit, with what each takes beside its arrays.
FIFTH = MOST_BYTES // 5 - 4096
ROOT = Path(__file__).resolve().parents[3]
NOW = 1_000_000
# Adds a document to the file named by its argument.
CHILD = """
import sys
from pathlib import Path
from vstash.store.rows import ChunkRow, DocumentRow
from vstash.store.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
chunks = [ChunkRow(0, 1, (), 1, ("", "", "w"), None)]
row = DocumentRow("z", "default", "z", "", "z", '{"n": 1}', (), "text/plain", "00" * 32, None)
with store.write() as writer:
    writer.put(row, chunks, now=1)
store.close()
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A file with a model."""
    made = SqliteStore(tmp_path / "x.db")
    with made.write() as writer:
        writer.use_model(ModelInfo("made", 64, "0" * 64, 512))
    yield made
    made.close()


def put(
    store: SqliteStore,
    key: str,
    *,
    chunks: int = 2,
    n: int = 1,
    expires_at: int | None = None,
    collection: str = "default",
) -> None:
    """Store a document whose metadata has n."""
    rows = [ChunkRow(i, i + 1, (), 1, ("", "", "w"), None) for i in range(chunks)]
    row = DocumentRow(
        f"{collection}-{key}",
        collection,
        key,
        "",
        "x" * chunks,
        f'{{"n": {n}}}',
        (),
        "text/plain",
        "00" * 32,
        expires_at,
    )
    with store.write() as writer:
        writer.put(row, rows, now=1)


def allowed(
    store: SqliteStore,
    where: dict[str, Any] | None = None,
    *,
    now: int = NOW,
    collection: str = "default",
) -> Allowed | None:
    """What a search would be allowed, after making sure that ids and mask say the same."""
    with store.read() as reader:
        found = reader.allowed(collection, None if where is None else parse(where), now=now)
    if found is not None:
        assert (np.diff(found.ids) > 0).all()
        assert np.flatnonzero(found.mask).tolist() == found.ids.tolist()
        assert len(found.mask) == (found.ids[-1] + 1 if len(found.ids) else 0)
        assert found.ids.dtype == np.dtype(np.int64)
    return found


def ids(found: Allowed | None) -> list[int]:
    """Of what is allowed."""
    assert found is not None
    listed: list[int] = found.ids.tolist()
    return listed


WITH_ONE = {"metadata.n": {"eq": 1}}


def test_everything_allowed_is_none(store: SqliteStore) -> None:
    """Without a filter, another collection's documents or an expired one, nothing is looked up."""
    put(store, "a")
    assert allowed(store) is None
    put(store, "b", expires_at=NOW + 5)
    assert allowed(store) is None
    assert ids(allowed(store, now=NOW + 5)) == [1, 2]
    put(store, "c", collection="other")
    assert ids(allowed(store)) == [1, 2, 3, 4]
    assert ids(allowed(store, collection="other")) == [5, 6]


def test_a_filter_allows_its_chunks(store: SqliteStore) -> None:
    """Those of the documents that it matches, in this collection, which have not expired."""
    put(store, "a", n=1)
    put(store, "b", n=2)
    put(store, "c", n=1, collection="other")
    put(store, "d", n=1, chunks=3, expires_at=NOW + 1)
    put(store, "e", n=1, chunks=1, expires_at=NOW)
    assert ids(allowed(store, WITH_ONE)) == [1, 2, 7, 8, 9]
    assert ids(allowed(store, {"metadata.n": {"eq": 2}})) == [3, 4]
    assert ids(allowed(store, WITH_ONE, collection="other")) == [5, 6]
    assert ids(allowed(store, {"metadata.n": {"eq": 3}})) == []


def test_what_was_found_is_found_again(store: SqliteStore) -> None:
    """While nothing changes a filter is looked up once, each with its values and collection."""
    put(store, "a", n=1)
    put(store, "b", n=2)
    put(store, "c", n=1, collection="other")
    asked: Sequence[tuple[dict[str, Any] | None, str]] = [
        (WITH_ONE, "default"),
        ({"metadata.n": {"eq": 2}}, "default"),
        ({"metadata.n": {"eq": "1"}}, "default"),
        (WITH_ONE, "other"),
        (None, "default"),
        (None, "other"),
    ]
    first = [allowed(store, where, collection=name) for where, name in asked]
    again = [allowed(store, where, collection=name, now=NOW + 9) for where, name in asked]
    assert [ids(found) for found in first] == [[1, 2], [3, 4], [], [5, 6], [1, 2, 3, 4], [5, 6]]
    assert all(a is b for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("other_process", [True, False])
def test_a_write_is_seen(store: SqliteStore, *, other_process: bool) -> None:
    """What this process or another one stores is allowed by the next search."""
    put(store, "a", n=1)
    assert ids(allowed(store, WITH_ONE)) == [1, 2]
    if other_process:
        subprocess.run(
            [sys.executable, "-c", CHILD, str(store.path)],
            check=True,
            timeout=60,
            env=os.environ | {"PYTHONPATH": str(ROOT), "VSTASH_CONFIG": os.devnull},
        )
    else:
        put(store, "z", n=1, chunks=1)
    assert ids(allowed(store, WITH_ONE)) == [1, 2, 3]


def test_deleting_and_changing_fields_are_seen(store: SqliteStore) -> None:
    """Metadata that no longer matches, and documents that are gone, are not allowed any more."""
    put(store, "a", n=1)
    put(store, "b", n=1)
    assert ids(allowed(store, WITH_ONE)) == [1, 2, 3, 4]
    row = DocumentRow("b", "default", "b", "", "xx", '{"n": 2}', (), "text/plain", "00" * 32, None)
    with store.write() as writer:
        number = fetch(writer._connection, "SELECT number FROM document WHERE key = 'b'")[0][0]
        writer.put_fields(number, row, now=2)
    assert ids(allowed(store, WITH_ONE)) == [1, 2]
    with store.write() as writer:
        writer.delete(fetch(writer._connection, "SELECT min(number) FROM document")[0][0])
    assert ids(allowed(store, WITH_ONE)) == []


def test_an_expiry_is_seen(store: SqliteStore) -> None:
    """Without any write, a document is not allowed from its moment on."""
    put(store, "a", n=1)
    put(store, "b", n=1, expires_at=NOW + 10)
    put(store, "c", n=1, expires_at=NOW + 20)
    before = allowed(store, WITH_ONE, now=NOW)
    assert allowed(store, WITH_ONE, now=NOW + 9) is before
    assert ids(before) == [1, 2, 3, 4, 5, 6]
    assert ids(allowed(store, WITH_ONE, now=NOW + 10)) == [1, 2, 5, 6]
    assert ids(allowed(store, WITH_ONE, now=NOW + 19)) == [1, 2, 5, 6]
    last = allowed(store, WITH_ONE, now=NOW + 20)
    assert ids(last) == [1, 2]
    assert allowed(store, WITH_ONE, now=NOW + 10**12) is last


def test_a_clock_that_goes_back_brings_back_what_had_expired(store: SqliteStore) -> None:
    """What was found later says nothing about an earlier moment."""
    put(store, "a", n=1)
    put(store, "b", n=1, expires_at=NOW + 10)
    assert ids(allowed(store, WITH_ONE, now=NOW + 50)) == [1, 2]
    assert ids(allowed(store, WITH_ONE, now=NOW)) == [1, 2, 3, 4]
    assert ids(allowed(store, WITH_ONE, now=NOW + 9)) == [1, 2, 3, 4]
    assert ids(allowed(store, WITH_ONE, now=NOW + 50)) == [1, 2]


def test_a_reader_that_began_before_a_write_has_its_own_state(store: SqliteStore) -> None:
    """It neither takes what was found since nor leaves what it finds for newer readers."""
    put(store, "a", n=1)
    where = parse(WITH_ONE)
    with store.read() as old:
        assert old.change_counter > 0
        put(store, "b", n=1)
        newer = allowed(store, WITH_ONE)
        assert ids(old.allowed("default", where, now=NOW)) == [1, 2]
        assert ids(old.allowed("default", where, now=NOW)) == [1, 2]
    assert ids(newer) == [1, 2, 3, 4]
    assert allowed(store, WITH_ONE) is newer


def large(number: int, size: int) -> Allowed:
    """Chunks whose ids and mask take this many bytes."""
    half = size // 2
    return Allowed(
        np.full(half // 8, number, dtype=np.int64), np.ones(size - half, dtype=np.bool_), 0, 9
    )


def held(cache: AllowedCache, count: int) -> list[int]:
    """Which of so many filters are known."""
    return [n for n in range(count) if cache._found.get((1, str(n), ())) is not None]


def test_what_is_remembered_is_bounded() -> None:
    """What was asked for longest ago goes first, and the sum of bytes never passes the bound."""
    cache = AllowedCache()
    size = FIFTH
    for number in range(12):
        cache.put((1, str(number), ()), 7, large(number, size))
        assert sum(each.size for each in cache._found.values()) <= MOST_BYTES
        # The first is asked for again and again.
        found = cache.get((1, "0", ()), 7, 5)
        assert found is not None
        assert int(found.ids[0]) == 0
    assert held(cache, 12) == [0, 8, 9, 10, 11]
    cache.put((1, "x", ()), 7, large(99, MOST_BYTES + 16))
    assert held(cache, 12) == [0, 8, 9, 10, 11]


def test_a_filter_found_twice_counts_once() -> None:
    """Two threads that looked for the same leave room for the others."""
    cache = AllowedCache()
    for _ in range(50):
        cache.put((1, "0", ()), 7, large(0, FIFTH))
    for number in range(1, 5):
        cache.put((1, str(number), ()), 7, large(number, FIFTH))
    assert held(cache, 5) == [0, 1, 2, 3, 4]


def test_filters_that_allow_nothing_are_bounded_too() -> None:
    """A program that asks for ever other values does not fill the memory with empty answers."""
    cache = AllowedCache()
    nothing = Allowed(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_), 0, 9)
    # An entry takes more than 256 bytes beside its arrays.
    most = MOST_BYTES // 256
    for number in range(most + 10):
        cache.put((1, "d.number = ?", (number,)), 7, nothing)
    assert len(cache._found) <= most
    assert cache.get((1, "d.number = ?", (most + 9,)), 7, 5) is nothing


def test_a_newer_state_forgets_an_older_one() -> None:
    """What was found at an older state is neither given out nor taken in any more."""
    cache = AllowedCache()
    key = (1, "0", ())
    old, new = large(1, 80), large(2, 80)
    cache.put(key, 7, old)
    assert cache.get(key, 7, 5) is old
    assert cache.get(key, 8, 5) is None
    assert cache.get(key, 6, 5) is None
    cache.put(key, 8, new)
    cache.put(key, 7, old)
    assert cache.get(key, 8, 5) is new
    assert cache.get(key, 7, 5) is None


@pytest.mark.parametrize(("now", "known"), [(-1, False), (0, True), (8, True), (9, False)])
def test_what_was_found_holds_from_its_moment_to_the_next_expiry(now: int, *, known: bool) -> None:
    """From when it was found, that moment included, until a document expires, that one not."""
    cache = AllowedCache()
    cache.put((1, "0", ()), 7, large(1, 80))
    assert (cache.get((1, "0", ()), 7, now) is not None) == known


def test_threads_share_what_is_known() -> None:
    """Many threads that look and remember at once leave the bookkeeping as it must be."""
    cache = AllowedCache()
    wrong: list[IdArray] = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for step in range(400):
            number = int(rng.integers(0, 40))
            key, counter = (1, str(number), ()), step // 100
            found = cache.get(key, counter, 5)
            if found is None:
                cache.put(key, counter, large(number, MOST_BYTES // 20))
            elif int(found.ids[0]) != number:
                wrong.append(found.ids)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sum(each.size for each in cache._found.values()) <= MOST_BYTES
