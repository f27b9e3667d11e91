"""What searches tell of their collection, kept between them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path

import pytest

from vstash import Memory, NewDocument
from vstash.pipeline.engine import Engine, open_engine
from vstash.pipeline.traffic import Traffic
from vstash.search.trust import UNKNOWN, Evidence, Experience
from vstash.settings import Settings

QUERIES = ("word3x word7x", "word1x", "word9x word2x word5x", '"word4x word8x"')


def filled(path: Path, *, collections: tuple[str, ...] = ("default",), searches: int = 0) -> None:
    """Enough texts of few words that a search has evidence; then searches, logged."""
    rng = random.Random(5)
    words = [f"word{number}x" for number in range(12)]
    with Memory(path, model="fake") as memory:
        for collection in collections:
            memory.add_batch(
                [
                    NewDocument(" ".join(rng.choices(words, k=6)), collection=collection)
                    for _ in range(60)
                ]
            )
            for number in range(searches):
                memory.search(asked(number), collection=collection)


def asked(number: int) -> str:
    """A query of its own for each number: what is asked again counts once in the log."""
    return f"{QUERIES[number % len(QUERIES)]} nowhere{number}"


def experience(engine: Engine, collection: str = "default") -> Experience:
    """What a new process would know."""
    with engine.store.read() as reader:
        return Traffic().of(reader, collection)


def trust_of(memory: Memory, collection: str = "default", **options: object) -> float:
    """The trust that the next search shows."""
    found = memory.search(
        QUERIES[0],
        collection=collection,
        explain=True,
        log=False,
        **options,  # type: ignore[arg-type]
    )
    assert found.hits[0].explanation is not None
    return found.hits[0].explanation.trust


def test_before_the_first_search_nothing_is_known(tmp_path: Path) -> None:
    """A collection starts from what is usual."""
    filled(tmp_path / "x.db")
    engine = open_engine(tmp_path / "x.db", model="fake")
    assert experience(engine) == UNKNOWN
    engine.close()


def test_a_new_process_starts_from_the_log(tmp_path: Path) -> None:
    """It folds what was logged, oldest first, onto what is usual."""
    path = tmp_path / "x.db"
    filled(path, searches=7)
    engine = open_engine(path, model="fake")
    with engine.store.read() as reader:
        logged = reader.logged_evidence("default")
    assert len(logged) == 7
    assert all(agreed in {0, 1} for _, _, agreed in logged)
    expected = reduce(
        Experience.after,
        (Evidence(gap, best, bool(agreed)) for gap, best, agreed in logged),
        UNKNOWN,
    )
    assert experience(engine) == expected
    assert expected.trust != 1
    engine.close()


def test_a_process_and_its_successor_agree(tmp_path: Path) -> None:
    """What one knows after its searches is what the next one reads from the log."""
    path = tmp_path / "x.db"
    filled(path)
    with Memory(path, model="fake") as memory:
        for number in range(12):
            memory.search(asked(number))
        trust = trust_of(memory)
    with Memory(path, model="fake") as successor:
        assert trust_of(successor) == pytest.approx(trust, rel=1e-9)


def test_collections_know_their_own_searches(tmp_path: Path) -> None:
    """Those of one move nothing in another, in memory and in the log."""
    path = tmp_path / "x.db"
    filled(path, collections=("one", "two"))
    with Memory(path, model="fake") as memory:
        before = trust_of(memory, "two")
    with Memory(path, model="fake") as memory:
        for number in range(20):
            memory.search(asked(number), collection="one")
        assert trust_of(memory, "two") == before
    engine = open_engine(path, model="fake")
    assert experience(engine, "two") == UNKNOWN
    assert experience(engine, "one").count > 10
    engine.close()


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "keyword"},
        {"mode": "vector"},
        {"strategy": "rrf"},
        {"filter": {"key": {"eq": "-"}}},
    ],
    ids=str,
)
def test_other_searches_tell_nothing(tmp_path: Path, options: dict[str, object]) -> None:
    """One leg, ranks alone, and a filter that leaves few candidates are no experience."""
    path = tmp_path / "x.db"
    filled(path)
    with Memory(path, model="fake") as fresh:
        before = trust_of(fresh)
    with Memory(path, model="fake") as memory:
        for _ in range(3):
            memory.search(QUERIES[1], **options)  # type: ignore[arg-type] # a table
        assert trust_of(memory) == before
    engine = open_engine(path, model="fake")
    assert experience(engine) == UNKNOWN
    engine.close()


def test_waiting_vectors_tell_nothing(tmp_path: Path) -> None:
    """Where no chunk has a vector yet, the best cosine is not known."""
    texts = [f"word{number % 5}x word{number % 7}x" for number in range(60)]
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add_many(texts, embed="later")
        for _ in range(3):
            memory.search(QUERIES[0])
        assert trust_of(memory) == 1.0


def test_without_a_log_a_process_learns_all_the_same(tmp_path: Path) -> None:
    """But its successor starts anew."""
    path = tmp_path / "x.db"
    filled(path)
    settings = Settings(log_searches="off")
    with Memory(path, model="fake", settings=settings) as memory:
        first = trust_of(memory)
        assert trust_of(memory) != first
    with Memory(path, model="fake", settings=settings) as successor:
        assert trust_of(successor) == first


def test_no_search_is_lost_between_threads(tmp_path: Path) -> None:
    """A thousand from eight threads are a thousand, and what is read at first is not read over them."""
    filled(tmp_path / "x.db")
    engine = open_engine(tmp_path / "x.db", model="fake")
    traffic = Traffic()
    seen = Evidence(3.0, 5.0, agreed=True)

    def search(_: int) -> None:
        with engine.store.read() as reader:
            traffic.of(reader, "default")
        traffic.saw("default", seen)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(search, range(1000)))
    with engine.store.read() as reader:
        assert traffic.of(reader, "default") == reduce(Experience.after, [seen] * 1000, UNKNOWN)
    engine.close()


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Of many collections some are read from the log again."""
    filled(tmp_path / "x.db", searches=2)
    engine = open_engine(tmp_path / "x.db", model="fake")
    traffic = Traffic()
    with engine.store.read() as reader:
        known = traffic.of(reader, "default")
        for number in range(1500):
            traffic.of(reader, f"c{number}")
        assert traffic.of(reader, "default") == known
    assert len(traffic._known) <= 1024
    engine.close()


_CHILD = """
import json, sys
from vstash import Memory
from vstash.settings import Settings
path, *queries = sys.argv[1:]
with Memory(path, model="fake", settings=Settings(log_searches="off")) as memory:
    print(json.dumps([
        [(hit.chunk.id, hit.score, hit.relevance) for hit in memory.search(query, k=60).hits]
        for query in queries
    ]))
"""


def test_fresh_processes_give_the_same_scores(tmp_path: Path) -> None:
    """On one file, to the last bit, whatever the order of their dictionaries and sets."""
    path = tmp_path / "x.db"
    filled(path, searches=9)
    answers = []
    for seed in ("0", "1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, str(path), *QUERIES],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=50,
            check=True,
        )
        answers.append(json.loads(done.stdout))
    assert answers[0] == answers[1] == answers[2]
    assert [len(hits) for hits in answers[0]] == [60] * len(QUERIES)
