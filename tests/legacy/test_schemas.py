"""A file of every schema, as the program of its time wrote it, is brought up to date and loses nothing.

The files and what they must hold were made by make.py: documents with metadata, tags, headings and several chunks,
one replaced, one deleted, one that expires, one that awaits its vector, in two collections, with texts of other
scripts; logged searches with triples, feedback and access keys where there were any.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.legacy import make
from vstash import Memory
from vstash.store.migrate import known_migrations

Unpack = Callable[[int], tuple[Path, dict[str, Any]]]
SCHEMAS = pytest.mark.parametrize("schema", make.COMMITS)


def test_there_is_a_file_of_every_schema() -> None:
    """Whoever adds a migration adds a file of the schema before it."""
    assert list(make.COMMITS) == [step.version for step in known_migrations()]


@SCHEMAS
def test_nothing_is_lost(unpacked: Unpack, schema: int) -> None:
    """Documents, chunks, log, feedback and keys are those that were stored, under the ids that they had."""
    path, facts = unpacked(schema)
    with Memory(path, model="fake") as memory:
        seen = make.expected(memory, max(make.COMMITS))
        assert seen["stats"] == facts["stats"]
        assert seen["documents"] == facts["documents"]
        assert seen["chunks"] == facts["chunks"]
        assert (seen["logged"], seen["verdicts"], seen["keys"]) == (
            *(facts["logged"], facts["verdicts"], facts["keys"]),
        )
        # What was logged before was asked once, and in no session.
        once = [[search_id, 1, None, None] for search_id, _ in facts["logged"]]
        assert seen["asked"] == (facts["asked"] if schema >= 6 else once)
        assert memory.embed().embedded == facts["stats"]["awaiting"]
        assert memory.check().findings == ()


@SCHEMAS
def test_the_same_is_found(unpacked: Unpack, schema: int) -> None:
    """Keywords and filters find the same documents, and vectors the same in the same order."""
    path, facts = unpacked(schema)
    with Memory(path, model="fake") as memory:
        assert all(search["keys"] for search in facts["searches"])
        for search in facts["searches"]:
            keys = search.pop("keys")
            seen = make.found(memory, search)
            assert sorted(seen) == sorted(keys)
            assert search["mode"] == "keyword" or seen == keys


@SCHEMAS
def test_it_is_written_like_any_other(unpacked: Unpack, schema: int) -> None:
    """New documents come beside the old, and take their place."""
    path, _ = unpacked(schema)
    with Memory(path, model="fake") as memory:
        memory.add("The staging server listens on port 9090.", key="staging")
        assert memory.search("staging port").hits[0].text.endswith("9090.")
        memory.delete(key="long-0")
        assert memory.check().findings == ()


@SCHEMAS
def test_the_document_is_unchanged_for_who_adds_it_again(unpacked: Unpack, schema: int) -> None:
    """Its content hash is the same, so nothing is written."""
    path, _ = unpacked(schema)
    with Memory(path, model="fake") as memory:
        before = memory.get(key="note-1")
        again = memory.add("Old note 1 about the cedar door.", key="note-1", tags=["note"])
        assert (again.updated, again.content_hash) == (before.updated, before.content_hash)


@SCHEMAS
def test_its_logged_searches_take_feedback(unpacked: Unpack, schema: int) -> None:
    """What was logged before there was feedback is judged like any other search."""
    path, facts = unpacked(schema)
    with Memory(path, model="fake") as memory:
        logged = memory.disagreements().items
        assert sum(len(item.triples) for item in logged) == facts["stats"]["triples"] > 0
        newest = logged[0]
        (hit,) = memory.search("staging port", k=1, log=False).hits
        given = memory.feedback(newest.search_id, hit.chunk.id, "helpful")
        judged = memory.judged_searches().items[0]
        assert (judged.search_id, judged.query) == (newest.search_id, newest.query)
        assert judged.verdicts == (given,)
        memory.delete(key="staging")
        assert newest.search_id not in {item.search_id for item in memory.judged_searches().items}
        assert memory.check().findings == ()
