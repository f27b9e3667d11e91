"""What there is to learn from: triples of logged searches and of queries that were made, of one collection."""

from __future__ import annotations

from pathlib import Path

from vstash import Memory, NewDocument

MADE = (
    "INSERT INTO made_query (document, positive, form, query, disagreement, vector_leg, keyword_leg, "
    "made_at) SELECT document, id, ?2, ?3, 1, '[]', '[]', ?4 FROM chunk WHERE id = ?1"
)
TRIPLE = (
    "INSERT INTO made_triple (made, negative, kind, evidence) SELECT max(number), ?1, "
    "'lexical_blind_spot', '{}' FROM made_query"
)


def test_newest_first_of_one_collection(tmp_path: Path) -> None:
    """Logged, made and labelled ones with their origin; none without its text, none of elsewhere."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add_batch([NewDocument(f"amber {n}", key=f"d{n}") for n in range(3)])
        memory.add("amber lamp", collection="other")
        for query in ("what is it", "who was it"):
            memory.search(query)
        memory.flush_log()
        with memory._engine.store.write() as writer:
            connection = writer._connection
            connection.execute(
                "INSERT INTO triple (search, positive, negative, kind, evidence) "
                "SELECT number, 1, 2, 'dense_blind_spot', '{}' FROM search; "
                "UPDATE search SET at = 5; UPDATE search SET hashed = 1 WHERE query LIKE 'who%'"
            )
            rows = ((1, "title", "a", 7, 3), (2, "labelled", "b", 6, 3), (4, "title", "c", 9, 1))
            for positive, form, query, at, negative in rows:
                connection.execute(MADE, (positive, form, query, at))
                connection.execute(TRIPLE, (negative,))
        with memory._engine.store.read() as reader:
            found = reader.learned.examples("default", 10)
            assert reader.learned.examples("default", 2) == found[:2]
            assert [each.query for each in reader.learned.examples("other", 10)] == ["c"]
    assert [each[:4] for each in found] == [
        ("made", "a", 1, 3),
        ("labelled", "b", 2, 3),
        ("search", "what is it", 1, 2),
    ]
    assert [each.document for each in found] == [1, 2, 1]
