"""A file of the first schema, as that program wrote it, is brought up to date and loses nothing.

schema-1.db.xz was made by the last commit with schema 1: documents with metadata, tags, headings and
several chunks, one replaced, one deleted, one that expires, in two collections, with two searches logged.
"""

from __future__ import annotations

from pathlib import Path

from vstash import Memory

FILE = Path(__file__).with_name("schema-1.db.xz")


def test_nothing_is_lost(path: Path) -> None:
    """Documents, their fields and texts are those that were stored, and all parts agree."""
    with Memory(path, model="fake") as memory:
        stats = memory.stats()
        assert stats.collections == {"default": 17, "other": 1}
        assert (stats.chunks, stats.vectors, stats.awaiting) == (stats.vectors, stats.chunks, 0)
        assert stats.searches_logged == 2
        staging = memory.get(key="staging")
        assert staging.text == "The staging server listens on port 8090."
        assert (staging.title, staging.tags) == ("Ports", ("ops",))
        assert staging.metadata == {"author": "Ada", "n": 3, "nested": {"é": [1, None, 0.5]}}
        assert memory.get(key="note-3").text == "Replaced text about the jade window."
        assert memory.get(key="expires", collection="other").expires_at is not None
        assert memory.get(key="long-2").chunk_count > 1
        assert memory.check().findings == ()


def test_it_is_searched_filtered_and_written(path: Path) -> None:
    """Words, vectors and filters find what is there; new documents come beside the old."""
    with Memory(path, model="fake") as memory:
        assert memory.search("staging port").hits[0].document.key == "staging"
        lamps = memory.search("amber lamp", filter={"metadata.n": {"gte": 3}}, k=50).hits
        assert {hit.document.key for hit in lamps} == {"staging", "long-3", "long-4"}
        assert memory.search("jade window", mode="keyword").hits[0].document.key == "note-3"
        memory.add("The staging server listens on port 9090.", key="staging")
        assert memory.search("staging port").hits[0].text.endswith("9090.")
        memory.delete(key="long-0")
        assert memory.check().findings == ()


def test_the_document_is_unchanged_for_who_adds_it_again(path: Path) -> None:
    """Its content hash is the same, so nothing is written."""
    with Memory(path, model="fake") as memory:
        before = memory.get(key="note-1")
        again = memory.add("Old note 1 about the cedar door.", key="note-1")
        assert (again.updated, again.content_hash) == (before.updated, before.content_hash)
