"""Packed postings: exact at every moment of a merge, and bounded in their segments."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from vstash import Memory, NewDocument
from vstash.store.connection import fetch
from vstash.store.lengths import set_lengths
from vstash.store.levels import FAN_IN
from vstash.store.postings import (
    FINAL_LEVEL,
    MAX_COUNT,
    add_postings,
    clear_postings,
    last_posted,
    merge_some,
    postings,
)
from vstash.store.sqlite import SqliteStore

Expected = dict[str, dict[int, int]]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A write connection inside a transaction."""
    store = SqliteStore(tmp_path / "x.db")
    with store.write() as writer:
        yield writer._connection
    store.close()


def add(connection: apsw.Connection, chunks: dict[int, dict[str, int]], counter: int = 1) -> None:
    """Write chunks as one commit does: a segment, and their lengths."""
    rows = add_postings(
        connection, [(chunk, list(Counter(words).elements())) for chunk, words in chunks.items()]
    )
    assert rows == len({word for words in chunks.values() for word in words})
    resize(connection, {chunk: sum(words.values()) for chunk, words in chunks.items()}, counter)


def resize(connection: apsw.Connection, lengths: dict[int, int], counter: int = 1) -> None:
    """Write lengths, 0 for a chunk that is gone."""
    ids = np.array(list(lengths), dtype=np.int64)
    set_lengths(connection, ids, np.array(list(lengths.values()), dtype=np.int64), counter)


def found(connection: apsw.Connection, word: str) -> dict[int, int]:
    """Counts by chunk, after making sure that each chunk comes once."""
    posting = postings(connection, [word])[word]
    assert posting.ids.shape == posting.counts.shape
    pairs = dict(zip(posting.ids.tolist(), posting.counts.tolist(), strict=True))
    assert len(pairs) == len(posting.ids), "a posting was found twice"
    return pairs


def levels(connection: apsw.Connection) -> Counter[int]:
    """How many segments each level has."""
    return Counter(row[0] for row in fetch(connection, "SELECT level FROM segment"))


def merging(connection: apsw.Connection) -> bool:
    """Whether a merge is half done."""
    return bool(fetch(connection, "SELECT 1 FROM segment WHERE merge_into IS NOT NULL LIMIT 1"))


def by_word(chunks: dict[int, dict[str, int]]) -> Expected:
    """The plain dictionary that postings are compared with."""
    expected: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for chunk, words in chunks.items():
        for word, count in words.items():
            expected[word][chunk] = min(count, MAX_COUNT)
    return dict(expected)


def wide(chunk: int, words: int) -> dict[str, int]:
    """A chunk of many distinct words, most of which its neighbours have too."""
    rng = random.Random(chunk)
    return {f"w{number:05}": rng.randint(1, 3) for number in rng.sample(range(2 * words), words)}


def test_what_is_added_is_found(connection: apsw.Connection) -> None:
    """Each word leads to its chunks with their counts, over all segments."""
    add(connection, {1: {"amber": 2, "lamp": 1}, 2: {"amber": 1}})
    add(connection, {7: {"lamp": 3}, 70_000: {"amber": 5, "東京": 1}})
    assert found(connection, "amber") == {1: 2, 2: 1, 70_000: 5}
    assert found(connection, "lamp") == {1: 1, 7: 3}
    assert found(connection, "東京") == {70_000: 1}
    posting = postings(connection, ["amber"])["amber"]
    assert posting.ids.dtype == np.dtype(np.int64)
    assert posting.counts.dtype == np.dtype(np.uint8)


@pytest.mark.parametrize("word", ["", "nowhere", "amb", "AMBER", "amber' OR 1", "%"])
def test_a_word_that_is_nowhere_has_an_empty_posting(
    connection: apsw.Connection, word: str
) -> None:
    """Only the very word is looked up."""
    add(connection, {1: {"amber": 2}})
    assert found(connection, word) == {}


def test_words_are_found_together_as_alone(connection: apsw.Connection) -> None:
    """Many words are looked up at once, in any order, and one that is nowhere is empty."""
    add(connection, {1: {"amber": 2, "lamp": 1}, 2: {"amber": 1}})
    add(connection, {3: {"lamp": 3, "basil": 1}, 4: {"cedar": 300}})
    asked = ["lamp", "nowhere", "cedar", "amber", "", "basil"]
    together = postings(connection, asked)
    assert list(together) == asked
    for word in asked:
        pairs = zip(together[word].ids.tolist(), together[word].counts.tolist(), strict=True)
        assert dict(pairs) == found(connection, word)
    assert postings(connection, []) == {}


def test_only_newer_chunks_are_found_after_an_id(connection: apsw.Connection) -> None:
    """Who knows the postings up to a chunk gets the rest, in the middle of a merge too."""
    chunks: dict[int, dict[str, int]] = {}
    for chunk in range(1, 31):
        chunks[chunk] = wide(chunk, 700) | {"amber": 1 + chunk % 3}
        add(connection, {chunk: chunks[chunk]})
        merge_some(connection, 1)
        expected = by_word(chunks)["amber"]
        for after in (0, 1, chunk - 9, chunk - 1, chunk):
            posting = postings(connection, ["amber", "nowhere"], after=max(after, 0))["amber"]
            pairs = zip(posting.ids.tolist(), posting.counts.tolist(), strict=True)
            assert sorted(pairs) == [(i, n) for i, n in expected.items() if i > after]
    assert len(levels(connection)) > 1


def test_the_last_posted_chunk_is_never_forgotten(connection: apsw.Connection) -> None:
    """It stays known when its segment is merged, and when it is gone."""
    assert last_posted(connection) == 0
    for chunk in range(1, FAN_IN + 1):
        add(connection, {10 * chunk: {"amber": 1}})
        assert last_posted(connection) == 10 * chunk
    resize(connection, {10 * FAN_IN: 0}, counter=2)
    merge_some(connection, 10_000)
    assert levels(connection) == {1: 1}
    assert last_posted(connection) == 10 * FAN_IN
    add(connection, {900: {}})
    assert last_posted(connection) == 900


def test_a_chunk_without_words_is_in_no_posting(connection: apsw.Connection) -> None:
    """Punctuation alone leaves a segment without rows, which merges like any other."""
    for chunk in range(1, FAN_IN + 1):
        add(connection, {chunk: {"amber": 1} if chunk == 3 else {}})
    merge_some(connection, 10_000)
    assert levels(connection) == {1: 1}
    assert found(connection, "amber") == {3: 1}


@pytest.mark.parametrize(
    ("chunks", "level"), [(1, 0), (FAN_IN - 1, 0), (FAN_IN, 1), (63, 1), (64, 2), (600, 3)]
)
def test_a_large_commit_starts_at_the_level_of_its_size(
    connection: apsw.Connection, chunks: int, level: int
) -> None:
    """What is already large is not merged from the bottom up."""
    add(connection, {chunk: {"amber": 1} for chunk in range(1, chunks + 1)})
    assert levels(connection) == {level: 1}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_commits_of_any_size_merge(connection: apsw.Connection, seed: int) -> None:
    """Large commits between small ones, and the other way about, lose and double nothing."""
    rng = random.Random(seed)
    chunks: dict[int, dict[str, int]] = {}
    for counter in range(1, 200):
        first = len(chunks) + 1
        size = rng.choice((1, 1, 1, 2, FAN_IN, 3 * FAN_IN))
        new = {
            chunk: {"amber": 1 + chunk % 3, f"w{rng.randrange(40)}": 1}
            for chunk in range(first, first + size)
        }
        add(connection, new, counter=counter)
        chunks |= new
        merge_some(connection, 500)
        assert all(count < FAN_IN for count in levels(connection).values())
    expected = by_word(chunks)
    assert {word: found(connection, word) for word in expected} == expected


@pytest.mark.parametrize("ids", ["01ffffffff", "0101", "0301000000", "01010000000101"])
def test_a_merge_leaves_what_is_damaged(connection: apsw.Connection, ids: str) -> None:
    """Ids beyond all chunks, and rows that cannot be read, are not merged into sound ones.

    Nor do they stop the write that came to merge them; the row stays for the check to find.
    """
    for chunk in range(1, FAN_IN + 1):
        add(connection, {chunk: {"amber": 2}})
    connection.execute(f"UPDATE posting SET ids = x'{ids}' WHERE segment = 3")
    merge_some(connection, 1)
    add(connection, {FAN_IN + 1: {"cedar": 1}})
    assert found(connection, "cedar") == {FAN_IN + 1: 1}
    rows = fetch(connection, "SELECT hex(ids) FROM posting WHERE segment = 3")
    assert rows == [(ids.upper(),)]


def test_counts_are_capped(connection: apsw.Connection) -> None:
    """More than 255 occurrences count as 255, also after a merge."""
    counts = {1: 254, 2: 255, 3: 256, 4: 10_000}
    for chunk, count in counts.items():
        add(connection, {chunk: {"amber": count}})
    capped = {1: 254, 2: 255, 3: 255, 4: 255}
    assert found(connection, "amber") == capped
    for chunk in range(5, 5 + FAN_IN):
        add(connection, {chunk: {"lamp": 1}})
    merge_some(connection, 10_000)
    assert levels(connection)[1] == 1
    assert found(connection, "amber") == capped


def test_nothing_added_is_no_segment(connection: apsw.Connection) -> None:
    """A commit without new chunks, such as a deletion, leaves no segment behind."""
    assert add_postings(connection, []) == 0
    assert levels(connection) == {}
    merge_some(connection, 1)
    assert levels(connection) == {}


def test_fewer_segments_than_a_merge_takes_stay(connection: apsw.Connection) -> None:
    """Seven segments are left alone, the eighth makes them one."""
    for chunk in range(1, FAN_IN):
        add(connection, {chunk: {"amber": 1, f"w{chunk}": 2}})
        merge_some(connection, 10_000)
    assert levels(connection) == {0: FAN_IN - 1}
    add(connection, {FAN_IN: {"amber": 1}})
    merge_some(connection, 10_000)
    assert levels(connection) == {1: 1}
    assert found(connection, "amber") == dict.fromkeys(range(1, FAN_IN + 1), 1)
    assert found(connection, "w3") == {3: 2}


def test_segments_stay_bounded(connection: apsw.Connection) -> None:
    """After any number of small commits each level has fewer segments than a merge takes."""
    chunks = {chunk: {"amber": 1, f"w{chunk % 17}": 1 + chunk % 3} for chunk in range(1, 601)}
    for chunk, words in chunks.items():
        add(connection, {chunk: words})
        merge_some(connection, 500)
        assert all(count < FAN_IN for count in levels(connection).values())
    # 600 in base 8 is 1130: that many segments of each level.
    assert levels(connection) == {1: 3, 2: 1, 3: 1}
    assert {word: found(connection, word) for word in by_word(chunks)} == by_word(chunks)


def test_every_posting_is_found_once_in_the_middle_of_a_merge(
    connection: apsw.Connection,
) -> None:
    """However a merge is cut into steps, each state holds what a dictionary would."""
    chunks: dict[int, dict[str, int]] = {}
    for chunk in range(1, FAN_IN + 1):
        chunks[chunk] = wide(chunk, 2_000)
        add(connection, {chunk: chunks[chunk]})
    expected = by_word(chunks)
    halfway = 0
    while levels(connection) != {1: 1}:
        merge_some(connection, 1)
        halfway += merging(connection)
        assert {word: found(connection, word) for word in expected} == expected
    assert halfway >= 3
    assert fetch(connection, "SELECT count(*) FROM posting") == [(len(expected),)]


def test_commits_in_the_middle_of_a_merge_are_found(connection: apsw.Connection) -> None:
    """What is added and removed while a merge is half done is neither lost nor doubled."""
    chunks: dict[int, dict[str, int]] = {}
    gone: set[int] = set()
    seen_halfway = 0
    for chunk in range(1, 41):
        chunks[chunk] = wide(chunk, 600 if chunk % 5 else 3)
        add(connection, {chunk: chunks[chunk]}, counter=chunk)
        if chunk % 7 == 0:
            gone.add(chunk - 3)
            resize(connection, {chunk - 3: 0}, counter=chunk)
        merge_some(connection, 1)
        seen_halfway += merging(connection)
        expected = by_word(chunks)
        for word in random.Random(chunk).sample(sorted(expected), 60):
            living = {i: n for i, n in expected[word].items() if i not in gone}
            there = found(connection, word)
            assert {i: n for i, n in there.items() if i not in gone} == living
            assert there.items() <= expected[word].items()
    assert seen_halfway > 3
    assert levels(connection)[1] >= 1


def test_a_step_moves_a_bounded_part(connection: apsw.Connection) -> None:
    """A small step leaves most of a large merge for later commits."""
    for chunk in range(1, FAN_IN + 1):
        add(connection, {chunk: {f"w{number:05}": 1 for number in range(3_000)}})
    merge_some(connection, 1)
    assert merging(connection)
    moved = fetch(
        connection,
        "SELECT count(*) FROM posting WHERE segment = (SELECT max(merge_into) FROM segment)",
    )[0][0]
    assert 0 < moved <= 500


def test_a_merge_drops_the_postings_of_removed_chunks(connection: apsw.Connection) -> None:
    """They stay until a merge meets them; then the rest is what is left."""
    for chunk in range(1, FAN_IN + 1):
        add(connection, {chunk: {"amber": chunk, f"only{chunk}": 1}})
    resize(connection, {2: 0, 5: 0}, counter=2)
    assert set(found(connection, "amber")) == set(range(1, FAN_IN + 1))
    merge_some(connection, 10_000)
    left = {chunk: chunk for chunk in range(1, FAN_IN + 1) if chunk not in {2, 5}}
    assert found(connection, "amber") == left
    assert found(connection, "only2") == {}
    assert found(connection, "only3") == {3: 1}


def test_a_merge_forgets_words_that_no_chunk_has(connection: apsw.Connection) -> None:
    """A word of removed chunks alone is not kept without its chunks."""
    for chunk in range(1, FAN_IN + 1):
        add(connection, {chunk: {"amber": 1, f"only{chunk}": 1}})
    resize(connection, {2: 0}, counter=2)
    merge_some(connection, 10_000)
    words = {row[0] for row in fetch(connection, "SELECT word FROM posting")}
    assert words == {"amber", *(f"only{n}" for n in range(1, FAN_IN + 1) if n != 2)}


def test_segments_whose_chunks_are_all_gone_merge_to_nothing(
    connection: apsw.Connection,
) -> None:
    """A merge of nothing but removed chunks ends, and leaves no posting."""
    for chunk in range(1, FAN_IN + 1):
        add(connection, {chunk: {"amber": 1}})
    resize(connection, dict.fromkeys(range(1, FAN_IN + 1), 0), counter=2)
    merge_some(connection, 10_000)
    assert not merging(connection)
    assert levels(connection) == {1: 1}
    assert found(connection, "amber") == {}


@pytest.mark.parametrize("half_merged", [False, True])
def test_clearing_removes_everything(connection: apsw.Connection, *, half_merged: bool) -> None:
    """No posting and no segment is left, in the middle of a merge neither."""
    for chunk in range(1, FAN_IN + 1):
        add(connection, {chunk: wide(chunk, 1_500)})
    if half_merged:
        merge_some(connection, 1)
        assert merging(connection)
    clear_postings(connection)
    assert fetch(connection, "SELECT count(*) FROM posting") == [(0,)]
    assert levels(connection) == {}
    add(connection, {90: {"amber": 4}})
    merge_some(connection, 10_000)
    assert found(connection, "amber") == {90: 4}


def test_a_commit_is_one_segment(tmp_path: Path) -> None:
    """However many documents a transaction stores, and what it stored and dropped is not in it."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add_batch([NewDocument(f"amber lamp {n}", key=str(n)) for n in range(30)])
        memory.add_batch([NewDocument(text, key="same") for text in ("basil one", "cedar two")])
    store = SqliteStore(tmp_path / "x.db")
    with store.read() as reader:
        # Thirty chunks are as many as a merged segment of level 1 has.
        assert levels(reader._connection) == {1: 1, 0: 1}
        assert len(found(reader._connection, "amber")) == 30
        assert found(reader._connection, "basil") == {}
        assert list(found(reader._connection, "cedar").values()) == [1]
    store.close()


def test_a_final_segment_of_which_most_are_gone_is_made_anew(connection: apsw.Connection) -> None:
    """A bounded number of rows at a time, and not again while no more are gone."""
    chunks = {chunk: wide(chunk, 900) for chunk in range(1, 41)}
    add(connection, chunks)
    connection.execute("UPDATE segment SET level = ?", (FINAL_LEVEL,))
    resize(connection, dict.fromkeys(range(1, 20), 0))
    merge_some(connection, 10_000)
    assert fetch(connection, "SELECT id FROM segment") == [(1,)], "more than half live"
    resize(connection, dict.fromkeys(range(20, 31), 0))
    merge_some(connection, 1)
    assert merging(connection), "so many words are more than one step"
    expected = by_word({chunk: words for chunk, words in chunks.items() if chunk > 30})
    assert {word: found(connection, word) for word in expected}.keys() == expected.keys()
    merge_some(connection, 100_000)
    assert {word: found(connection, word) for word in expected} == expected
    rows = fetch(connection, "SELECT level, first, last, chunks FROM segment")
    assert rows == [(FINAL_LEVEL, 1, 40, 10)]
    held = fetch(connection, "SELECT count(*) FROM posting")[0][0]
    assert held == len(expected), "words that no chunk has any more are forgotten"
    before = fetch(connection, "SELECT id FROM segment")
    merge_some(connection, 100_000)
    assert fetch(connection, "SELECT id FROM segment") == before
