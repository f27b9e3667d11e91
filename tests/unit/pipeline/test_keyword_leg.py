"""The keyword leg: plain BM25 at every state of the file, whatever it keeps in memory."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.unit.pipeline.plain_bm25 import (
    BUDGET,
    VOCABULARY,
    State,
    compare,
    delete,
    listed,
    now,
    opened,
    put,
    state,
)
from vstash import Memory
from vstash.pipeline.keyword_leg import KeywordLeg
from vstash.store.connection import fetch
from vstash.store.sqlite import SqliteStore
from vstash.text.normalise import indexed

ROOT = Path(__file__).resolve().parents[3]
# Adds, replaces and deletes documents in the file named by its argument.
CHILD = """
import sys
from pathlib import Path
from vstash import Memory
with Memory(Path(sys.argv[1]), model="fake") as memory:
    memory.add("amber amber lamp", key="new")
    memory.add("basil of cedar", key="a")
    memory.delete(key="b")
"""


def test_scores_are_those_of_the_formula(store: SqliteStore) -> None:
    """For words of several chunks, of one and of none, asked once and more often."""
    leg = KeywordLeg(BUDGET)
    expected = now(store.path)
    assert expected.frequencies(["amber", "lamp", "nowhere"]) == [2, 2, 0]
    for _ in range(2):
        compare(leg, store, ["amber"], expected)
        compare(leg, store, ["amber", "lamp", "amber", "nowhere", "lamp", "amber"], expected)
        compare(leg, store, ["nowhere"], expected)
        compare(leg, store, [], expected)


def test_function_words_are_counted_only_where_they_are_asked(store: SqliteStore) -> None:
    """All words of the query may be more than those that are looked up."""
    leg = KeywordLeg(BUDGET)
    with store.read() as reader:
        found = leg.score(reader, ["amber"], ["the", "amber", "of", "lamp"])
        expected = state(reader._connection)
    assert listed(found) == pytest.approx(expected.scores(["amber"], ["amber"]), rel=1e-5)
    assert list(found.frequencies) == [2]


def test_an_empty_file_has_no_scores(tmp_path: Path) -> None:
    """Neither before the first document nor after the last, and what comes then is found."""
    made = opened(tmp_path / "x.db")
    leg = KeywordLeg(BUDGET)
    compare(leg, made, ["amber"], State({}))
    put(made, {"a": ["amber"]})
    compare(leg, made, ["amber"], State({1: Counter(["amber"])}))
    delete(made, "a")
    compare(leg, made, ["amber"], State({}))
    put(made, {"a": ["amber lamp"]})
    compare(leg, made, ["amber"], now(made.path))
    made.close()


def test_chunks_that_are_gone_do_not_count(store: SqliteStore) -> None:
    """Postings outlive their chunks; neither scores nor frequencies show them."""
    kept, fresh = KeywordLeg(BUDGET), KeywordLeg(BUDGET)
    compare(kept, store, ["amber", "lamp"], now(store.path))
    delete(store, "a")
    left = State({3: Counter(["basil", "lamp", "lamp"]), 4: Counter(["cedar"])})
    assert fetch_count(store, "amber") == 1
    for leg in (kept, fresh):
        compare(leg, store, ["amber", "lamp"], left)


def fetch_count(store: SqliteStore, word: str) -> int:
    """In how many rows the packed postings hold a word."""
    with store.read() as reader:
        return len(
            fetch(reader._connection, "SELECT 1 FROM posting WHERE word = ?", (word,)),
        )


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("budget", [0, 3_000, BUDGET])
def test_any_writes_are_followed(tmp_path: Path, seed: int, budget: int) -> None:
    """Adds, replacements, removals and batches, and merges of them, by this user and another."""
    rng = random.Random(seed)
    stores = [opened(tmp_path / "x.db") for _ in range(2)]
    # One leg looks after every write, one now and then, one never before the end.
    often, seldom = KeywordLeg(budget), KeywordLeg(budget)
    held: set[str] = set()
    for step in range(150):
        writing = rng.choice(stores)
        key = str(rng.randrange(60))
        if key in held and rng.random() < 0.3:
            delete(writing, key)
            held.discard(key)
        else:
            count = rng.choice((1, 1, 1, 2, 12))
            batch = {key, *(str(rng.randrange(60)) for _ in range(count - 1))}
            put(
                writing,
                {
                    name: [
                        " ".join(rng.choices(VOCABULARY, k=rng.choice((0, 1, 5, 400))))
                        for _ in range(rng.randint(1, 3))
                    ]
                    for name in sorted(batch)
                },
            )
            held.update(batch)
        expected = now(tmp_path / "x.db")
        query = rng.choices(VOCABULARY, k=rng.randint(1, 6))
        compare(often, stores[0], query, expected)
        if step % 20 == 19:
            for _ in range(5):
                compare(seldom, stores[1], rng.choices(VOCABULARY, k=4), expected)
    expected = now(tmp_path / "x.db")
    assert len(expected.chunks) > 30
    for word in VOCABULARY:
        for leg in (often, seldom, KeywordLeg(budget)):
            compare(leg, stores[0], [word], expected)
    for store in stores:
        store.close()


def test_what_another_process_writes_is_followed(tmp_path: Path) -> None:
    """Words that are known here are brought up to date by what a process added and removed."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        for key, text in {"a": "amber lamp", "b": "amber of jade", "c": "cedar lamp"}.items():
            memory.add(text, key=key)
    store = SqliteStore(path)
    leg = KeywordLeg(BUDGET)
    words = ["amber", "lamp", "basil", "cedar", "jade"]
    before = now(path)
    compare(leg, store, words, before)
    subprocess.run(
        [sys.executable, "-c", CHILD, str(path)],
        check=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(ROOT), "VSTASH_CONFIG": os.devnull},
    )
    after = now(path)
    assert after.frequencies(words) == [1, 2, 1, 2, 0]
    assert before.frequencies(words) == [2, 2, 0, 1, 1]
    compare(leg, store, words, after)
    store.close()


def test_words_that_are_derived_anew_are_read_anew(store: SqliteStore) -> None:
    """By other rules old chunks have other words, which no newer segment tells."""
    leg = KeywordLeg(BUDGET)
    words = ["amber", "lamp", "added"]
    compare(leg, store, words, now(store.path))
    with store.write() as writer:
        writer.derive_words(lambda text: f"{indexed(text)} added", 2)
    expected = now(store.path)
    assert expected.frequencies(words) == [0, 0, 4]
    compare(leg, store, words, expected)


@pytest.mark.parametrize("first", ["old", "new"])
def test_a_reader_that_began_before_a_write_sees_its_own_words(
    store: SqliteStore, other: SqliteStore, first: str
) -> None:
    """It lists the chunks that it can see and that still are, and spoils nothing for newer ones."""
    leg = KeywordLeg(BUDGET)
    words = ["amber", "lamp", "basil"]
    if first == "old":
        compare(leg, store, words, now(store.path))
    with store.read() as old:
        seen = state(old._connection)
        assert old.change_counter > 0
        put(other, {"d": ["amber lamp"], "e": ["basil"]})
        delete(other, "b")
        expected = now(store.path)
        compare(leg, store, words, expected)
        left = {chunk: held for chunk, held in seen.chunks.items() if chunk in expected.chunks}
        for _ in range(2):
            found = leg.score(old, words, words)
            assert set(listed(found)) == set(State(left).scores(words, words))
            assert list(found.frequencies) == State(left).frequencies(words)
        compare(leg, store, words, expected)
    compare(leg, store, words, expected)


def test_a_reader_that_began_before_a_write_has_its_own_state_alone(
    store: SqliteStore, other: SqliteStore
) -> None:
    """While nobody here has looked at what came since, its scores are those of its state."""
    leg = KeywordLeg(BUDGET)
    with store.read() as old:
        seen = state(old._connection)
        put(other, {"d": ["amber lamp"], "e": ["basil"]})
        delete(other, "b")
        for _ in range(2):
            found = leg.score(old, ["amber", "lamp"], ["lamp", "amber"])
            assert listed(found) == pytest.approx(
                seen.scores(["amber", "lamp"], ["amber", "lamp"]), rel=1e-4
            )
    compare(leg, store, ["amber", "lamp"], now(store.path))
