"""Conditions, chunks, deletions of many and collections, the same through every interface."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.contract.interface import ContractError, Interface, JsonDict, Kind
from vstash import Memory, NewDocument
from vstash.settings import Settings

LONG = "".join(f"Lamp {number} is amber and hangs in room {number}. " for number in range(40))
PAST = datetime(2001, 1, 1, tzinfo=timezone.utc)


def _refused(action: Callable[[], object]) -> tuple[str, str | None, int]:
    with pytest.raises(ContractError) as error:
        action()
    return error.value.code, error.value.pointer, error.value.status


def _long(path: Path) -> str:
    """Store a document of many chunks between two others; its id."""
    with Memory(path, model="fake", settings=Settings(chunk_tokens=30, chunk_overlap=6)) as memory:
        memory.add("Before.", key="before")
        found = memory.add(LONG, key="long")
        memory.add("After.", key="after")
        assert found.chunk_count > 10
    return found.id


def test_every_change_has_another_etag(interface: Interface, path: Path) -> None:
    """Text, title, tags, metadata and expiry; what changes nothing keeps it, on every interface."""
    etags = [interface.add("One.", key="k")["etag"]]
    known = interface.get_by_key("k")["id"]
    etags += [
        interface.update(known, text="Two.")["etag"],
        interface.update(known, title="T")["etag"],
        interface.update(known, tags=["a"])["etag"],
        interface.update(known, metadata={"a": 1})["etag"],
        interface.update(known, expires_at="2100-01-01T00:00:00Z")["etag"],
        interface.add("One.", key="k")["etag"],
    ]
    assert len(set(etags)) == len(etags)
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in etags)
    assert interface.add("One.", key="k")["etag"] == etags[-1]
    (listed,) = interface.list()["items"]
    hit = interface.search("one")["hits"][0]["document"]
    with Memory(path, model="fake") as memory:
        same = {memory.get(known).etag, interface.get(known)["etag"], listed["etag"], hit["etag"]}
    assert same == {etags[-1]}


def test_a_stale_etag_changes_nothing(interface: Interface, kind: Kind, path: Path) -> None:
    """What was changed meanwhile is neither updated, replaced nor removed; with the new etag it is."""
    old = interface.add("One.", key="k")
    new = interface.update_if(old["id"], title="T", if_match=old["etag"])
    assert new["title"] == "T"
    stale: list[Callable[[], object]] = [
        lambda: interface.update_if(old["id"], title="U", if_match=old["etag"]),
        lambda: interface.delete_if(old["id"], if_match=old["etag"]),
        lambda: interface.add_if("Two.", key="k", if_match=old["etag"]),
        lambda: interface.add_if("Two.", key="other", if_match="*"),
    ]
    if kind != "cli":
        stale.append(lambda: interface.replace_if(old["id"], "Two.", if_match=old["etag"]))
    for action in stale:
        assert _refused(action) == ("precondition_failed", None, 412)
    with Memory(path, model="fake") as memory:
        assert memory.get(old["id"]).etag == new["etag"]
        assert memory.stats().documents == 1
    replaced = interface.add_if("Two.", key="k", if_match=new["etag"])
    assert replaced["id"] == old["id"]
    interface.delete_if(old["id"], if_match=replaced["etag"])
    assert _refused(lambda: interface.get(old["id"])) == ("document_not_found", "/id", 404)


def test_a_key_is_taken_once(interface: Interface, path: Path) -> None:
    """A document with the key keeps another out; an expired one makes room for a new one."""
    first = interface.add_if("One.", key="k", if_absent=True)
    refused = _refused(lambda: interface.add_if("Two.", key="k", if_absent=True))
    assert refused == ("precondition_failed", "/key", 412)
    same = _refused(lambda: interface.add_if("One.", key="k", if_absent=True))
    assert same == ("precondition_failed", "/key", 412)
    assert interface.get_by_key("k")["text"] == "One."
    with Memory(path, model="fake") as memory:
        memory.update(first["id"], expires_at=PAST)
        second = interface.add_if("Two.", key="k", if_absent=True)
        assert second["id"] != first["id"]
        assert second["created"] == second["updated"] > first["updated"]
        assert (memory.stats().documents, memory.check().findings) == (1, ())


def test_of_many_creations_one_wins(interface: Interface, kind: Kind, path: Path) -> None:
    """However many ask at once under one key, one is stored and all others are told."""
    with Memory(path, model="fake"):
        pass
    count = 3 if kind == "cli" else 12
    barrier, outcomes = threading.Barrier(count), []

    def create(number: int) -> None:
        barrier.wait()
        try:
            outcomes.append(interface.add_if(f"Text {number}.", key="k", if_absent=True)["id"])
        except ContractError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = interface.get_by_key("k")
    assert sorted(outcomes) == sorted([stored["id"], *["precondition_failed"] * (count - 1)])
    assert stored["created"] == stored["updated"]


def test_of_many_changes_of_one_state_one_wins(
    interface: Interface, kind: Kind, path: Path
) -> None:
    """The etag is compared where the change is written: nobody overwrites what they have not seen."""
    with Memory(path, model="fake") as memory:
        document = memory.add("One.", key="k")
    count = 3 if kind == "cli" else 12
    barrier, won, lost = threading.Barrier(count), [], []

    def change(number: int) -> None:
        barrier.wait()
        try:
            won.append(interface.update_if(document.id, title=f"T{number}", if_match=document.etag))
        except ContractError as error:
            lost.append(error.code)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == ["precondition_failed"] * (count - 1)
    assert [each["etag"] for each in won] == [interface.get(document.id)["etag"]]


def test_what_is_read_of_a_document(interface: Interface, path: Path) -> None:
    """Its text, its chunks, both or neither; all else is there each time."""
    long = _long(path)
    both = interface.get_with(long, ["text", "chunks"])
    assert both["text"] == LONG
    assert len(both["chunks"]) == both["chunk_count"]
    assert [chunk["seq"] for chunk in both["chunks"]] == [*range(both["chunk_count"])]
    rest = {name: value for name, value in both.items() if name not in {"text", "chunks"}}
    assert interface.get_with(long, []) == rest
    assert interface.get_with(long, ["text"]) == rest | {"text": LONG} == interface.get(long)
    assert interface.get_with(long, ["chunks"]) == rest | {"chunks": both["chunks"]}
    refused = _refused(lambda: interface.get_with(long, ["vectors"]))
    assert refused == ("query_invalid", "/include", 422)


def test_chunks_by_page(interface: Interface, path: Path) -> None:
    """Each once, in order, as they are read by themselves, with none of another document."""
    long = _long(path)
    whole = interface.chunks(long)
    assert whole["next_cursor"] is None
    pages: list[list[JsonDict]] = []
    cursor = None
    while not pages or cursor is not None:
        page = interface.chunks(long, limit=7, cursor=cursor)
        pages.append(page["items"])
        cursor = page["next_cursor"]
    assert [chunk for items in pages for chunk in items] == whole["items"]
    assert [len(items) for items in pages[:-1]] == [7] * (len(pages) - 1)
    assert all(
        LONG[chunk["start"] : chunk["end"]] == chunk["text"] and chunk["document_id"] == long
        for chunk in whole["items"]
    )
    assert interface.get_chunk(whole["items"][3]["id"]) == whole["items"][3]


def test_a_cursor_ends_with_what_it_points_into(interface: Interface, path: Path) -> None:
    """After a replacement it is refused, as is one of another document or listing."""
    long = _long(path)
    cursor = interface.chunks(long, limit=2)["next_cursor"]
    with Memory(path, model="fake") as memory:
        other = memory.get(key="after").id
        listing = memory.list(limit=1).next_cursor
        assert interface.chunks(long, limit=2, cursor=cursor)["items"][0]["seq"] == 2
        memory.add(LONG + "More.", key="long")
    for document, stale in ((long, cursor), (other, cursor), (long, listing), (long, "x")):
        refused = _refused(lambda: interface.chunks(document, cursor=stale))  # noqa: B023 - called at once
        assert refused == ("cursor_invalid", "/cursor", 422)
    missing = _refused(lambda: interface.chunks("0198c0de-5a4b-7c3d-8e2f-1a2b3c4d5e6f"))
    assert missing == ("document_not_found", "/id", 404)
    assert _refused(lambda: interface.chunks(long, limit=0)) == ("query_invalid", "/limit", 422)


def test_neighbours_of_a_chunk(interface: Interface, path: Path) -> None:
    """As many as asked for, fewer at the ends, never of another document."""
    chunks = interface.chunks(_long(path))["items"]
    middle = interface.around(chunks[5]["id"], before=2, after=3)
    assert middle == {"chunk": chunks[5], "before": chunks[3:5], "after": chunks[6:9]}
    first = interface.around(chunks[0]["id"], before=20, after=0)
    assert first == {"chunk": chunks[0], "before": [], "after": []}
    last = interface.around(chunks[-1]["id"], before=1, after=20)
    assert last == {"chunk": chunks[-1], "before": chunks[-2:-1], "after": []}
    for before, after, pointer in ((21, 0, "/before"), (0, -1, "/after"), ("x", 0, "/before")):
        refused = _refused(lambda: interface.around(1, before=before, after=after))  # noqa: B023 - called at once
        assert refused == ("query_invalid", pointer, 422)
    missing = _refused(lambda: interface.around(10**6, before=1, after=1))
    assert missing == ("chunk_not_found", "/chunk_id", 404)


def test_deleting_what_a_filter_matches(interface: Interface, path: Path) -> None:
    """A dry run says the same and removes nothing; other documents and collections stay."""
    with Memory(path, model="fake") as memory:
        drafts = [NewDocument(f"Draft {n}.", key=f"d{n:02}", tags=["draft"]) for n in range(25)]
        memory.add_batch(drafts)
        memory.add("Kept.", key="kept")
        memory.add("Elsewhere.", key="d00", tags=["draft"], collection="other")
        tree = {"tags": {"contains": "draft"}}
        ids = [item["id"] for item in interface.list(filter=tree)["items"]]
        told = interface.delete_many(tree, dry_run=True)
        assert (told["documents"], told["chunks"], told["dry_run"]) == (25, 25, True)
        assert told["sample"] == [{"id": ids[n], "key": f"d{n:02}"} for n in range(20)]
        assert memory.stats().documents == 27
        assert interface.delete_many(tree) == told | {"dry_run": False}
        assert [item["key"] for item in interface.list()["items"]] == ["kept"]
        assert interface.search("draft")["hits"][0]["document"]["key"] == "kept"
        assert interface.delete_many(tree, collection="other")["documents"] == 1
        nothing = {"documents": 0, "chunks": 0, "dry_run": False, "sample": []}
        assert interface.delete_many(tree) == nothing
        assert (memory.stats().documents, memory.check().findings) == (1, ())


@pytest.mark.parametrize(
    ("tree", "pointer"),
    [
        ({}, "/filter"),
        ({"and": []}, "/filter/and"),
        ({"key": {}}, "/filter/key"),
        ({"nothing": {"eq": 1}}, "/filter/nothing"),
    ],
    ids=str,
)
def test_an_empty_filter_removes_nothing(
    interface: Interface, path: Path, tree: object, pointer: str
) -> None:
    """Removing everything has to be asked for by the collection's name."""
    with Memory(path, model="fake") as memory:
        memory.add("Kept.")
        assert _refused(lambda: interface.delete_many(tree)) == ("filter_invalid", pointer, 422)
        assert memory.stats().documents == 1
    missing = _refused(lambda: interface.delete_many({"key": {"eq": "a"}}, collection="none"))
    assert missing == ("collection_not_found", "/collection", 404)


def test_collections_are_counted(interface: Interface, path: Path) -> None:
    """By name, with what they hold; `default` is there from the start."""
    with Memory(path, model="fake") as memory:
        empty = {"name": "default", "documents": 0, "chunks": 0, "awaiting": 0}
        assert interface.collections() == [empty]
        memory.add("One.", collection="b")
        memory.add("Two.", collection="b", embed="later")
        memory.add("Three.", collection="B")
    expected = [
        {"name": "B", "documents": 1, "chunks": 1, "awaiting": 0},
        {"name": "b", "documents": 2, "chunks": 2, "awaiting": 1},
        empty,
    ]
    counted = interface.collections()
    # The service embeds in the background what waits.
    assert [each | {"awaiting": 0} for each in counted] == [
        each | {"awaiting": 0} for each in expected
    ]
    assert counted[1]["awaiting"] in {0, 1}
    assert interface.collection("B") == expected[0]
    missing = _refused(lambda: interface.collection("c"))
    assert missing == ("collection_not_found", "/collection", 404)
    assert _refused(lambda: interface.collection("no name"))[0] == "field_invalid"


def test_a_deleted_collection_is_gone(interface: Interface, path: Path) -> None:
    """With its documents, expired ones too, its searches and triples; all others stay."""
    with Memory(path, model="fake") as memory:
        for name in ("gone", "kept"):
            documents = [NewDocument(f"Tea {n} is hot.", collection=name) for n in range(4)]
            memory.add_batch(documents)
            memory.add("Old tea.", collection=name, expires_at=PAST)
            found = memory.search("tea", collection=name)
            memory.feedback(found.id, found.hits[0].chunk.id, "helpful")
        told = interface.delete_collection("gone", dry_run=True)
        assert (told["documents"], told["chunks"], told["dry_run"]) == (5, 5, True)
        assert memory.stats().documents == 10
        assert interface.delete_collection("gone") == told | {"dry_run": False}
        for action in (
            lambda: interface.collection("gone"),
            lambda: interface.delete_collection("gone"),
            lambda: interface.list(collection="gone"),
        ):
            assert _refused(action)[0] == "collection_not_found"
        assert [each["name"] for each in interface.collections()] == ["default", "kept"]
        assert [item.collection for item in memory.disagreements().items] == ["kept"]
        stats = memory.stats()
        assert (stats.documents, stats.searches_logged, stats.feedback) == (5, 1, 1)
        assert memory.check().findings == ()
        memory.add("New.", collection="gone")
        assert interface.collection("gone")["documents"] == 1


def test_default_is_emptied_and_stays(interface: Interface, path: Path) -> None:
    """It can be listed and deleted again."""
    with Memory(path, model="fake") as memory:
        memory.add("One.")
        memory.search("one")
        assert len(memory.disagreements().items) == 1
        assert interface.delete_collection("default")["documents"] == 1
        assert interface.delete_collection("default")["documents"] == 0
        assert interface.list()["items"] == []
        assert memory.disagreements().items == ()


def test_compaction_removes_what_expired(interface: Interface, path: Path) -> None:
    """And nothing else; it can be repeated, and everything agrees afterwards."""
    with Memory(path, model="fake") as memory:
        old = [NewDocument(f"Old {n}.", expires_at=PAST) for n in range(450)]
        memory.add_batch([*old, NewDocument("New.", key="new")])
        report = interface.compact()
        assert report["expired"] == 450
        assert report["bytes_before"] > report["bytes_after"] > 0
        assert memory.stats().documents == 1
        assert interface.compact()["expired"] == 0
        assert [hit["document"]["key"] for hit in interface.search("new")["hits"]] == ["new"]
        assert memory.check().findings == ()


def test_the_log_by_collection(interface: Interface, path: Path) -> None:
    """Searches of the one asked for, all without one; none is no error."""
    with Memory(path, model="fake") as memory:
        ids = {}
        for name in ("a", "b"):
            memory.add("Tea is hot.", collection=name)
            found = memory.search("tea", collection=name)
            memory.feedback(found.id, found.hits[0].chunk.id, "cited")
            ids[name] = found.id
    asked: list[tuple[str | None, list[str]]] = [
        *(("a", [ids["a"]]), ("b", [ids["b"]])),
        (None, [ids["b"], ids["a"]]),
        ("c", []),
    ]
    for searched, expected in asked:
        for page in interface.log_of(searched):
            assert [item["search_id"] for item in page["items"]] == expected
    assert _refused(lambda: interface.log_of("no name"))[:2] == ("field_invalid", "/collection")


def test_feedback_of_another_collection(interface: Interface, path: Path) -> None:
    """A search that was asked of another collection is not there."""
    with Memory(path, model="fake") as memory:
        memory.add("Tea is hot.", collection="a")
        found = memory.search("tea", collection="a")
    chunk = found.hits[0].chunk.id
    refused = _refused(lambda: interface.feedback_in("b", found.id, chunk))
    assert refused == ("search_not_found", "/search_id", 404)
    assert interface.feedback_in("a", found.id, chunk)["verdict"] == "helpful"
