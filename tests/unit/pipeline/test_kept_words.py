"""What the keyword leg keeps in memory: used while it holds, bounded, and shared by threads."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.pipeline.plain_bm25 import (
    BUDGET,
    VOCABULARY,
    compare,
    delete,
    listed,
    now,
    opened,
    planted,
    put,
)
from vstash.pipeline.keyword_leg import KeywordLeg
from vstash.store.connection import fetch
from vstash.store.faults import IndexDamagedError
from vstash.store.session import Reader
from vstash.store.sqlite import SqliteStore


def test_known_words_need_nothing_from_an_unchanged_file(store: SqliteStore) -> None:
    """Planted without postings: who knows the words does not look at them."""
    leg = KeywordLeg(BUDGET)
    expected = now(store.path)
    compare(leg, store, ["amber", "lamp", "nowhere"], expected)
    planted(store, "DELETE FROM posting")
    compare(leg, store, ["lamp", "amber", "nowhere"], expected)
    with store.read() as reader:
        assert listed(leg.score(reader, ["basil"], ["basil"])) == {}


def test_after_a_write_only_newer_segments_are_read(store: SqliteStore, other: SqliteStore) -> None:
    """Planted without the old postings: what is known of them is kept."""
    leg = KeywordLeg(BUDGET)
    compare(leg, store, ["amber", "lamp", "nowhere"], now(store.path))
    planted(store, "DELETE FROM posting")
    put(other, {"d": ["amber amber", "nowhere"], "e": ["lamp"]})
    delete(other, "b")
    compare(leg, store, ["nowhere", "amber", "lamp"], now(store.path))


def test_words_known_since_different_writes_are_brought_up_to_date(store: SqliteStore) -> None:
    """Each word gets what is newer than it, the first known one most."""
    leg = KeywordLeg(BUDGET)
    for number, word in enumerate(["amber", "lamp", "basil", "cedar"]):
        compare(leg, store, [word], now(store.path))
        put(store, {f"n{number}": ["amber lamp", "basil cedar cedar"]})
    compare(leg, store, ["cedar", "amber", "unknown", "lamp", "basil"], now(store.path))


def known(leg: KeywordLeg) -> list[str]:
    """The words that are kept, after making sure that the sum of their bytes is right."""
    assert leg._bytes == sum(each.size for each in leg._known.values())
    assert leg._bytes <= leg._budget
    return list(leg._known)


def test_words_take_no_more_than_their_budget(tmp_path: Path) -> None:
    """What was asked for longest ago goes first; a word too large for all of it is not kept."""
    made = opened(tmp_path / "x.db")
    put(made, {"a": [" ".join(["large", *VOCABULARY[:20]])] + ["large"] * 2_000})
    expected = now(made.path)
    with made.read() as reader:
        leg = KeywordLeg(BUDGET)
        leg.score(reader, [VOCABULARY[0]], [VOCABULARY[0]])
    size = leg._known[VOCABULARY[0]].size
    leg = KeywordLeg(5 * size)
    for word in VOCABULARY[:9]:
        compare(leg, made, [VOCABULARY[0], word], expected)
        assert known(leg)[-1] == word
    assert set(known(leg)) == {VOCABULARY[0], *VOCABULARY[5:9]}
    compare(leg, made, ["large", *VOCABULARY[:20]], expected)
    assert "large" not in known(leg)
    for number in range(30):
        put(made, {str(number): [" ".join(VOCABULARY[:9])]})
        compare(leg, made, VOCABULARY[:9], now(made.path))
        assert len(known(leg)) <= 5
    made.close()


def test_a_damaged_word_is_an_error_of_its_own(store: SqliteStore) -> None:
    """Postings that cannot be read say so, other words are found, and a repair is noticed."""
    leg = KeywordLeg(BUDGET)
    sound = now(store.path)
    change = "UPDATE posting SET ids = CAST(x'{}' || substr(ids, 2) AS BLOB) WHERE word = 'amber'"
    planted(store, change.format("09"))
    for _ in range(2):
        with pytest.raises(IndexDamagedError), store.read() as reader:
            leg.score(reader, ["lamp", "amber"], ["lamp", "amber"])
    compare(leg, store, ["lamp", "basil"], sound)
    planted(store, change.format("01"))
    compare(leg, store, ["lamp", "amber"], sound)


@pytest.mark.parametrize("budget", [4_000, BUDGET])
def test_threads_share_what_is_known(tmp_path: Path, budget: int) -> None:
    """Searches at once, each in its own transaction, have the scores of searches one by one."""
    rng = random.Random(4)
    made = opened(tmp_path / "x.db")
    for number in range(20):
        put(made, {str(number): [" ".join(rng.choices(VOCABULARY, k=30)) for _ in range(5)]})
    expected = now(made.path)
    leg = KeywordLeg(budget)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        mine = random.Random(seed)
        try:
            for _ in range(60):
                compare(leg, made, mine.choices(VOCABULARY, k=4), expected)
        except BaseException as error:  # noqa: BLE001 - the test itself must hear of it
            failures.append(error)

    run_all([threading.Thread(target=work, args=(seed,)) for seed in range(4)])
    assert failures == []
    assert known(leg)
    made.close()


def run_all(threads: Sequence[threading.Thread]) -> None:
    """Start threads and wait for their end."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_search_while_others_write(tmp_path: Path) -> None:
    """No search lists a chunk that lacks its word, and the last state is that of the formula."""
    made, other = opened(tmp_path / "x.db"), opened(tmp_path / "x.db")
    put(made, {str(number): [" ".join(VOCABULARY[number:])] for number in range(40)})
    leg = KeywordLeg(20_000)
    failures: list[BaseException | str] = []
    done = threading.Event()

    def search(seed: int) -> None:
        mine = random.Random(seed)
        try:
            while not done.is_set():
                word = mine.choice(VOCABULARY)
                with made.read() as reader:
                    holds = having(reader, word)
                    found = leg.score(reader, [word], [word])
                strange = set(listed(found)) - holds
                if strange or found.frequencies[0] > len(holds):
                    failures.append(f"{word}: {strange}")
        except BaseException as error:  # noqa: BLE001 - the test itself must hear of it
            failures.append(error)

    def write() -> None:
        mine = random.Random(9)
        try:
            for number in range(120):
                key = str(mine.randrange(60))
                text = " ".join(mine.choices(VOCABULARY, k=20))
                put(mine.choice((made, other)), {key: [text, text], f"n{number}": [text]})
        finally:
            done.set()

    searches = [threading.Thread(target=search, args=(seed,)) for seed in range(3)]
    run_all([*searches, threading.Thread(target=write)])
    assert failures == []
    expected = now(made.path)
    for word in VOCABULARY:
        compare(leg, made, [word, VOCABULARY[0]], expected)
    known(leg)
    made.close()
    other.close()


def having(reader: Reader, word: str) -> set[int]:
    """The chunks that hold a word, by FTS5 in this reader's transaction."""
    rows = fetch(
        reader._connection, "SELECT rowid FROM keyword WHERE keyword MATCH ?", (f'"{word}"',)
    )
    return {int(row[0]) for row in rows}
