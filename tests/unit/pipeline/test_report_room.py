"""The report on triples takes little memory for each, since a mined corpus has many."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from vstash import Memory, NewDocument

MOST_BYTES = 1_300


def test_a_triple_takes_little_memory(tmp_path: Path) -> None:
    """With its evidence taken apart, each took 1,700 bytes."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add_batch(
            [NewDocument(f"amber lamp {n} of hall {n * 7}", key=f"d{n}") for n in range(40)]
        )
        for number in range(20):
            memory.search(f"hall {number * 14} amber")
        memory.flush_log()
        count = sum(memory.learn_report().triples.values())
        assert count > 0
        with memory._engine.store.write() as writer:
            while count < 8_000:
                writer._connection.execute(
                    "INSERT INTO triple (search, positive, negative, kind, evidence) "
                    "SELECT search, positive, negative, kind, evidence FROM triple"
                )
                count *= 2
        tracemalloc.start()
        report = memory.learn_report(samples=3)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert sum(report.triples.values()) == count
    assert [each.triple.evidence.keys() >= {"positive", "negative"} for each in report.samples] == [
        True
    ] * 3
    assert peak / count < MOST_BYTES, f"{peak / count:.0f} bytes a triple"
