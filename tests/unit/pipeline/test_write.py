"""Documents in and out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from vstash import UNSET, Document, Memory, NewDocument
from vstash.errors import (
    ChunkNotFoundError,
    DocumentNotFoundError,
    FieldError,
    StoreBusyError,
    TextError,
)
from vstash.pipeline.write import merged
from vstash.types import JsonObject

LONG = "The amber lamp hangs above the cedar door. " * 60


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    # The examples of RFC 7396, appendix A, whose target and patch are objects.
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": "text"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": 1}, {}, {"a": 1}),
    ],
)
def test_merge_patch(target: JsonObject, patch: JsonObject, expected: JsonObject) -> None:
    """Fields are set, None removes, the rest stays, and the target is not changed."""
    before = repr(target)
    assert merged(target, patch) == expected
    assert repr(target) == before


def test_a_key_makes_one_document(memory: Memory) -> None:
    """Adding under a key again replaces: id and creation time stay, all else is new."""
    first = memory.add(LONG, key="k", title="one", tags=["a"], metadata={"n": 1})
    second = memory.add("short", key="k")
    assert (second.id, second.created) == (first.id, first.created)
    assert second.updated > first.updated
    assert (second.title, second.tags, second.metadata) == ("", (), {})
    assert (second.chunk_count, memory.stats().chunks) == (1, 1)
    assert memory.search("amber", mode="keyword").hits == ()
    assert memory.check().ok


def test_adding_the_same_again_changes_nothing(memory: Memory) -> None:
    """An add that is repeated, as after an unclear error, is applied once; chunk ids stay."""
    first = memory.add("the same", key="k", tags=["b", "a"], metadata={"x": 1, "y": 2})
    chunk = memory.search("same").hits[0].chunk.id
    again = memory.add("the same", key="k", tags=["a", "b"], metadata={"y": 2, "x": 1})
    assert again == first
    assert memory.search("same").hits[0].chunk.id == chunk
    (batch,) = memory.add_batch([NewDocument("the same", "k", "", None, "ab", {"x": 1})])
    assert isinstance(batch, FieldError)
    until = datetime.now(timezone.utc) + timedelta(days=1)
    assert memory.add("the same", key="k", expires_at=until).expires_at == until


def test_without_a_key_the_id_is_the_key(memory: Memory) -> None:
    """Two texts without keys are two documents, even the same text."""
    first, second = memory.add("same"), memory.add("same")
    assert first.key == first.id != second.id
    assert memory.get(key=first.key).id == first.id


def test_a_batch_is_stored_together_and_tells_each(memory: Memory) -> None:
    """Invalid ones come back as errors in their place, the others as documents."""
    results = memory.add_batch(
        [
            NewDocument("one", "1"),
            NewDocument(""),
            NewDocument("two", "2", tags=[""]),
            NewDocument("three", "1"),
        ]
    )
    kinds = [type(result) for result in results]
    assert kinds == [Document, TextError, FieldError, Document]
    assert memory.stats().documents == 1
    assert memory.get(key="1").text == "three", "the last of a batch wins"
    assert memory.check().ok


def test_the_last_of_a_batch_wins_over_the_file_too(memory: Memory) -> None:
    """A key that a batch changes and changes back is not taken for unchanged."""
    memory.add("as it was", key="k")
    memory.add_batch([NewDocument("in between", "k"), NewDocument("as it was", "k")])
    assert memory.get(key="k").text == "as it was"
    memory.add_batch([NewDocument("as it was", "k"), NewDocument("new", "k")])
    assert memory.get(key="k").text == "new"
    assert memory.check().ok


def test_an_update_changes_only_what_is_given(memory: Memory) -> None:
    """Every field for itself; None as expiry means never, an empty title removes it."""
    until = datetime(2100, 1, 1, tzinfo=timezone.utc)
    old = memory.add(LONG, key="k", title="t", tags=["a"], metadata={"n": 1, "m": {"x": 1}},
                     expires_at=until)  # fmt: skip
    chunks = [hit.chunk.id for hit in memory.search("amber lamp", k=50).hits]
    new = memory.update(old.id, tags=["b"], metadata={"n": None, "m": {"y": 2}})
    assert (new.title, new.tags, new.metadata) == ("t", ("b",), {"m": {"x": 1, "y": 2}})
    assert (new.id, new.created, new.expires_at) == (old.id, old.created, until)
    assert new.content_hash != old.content_hash
    assert [hit.chunk.id for hit in memory.search("amber lamp", k=50).hits] == chunks
    newer = memory.update(key="k", title="", expires_at=None, text="The jade window.")
    assert (newer.title, newer.expires_at, newer.tags) == ("", None, ("b",))
    assert memory.get(old.id).text == "The jade window."
    assert memory.check().ok


def test_an_update_of_nothing_changes_nothing(memory: Memory) -> None:
    """No field, or the same values, leave even the time of the last change."""
    old = memory.add("text", key="k", tags=["a"])
    assert memory.update(key="k") == old
    assert memory.update(key="k", tags=["a"], text="text", title=UNSET) == old


def test_a_new_title_is_found(memory: Memory) -> None:
    """The title is in front of every passage, so changing it changes words and vectors."""
    memory.add(LONG, key="k", title="Harbour")
    memory.add("Something else entirely.", key="other")
    memory.update(key="k", title="Lighthouse")
    assert memory.search("harbour", mode="keyword").hits == ()
    assert memory.search("lighthouse", mode="keyword").hits[0].document.key == "k"
    assert memory.check().ok


def test_replacing_keeps_identity_alone(memory: Memory) -> None:
    """Id, key, collection and creation time stay; everything else is as given, or empty."""
    old = memory.add(LONG, key="k", collection="c", title="t", tags=["a"], metadata={"n": 1})
    new = memory.replace(old.id, "short", tags=["z"])
    assert (new.id, new.key, new.collection, new.created) == (old.id, "k", "c", old.created)
    assert (new.title, new.tags, new.metadata) == ("", ("z",), {})
    with pytest.raises(DocumentNotFoundError):
        memory.replace("no-such-id", "text")
    assert memory.stats().documents == 1
    assert memory.check().ok


def test_deleting_removes_everything(memory: Memory) -> None:
    """Text, chunks, words, vectors and triples go; the answer is what was removed."""
    kept = memory.add("The cedar door.", key="kept")
    gone = memory.add(LONG, key="gone")
    chunk = memory.search("amber").hits[0].chunk.id
    assert memory.delete(key="gone") == gone
    stats = memory.stats()
    assert (stats.documents, stats.chunks, stats.vectors) == (1, 1, 1)
    calls: list[Callable[[], object]] = [
        lambda: memory.get(gone.id),
        lambda: memory.delete(gone.id),
        lambda: memory.update(gone.id, title="x"),
        lambda: memory.get(key="gone"),
    ]
    for call in calls:
        with pytest.raises(DocumentNotFoundError):
            call()
    with pytest.raises(ChunkNotFoundError):
        memory.get_chunk(chunk)
    assert memory.get(kept.id).text == "The cedar door."
    assert memory.check().ok


def test_a_document_is_named_by_id_or_key(memory: Memory) -> None:
    """Exactly one of the two, and a key only in its collection."""
    document = memory.add("text", key="k", collection="c")
    assert memory.get(document.id).text == memory.get(key="k", collection="c").text == "text"
    with pytest.raises(DocumentNotFoundError):
        memory.get(key="k")
    for call in (memory.get, memory.delete, memory.update):
        with pytest.raises(FieldError):
            call()
        with pytest.raises(FieldError):
            call(document.id, key="k")


@pytest.mark.parametrize("chunk_id", [0, -1, True, "1", 1.0, 2**63, None])
def test_a_chunk_id_is_a_positive_integer(memory: Memory, chunk_id: int) -> None:
    """Anything else is refused, and an unknown one is not found."""
    with pytest.raises(FieldError):
        memory.get_chunk(chunk_id)
    with pytest.raises(ChunkNotFoundError):
        memory.get_chunk(2**63 - 1)


def test_a_chunk_is_a_span_of_its_text(memory: Memory) -> None:
    """Every chunk's text lies in the document's text where it says, over parts of the text too."""
    text = "".join(f"Section {number} é 東京 of the book. " for number in range(2000))
    document = memory.add(text, key="book")
    seen = [hit.chunk for hit in memory.search("section of the book", k=1000).hits]
    assert len(seen) == document.chunk_count > 50
    for chunk in seen:
        assert text[chunk.start : chunk.end] == chunk.text == memory.get_chunk(chunk.id).text
    assert sorted(chunk.seq for chunk in seen) == list(range(document.chunk_count))
    assert memory.get(key="book").text == text


def test_an_update_that_was_overtaken_starts_again(tmp_path: Path) -> None:
    """Two writers of different fields at once: both changes are there in the end."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("text", key="k")
        errors: list[StoreBusyError] = []

        def work(name: str) -> None:
            for step in range(15):
                try:
                    memory.update(key="k", metadata={name: step})
                except StoreBusyError as error:  # noqa: PERF203 - each step may be overtaken
                    errors.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = memory.get(key="k").metadata
        if not errors:
            assert found == {"a": 14, "b": 14}
        assert memory.check().ok


def test_ids_grow_and_are_never_used_again(memory: Memory) -> None:
    """A chunk id that was given away does not come back for another text."""
    memory.add("one", key="1")
    used = memory.search("one").hits[0].chunk.id
    memory.delete(key="1")
    memory.add("two", key="2")
    again = memory.search("two").hits[0].chunk.id
    assert again > used
    assert type(again) is int
