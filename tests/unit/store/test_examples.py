"""What there is to learn from: queries of one collection, with their answers as far as these are known."""

from __future__ import annotations

from pathlib import Path

from vstash import Memory, NewDocument


def test_newest_first_of_one_collection(tmp_path: Path) -> None:
    """Logged ones with what helped, labelled ones with their answers; none without its text, none of elsewhere."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add_batch([NewDocument(f"amber {n}", key=f"d{n}") for n in range(3)])
        memory.add("amber lamp", collection="other")
        first = memory.search("what is it")
        memory.feedback(first.id, first.hits[0].chunk.id, "helpful")
        memory.feedback(first.id, first.hits[1].chunk.id, "not_helpful")
        hidden = memory.search("who was it")
        last = memory.search("where is it")
        memory.feedback(last.id, last.hits[2].chunk.id, "opened")
        memory.search("amber", collection="other")
        memory.label({"q": "which stone"}, {"q": {"d1": 1, "d2": 2, "d0": 0}})
        memory.flush_log()
        with memory._engine.store.write() as writer:
            writer._connection.execute("UPDATE search SET hashed = 1 WHERE id = ?", (hidden.id,))
        with memory._engine.store.read() as reader:
            found = reader.learned.examples("default", 10)
            assert [each.query for each in reader.learned.examples("default", 1)] == [
                "where is it",
                "which stone",
            ]
            assert [each.query for each in reader.learned.examples("other", 10)] == ["amber"]
    assert [(each.origin, each.query, sorted(each.answers)) for each in found] == [
        ("search", "where is it", []),
        ("search", "what is it", [first.hits[0].chunk.id]),
        ("labelled", "which stone", [2, 3]),
    ]
