"""Removing many documents, and what is left of them in the file."""

from __future__ import annotations

import os
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from vstash import Memory, NewDocument
from vstash.errors import StoreReadOnlyError

WORD = "xylophonist"
PAST = datetime(2001, 1, 1, tzinfo=timezone.utc)


def held(path: Path, word: str) -> bool:
    """Whether the file or its log holds a word anywhere."""
    wal = path.with_name(path.name + "-wal")
    return any(word.encode() in each.read_bytes() for each in (path, wal) if each.exists())


def test_compaction_leaves_no_word(tmp_path: Path) -> None:
    """Of what expired neither text, key, tag, metadata nor derived word is in the file."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add_batch([NewDocument(f"The amber lamp {n}.") for n in range(300)])
        fields: dict[str, Any] = {"key": f"{WORD}/1", "title": WORD, "tags": [WORD]}
        memory.add(f"A {WORD} plays.", expires_at=PAST, metadata={WORD: WORD}, **fields)
        assert memory.compact().expired == 1
        found = memory.check()
    # Read with no connection open: closing a descriptor would drop SQLite's locks.
    assert not held(path, WORD)
    assert not held(path, WORD[:8])
    assert found.ok
    with Memory(path, model="fake") as memory:
        memory.add(f"A {WORD} plays.", expires_at=PAST)
    assert held(path, WORD), "the control: without a compaction it is there"


def test_others_write_while_it_compacts(tmp_path: Path) -> None:
    """What is stored meanwhile stays, and everything agrees."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        old = [NewDocument(f"Old lamp {n}.", expires_at=PAST) for n in range(900)]
        memory.add_batch(old, embed="later")
        stored: list[str] = []

        def write() -> None:
            stored.extend(memory.add(f"New lamp {n}.").id for n in range(20))

        thread = threading.Thread(target=write)
        thread.start()
        report = memory.compact()
        thread.join()
        assert report.expired == 900
        assert [item.id for item in memory.list().items] == stored
        assert memory.check().ok


def test_a_reader_does_not_keep_compaction_waiting(tmp_path: Path) -> None:
    """With a view of the file open elsewhere, it is done but for the log."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory, Memory(path, model="fake") as other:
        memory.add("Lamp.", expires_at=PAST)
        with other._engine.store.read() as reader:
            assert reader.chunk_count == 1
            memory.add("Another.")
            assert memory.compact().expired == 1
            assert reader.chunk_count == 1
        assert other.check().ok


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="rights do not hold root back")
def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """Compaction says so."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add("Lamp.")
    tmp_path.chmod(0o500)
    try:
        with Memory(path, model="fake") as memory, pytest.raises(StoreReadOnlyError):
            memory.compact()
    finally:
        tmp_path.chmod(0o700)


def test_a_search_that_ends_after_its_collection(tmp_path: Path) -> None:
    """What is logged late of a collection that is gone is not logged at all."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory, Memory(path, model="fake") as other:
        memory.add("The amber lamp.", collection="gone")
        memory.add("The amber lamp.", collection="kept")
        memory.search(f"lamp {WORD}", collection="gone")
        memory.search("lamp", collection="kept")
        other.delete_collection("gone")
        assert [item.collection for item in memory.disagreements().items] == ["kept"]


def test_thousands_go_together(tmp_path: Path) -> None:
    """One deletion of many documents among as many others leaves the indexes agreeing."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add_many(
            [f"Lamp number {n} is amber." for n in range(3000)],
            metadata=[{"odd": n % 2} for n in range(3000)],
        )
        assert memory.delete_many({"metadata.odd": {"eq": 1}}).documents == 1500
        assert memory.stats().documents == 1500
        assert memory.check().ok
        assert all(hit.document.metadata["odd"] == 0 for hit in memory.search("lamp", k=100).hits)
