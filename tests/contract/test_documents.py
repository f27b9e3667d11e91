"""Documents in and out, the same through every interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contract.interface import ContractError, Interface, JsonDict, Kind
from vstash import Memory

FULL: dict[str, Any] = {
    "key": "notes/päivä 1: 日本.md",
    "title": "Ein Titel, öfter: mit Gedankenstrich",
    "collection": "Notes-2026.v1_a",
    "tags": ["zulu", "äpfel", "two words", "zulu"],
    "metadata": {
        "author": "Ada",
        "näme": {"deep": [1, 2.5, True, None, {"x": "ß"}]},
        "big": 2**53 + 1,
        "text that looks like JSON": "[1, 2]",
        "empty": {},
    },
    "expires_at": "2100-01-02T03:04:05.678901+01:00",
}
TEXT = "  Der Käse kostet 3 €.\r\n\n안녕 שלם 🧀\t-- \"quoted\" 'text'\n"


def _without_text(document: JsonDict) -> JsonDict:
    return {name: value for name, value in document.items() if name != "text"}


def _code(error: pytest.ExceptionInfo[ContractError]) -> tuple[str, int]:
    return error.value.code, error.value.status


def test_a_document_comes_back_as_it_was_given(interface: Interface) -> None:
    """Every field survives, text to the character, times as instants, tags sorted and once."""
    stored = interface.add(TEXT, **FULL)
    found = interface.get(stored["id"])
    assert _without_text(found) == stored
    assert found["text"] == TEXT
    expected = {
        **FULL,
        "tags": ["two words", "zulu", "äpfel"],
        "expires_at": "2100-01-02T02:04:05.678901Z",
        "char_count": len(TEXT),
    }
    assert {name: stored[name] for name in expected} == expected
    assert stored["created"] == stored["updated"]
    assert stored["chunk_count"] >= 1
    assert interface.get_by_key(FULL["key"], collection=FULL["collection"]) == found


def test_left_out_fields_take_their_defaults(interface: Interface) -> None:
    """Without a key the key is the id, without a collection it is `default`."""
    stored = interface.add("Port is 8090.")
    assert set(stored) == {
        *("id", "key", "collection", "title", "metadata", "tags", "content_hash"),
        *("created", "updated", "expires_at", "chunk_count", "char_count", "etag"),
    }
    assert stored["key"] == stored["id"]
    assert stored["collection"] == "default"
    assert (stored["title"], stored["metadata"], stored["tags"]) == ("", {}, [])
    assert stored["expires_at"] is None
    assert (stored["chunk_count"], stored["char_count"]) == (1, 13)


def test_two_texts_without_a_key_are_two_documents(interface: Interface, path: Path) -> None:
    """The same text given twice without a key is stored twice."""
    with Memory(path) as memory:
        first = memory.add("Tea is hot.")
        second = interface.add("Tea is hot.")
        assert second["id"] != first.id
        assert second["content_hash"] == first.content_hash
        assert memory.stats().documents == 2


def test_a_known_key_replaces_its_document(interface: Interface, path: Path) -> None:
    """Id and creation time stay; text and fields are the new ones; there is one document."""
    old = interface.add("Port is 8090.", key="port", title="Old", tags=["a"], metadata={"v": 1})
    new = interface.add("Port is 9090.", key="port")
    assert (new["id"], new["created"]) == (old["id"], old["created"])
    assert new["updated"] > old["updated"]
    assert (new["title"], new["tags"], new["metadata"]) == ("", [], {})
    with Memory(path) as memory:
        assert memory.get(old["id"]).text == "Port is 9090."
        assert memory.stats().documents == 1


def test_adding_the_same_again_changes_nothing(interface: Interface, path: Path) -> None:
    """An unchanged document keeps even its time of change and its chunks."""
    fields: dict[str, Any] = {"key": "k", "title": "T", "tags": ["a"], "metadata": {"b": 1, "a": 2}}
    first = interface.add("Port is 8090.", **fields)
    again = interface.add("Port is 8090.", **{**fields, "metadata": {"a": 2, "b": 1}})
    assert again == first
    with Memory(path) as memory:
        assert memory.get_chunk(1).document_id == first["id"]


def test_a_listing_is_in_order_of_creation(interface: Interface, path: Path) -> None:
    """A replaced document keeps its place, and texts are left out."""
    with Memory(path) as memory:
        for key in ("c", "a", "b"):
            memory.add(f"Text of {key}.", key=key)
        memory.add("Another text of c.", key="c")
    page = interface.list()
    assert [item["key"] for item in page["items"]] == ["c", "a", "b"]
    assert page["next_cursor"] is None
    assert all("text" not in item for item in page["items"])


def test_pages_stay_true_while_others_write(interface: Interface, path: Path) -> None:
    """What stays is listed once, whatever is added or removed between two pages."""
    with Memory(path) as memory:
        for number in range(6):
            memory.add(f"Text {number}.", key=f"k{number}")
        first = interface.list(limit=2)
        memory.delete(key="k0")
        memory.delete(key="k3")
        memory.add("Text 6.", key="k6")
    second = interface.list(limit=2, cursor=first["next_cursor"])
    third = interface.list(limit=2, cursor=second["next_cursor"])
    pages = [[item["key"] for item in page["items"]] for page in (first, second, third)]
    assert pages == [["k0", "k1"], ["k2", "k4"], ["k5", "k6"]]
    assert third["next_cursor"] is None


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"metadata.author.name": {"eq": "Ada"}}, ["a", "c"]),
        ({"and": [{"tags": {"contains": "x"}}, {"not": {"metadata.n": {"gte": 2}}}]}, ["a"]),
        ({"or": [{"key": {"prefix": "b"}}, {"title": {"eq": "Ü"}}]}, ["b", "c"]),
        ({"created": {"lt": "2001-01-01T00:00:00Z"}}, []),
    ],
    ids=["metadata", "and-not", "or", "nothing"],
)
def test_a_listing_can_be_filtered(
    interface: Interface, path: Path, tree: JsonDict, expected: list[str]
) -> None:
    """Only documents that match the tree are listed."""
    with Memory(path) as memory:
        ada = {"author": {"name": "Ada"}}
        memory.add("One.", key="a", tags=["x"], metadata={**ada, "n": 1})
        memory.add("Two.", key="b", tags=["x"], metadata={"n": 2})
        memory.add("Three.", key="c", title="Ü", metadata={**ada, "n": 3})
    assert [item["key"] for item in interface.list(filter=tree)["items"]] == expected


def test_an_update_changes_what_it_names(interface: Interface, path: Path) -> None:
    """Metadata is merged (RFC 7396), null removes, and what is not named stays."""
    old = interface.add(
        "Port is 8090.",
        key="k",
        title="Old",
        tags=["a"],
        metadata={"keep": 1, "drop": 2, "deep": {"keep": 3, "drop": 4}},
        expires_at="2100-01-01T00:00:00Z",
    )
    patch = {"drop": None, "deep": {"drop": None, "new": [5]}, "new": "6"}
    new = interface.update(old["id"], metadata=patch, title="New")
    assert new["metadata"] == {"keep": 1, "deep": {"keep": 3, "new": [5]}, "new": "6"}
    assert (new["title"], new["tags"], new["expires_at"]) == ("New", ["a"], old["expires_at"])
    assert (new["id"], new["key"], new["created"]) == (old["id"], "k", old["created"])
    assert new["updated"] > old["updated"]
    cleared = interface.update(old["id"], title="", tags=[], expires_at=None, text="Port is 1.")
    assert (cleared["title"], cleared["tags"], cleared["expires_at"]) == ("", [], None)
    with Memory(path) as memory:
        found = memory.get(old["id"])
    assert (found.text, found.metadata) == ("Port is 1.", new["metadata"])


@pytest.mark.parametrize("kind", ["memory", "rest", "client"], indirect=True)
def test_a_replacement_leaves_only_identity(interface: Interface) -> None:
    """Id, key, collection and creation time stay, everything left out is empty."""
    old = interface.add("Old.", key="k", collection="c", title="T", tags=["a"], metadata={"b": 1})
    new = interface.replace(old["id"], "New.", metadata={"c": 2})
    kept = ("id", "key", "collection", "created")
    assert {name: new[name] for name in kept} == {name: old[name] for name in kept}
    assert (new["title"], new["tags"], new["metadata"]) == ("", [], {"c": 2})
    assert interface.get(old["id"])["text"] == "New."
    with pytest.raises(ContractError) as error:
        interface.replace("0198c0de-5a4b-7c3d-8e2f-1a2b3c4d5e6f", "New.")
    assert _code(error) == ("document_not_found", 404)


def test_a_deleted_document_is_gone(interface: Interface, path: Path) -> None:
    """It is found neither by id nor by its words, and cannot be deleted again."""
    with Memory(path) as memory:
        document = memory.add("Port is 8090.", key="port")
    interface.delete(document.id)
    for action in (lambda: interface.get(document.id), lambda: interface.delete(document.id)):
        with pytest.raises(ContractError) as error:
            action()
        assert _code(error) == ("document_not_found", 404)
    assert interface.search("8090")["hits"] == []


def test_a_deleted_document_keeps_no_place(interface: Interface, path: Path) -> None:
    """Its key can be used again, for a new document."""
    with Memory(path) as memory:
        old = memory.add("Port is 8090.", key="port")
        memory.delete(old.id)
    new = interface.add("Port is 8090.", key="port")
    assert new["id"] != old.id
    with Memory(path) as memory:
        assert memory.check().findings == ()


def test_pairs_of_collection_and_key_never_collide(interface: Interface, path: Path) -> None:
    """Wherever the border between collection and key runs, the documents are different ones."""
    pairs = [("a", "b.c"), ("a", "b-c"), ("a-b", "c"), ("a", "b:c"), ("a", "b/c"), ("a", "b")]
    with Memory(path) as memory:
        ids = {memory.add(f"{name} {key}", collection=name, key=key).id for name, key in pairs}
        ids.add(interface.add("a.b c", collection="a.b", key="c")["id"])
        assert len(ids) == len(pairs) + 1
        assert memory.stats().documents == len(pairs) + 1
        assert [memory.get(key=key, collection=name).text for name, key in pairs] == [
            f"{name} {key}" for name, key in pairs
        ]
    assert interface.get_by_key("b.c", collection="a")["text"] == "a b.c"


def test_a_key_in_two_collections_names_two_documents(interface: Interface, path: Path) -> None:
    """Removing one leaves the other alone, and neither is found in the other's place."""
    with Memory(path) as memory:
        here = memory.add("Port is 8090.", key="port")
    there = interface.add("Port is 9090.", key="port", collection="other")
    assert here.id != there["id"]
    interface.delete(here.id)
    assert interface.get_by_key("port", collection="other")["text"] == "Port is 9090."
    with pytest.raises(ContractError) as error:
        interface.get_by_key("port")
    assert _code(error) == ("document_not_found", 404)


def test_an_expired_document_is_hidden_at_once(interface: Interface, path: Path) -> None:
    """No listing, search or reading shows it."""
    with Memory(path) as memory:
        memory.add("Port is 9090.", key="kept")
    gone = interface.add("Port is 8090.", key="gone", expires_at="2001-01-01T00:00:00Z")
    assert gone["expires_at"] == "2001-01-01T00:00:00.000000Z"
    with pytest.raises(ContractError) as error:
        interface.get(gone["id"])
    assert _code(error) == ("document_not_found", 404)
    assert [item["key"] for item in interface.list()["items"]] == ["kept"]
    assert [hit["document"]["key"] for hit in interface.search("port 8090")["hits"]] == ["kept"]


def test_a_chunk_is_a_span_of_its_document(interface: Interface, path: Path) -> None:
    """Reading a chunk by its number gives the passage between its offsets."""
    text = "# Server\n\n" + "The port of the staging server is 8090. " * 40
    with Memory(path, model="fake") as memory:
        document = memory.add(text, key="long")
        chunk_id = memory.search("port", k=1).hits[0].chunk.id
    assert document.chunk_count > 1
    chunk = interface.get_chunk(chunk_id)
    assert chunk["document_id"] == document.id
    assert chunk["text"] == text[chunk["start"] : chunk["end"]]


def test_statistics_and_check_agree_with_what_was_stored(
    interface: Interface, path: Path, kind: Kind
) -> None:
    """Counts are of this moment, and nothing is wrong with the file."""
    with Memory(path) as memory:
        memory.add("Port is 8090.")
        memory.add("Port is 9090.", collection="other")
    stats, report = interface.stats(), interface.check()
    counts = (stats["documents"], stats["chunks"], stats["vectors"])
    assert counts == (2, 2, 2)
    assert {name: count for name, count in stats["collections"].items() if count} == {
        "default": 1,
        "other": 1,
    }
    assert stats["model"]["name"] == "fake"
    assert stats["path"] == (path.name if kind in {"rest", "client"} else str(path))
    assert (report["findings"], report["documents"], report["chunks"]) == ([], 2, 2)
