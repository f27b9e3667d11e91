"""A file of the second schema, as that program wrote it, is brought up to date and loses nothing.

schema-2.db.xz was made by the last commit with schema 2: documents with metadata, tags, headings and
several chunks, one replaced, one deleted, one that expires, one that awaits its vector, in two
collections, with two searches logged.
"""

from __future__ import annotations

from pathlib import Path

from vstash import Memory

FILE = Path(__file__).with_name("schema-2.db.xz")


def test_nothing_is_lost(path: Path) -> None:
    """Documents, the log and its triples are those that were stored, and all parts agree."""
    with Memory(path, model="fake") as memory:
        stats = memory.stats()
        assert stats.collections == {"default": 13, "other": 1}
        assert (stats.chunks, stats.vectors, stats.awaiting) == (17, 16, 1)
        assert (stats.searches_logged, stats.triples, stats.feedback) == (2, 2, 0)
        staging = memory.get(key="staging")
        assert staging.text == "The staging server listens on port 8090."
        assert staging.metadata == {"author": "Ada", "n": 3, "nested": {"é": [1, None, 0.5]}}
        assert memory.search("staging port", log=False).hits[0].document.key == "staging"
        assert memory.embed().embedded == 1
        assert memory.check().findings == ()


def test_its_logged_searches_take_feedback(path: Path) -> None:
    """What was logged before there was feedback is judged like any other search."""
    with Memory(path, model="fake") as memory:
        newest, oldest = memory.disagreements().items
        (hit,) = memory.search("staging port", k=1, log=False).hits
        given = memory.feedback(oldest.search_id, hit.chunk.id, "helpful")
        (judged,) = memory.judged_searches().items
        assert (judged.search_id, judged.query) == (oldest.search_id, oldest.query)
        assert judged.verdicts == (given,)
        memory.feedback(newest.search_id, hit.chunk.id, "not_helpful")
        memory.delete(key="staging")
        assert memory.judged_searches().items == ()
        assert memory.check().findings == ()
