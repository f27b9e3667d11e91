"""Export, import and triples, the same through every interface."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import pytest

from tests.contract.interface import ContractError, Interface
from tests.contract.opening import Opener
from tests.contract.test_log import QUERY, answer
from vstash import Memory
from vstash.types import JsonObject

__all__ = ["answer"]

LATER = datetime(2099, 5, 6, 7, 8, 9, 10, tzinfo=timezone.utc)
AWKWARD: JsonObject = {
    "big": 2**63 - 1,
    "small": -(2**63),
    "float": 1.7976931348623157e308,
    "tiny": 5e-324,
    "minus": -0.0,
    "whole": 1.0,
    "nested": {"z": [None, True, {"": "e\u0301"}], "a": {}},
    'quote"\\': "\x01\x7f\x85\u2028\u202e\U0010ffff",
}
ALL = 6
# Lines of an export that tell of none.
NO_DOCUMENT = 2


@pytest.fixture
def stored(path: Path, tmp_path: Path) -> Path:
    """A file with awkward documents in several collections, one of which has expired."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "ports.md").write_text(
        "# Ports\n\n" + "The port is 8090.\n\n" * 200, encoding="utf-8"
    )
    with Memory(path, model="fake") as memory:
        memory.add(
            "Line one.\r\nLine \u2028 two.\tэ \U0001f600 \x85 end",
            key="zöe/\u2028",
            tags=["b", "a"],
        )
        memory.add("It changed.", key="plain", title="Old")
        memory.add("It changed twice.", key="plain", metadata=AWKWARD, expires_at=LATER)
        memory.ingest(folder, collection="notes", tags=["file"])
        memory.add("plain, elsewhere", key="plain", collection="other")
        memory.add("No key of its own.")
        vector = [1.0, 2.0] + [0.5] * (memory.stats().model.dimension - 2)
        memory.add_many(["With a vector of its own."], vectors=[vector], keys=["own"])
        memory.add("Gone.", key="gone", expires_at=datetime.now(timezone.utc) - timedelta(days=1))
        memory.delete(memory.add("Deleted.").id)
    return path


@pytest.fixture
def whole(stored: Path) -> bytes:
    """Its export."""
    with Memory(stored, model="fake") as memory:
        return b"".join(memory.export())


def fresh(opening: Opener, folder: Path) -> Interface:
    """Another file, without documents."""
    path = folder / "other.db"
    Memory(path, model="fake").close()
    return opening(path)


def refused(interface: Interface, stream: bytes, **fields: object) -> ContractError:
    """The error with which an import ends."""
    with pytest.raises(ContractError) as caught:
        interface.import_documents(stream, **fields)
    return caught.value


@pytest.mark.parametrize("vectors", [False, True])
def test_what_goes_round_is_equal(
    interface: Interface, opening: Opener, stored: Path, tmp_path: Path, *, vectors: bool
) -> None:
    """Export, import into an empty file and export again gives the same bytes, everywhere."""
    first = interface.export(include_vectors=vectors)
    with Memory(stored, model="fake") as memory:
        assert b"".join(memory.export(include_vectors=vectors)) == first
        listed = memory.list()
    other = fresh(opening, tmp_path)
    report = other.import_documents(first)
    assert (report["added"], report["other_ids"], report["dry_run"]) == (ALL, 0, False)
    assert other.export(include_vectors=vectors) == first
    assert other.check()["findings"] == []
    assert [item["id"] for item in other.list()["items"]] == [each.id for each in listed.items]
    assert other.search("which port", collection="notes")["hits"]


def test_the_lines(interface: Interface, whole: bytes) -> None:
    """A manifest, a line a document without those that expired, a trailer; lines by any rule."""
    manifest, *documents, trailer = [json.loads(line) for line in whole.decode().splitlines()]
    assert manifest["format"] == trailer["end"] == "vstash-export"
    assert manifest["collections"] == {"default": 4, "notes": 1, "other": 1}
    assert trailer["documents"] == len(documents) == ALL
    assert {each["key"]: each for each in documents if each["collection"] == "default"}["plain"][
        "metadata"
    ] == AWKWARD
    (file,) = (each for each in documents if each["collection"] == "notes")
    assert file["source"]["size"] > 0
    assert file["media_type"] == "text/markdown"


def test_again_changes_nothing(
    interface: Interface, opening: Opener, whole: bytes, tmp_path: Path
) -> None:
    """Neither in the file that it came from nor in the one that it went to."""
    other = fresh(opening, tmp_path)
    other.import_documents(whole)
    for each in (interface, other):
        before = each.stats()
        report = each.import_documents(whole)
        assert (report["unchanged"], report["added"], report["replaced"]) == (ALL, 0, 0)
        after = each.stats()
        assert {name: after[name] for name in ("documents", "chunks", "vectors")} == {
            name: before[name] for name in ("documents", "chunks", "vectors")
        }
        assert each.export() == whole


def _damaged(whole: bytes, damage: str) -> bytes:
    lines = whole.splitlines(keepends=True)
    changed = {
        "the trailer is gone": lines[:-1],
        "a document is gone": lines[:2] + lines[3:],
        "a document comes twice": [*lines[:2], lines[1], *lines[2:]],
        "two stand the other way round": [lines[0], lines[2], lines[1], *lines[3:]],
        "cut in the middle of a line": [*lines[:3], lines[3][:40]],
        "a text was changed": [line.replace(b"twice", b"Twice") for line in lines],
        "a time was changed": [line.replace(b'"created":"20', b'"created":"19') for line in lines],
        "something follows": [*lines, b"\n"],
        "nothing at all": [],
    }
    return b"".join(changed[damage])


def test_damage_is_found(opening: Opener, whole: bytes, tmp_path: Path) -> None:
    """A stream that was cut or changed is refused; the control, untouched, is taken."""
    other = fresh(opening, tmp_path)
    for damage, pointer in (
        ("the trailer is gone", None),
        ("a document is gone", "/documents"),
        ("a document comes twice", "/documents"),
        ("two stand the other way round", "/sha256"),
        ("cut in the middle of a line", None),
        ("a text was changed", "/content_hash"),
        ("a time was changed", "/sha256"),
        ("something follows", None),
        ("nothing at all", None),
    ):
        error = refused(other, _damaged(whole, damage))
        assert (error.code, error.status, error.pointer) == ("import_invalid", 422, pointer), damage
    assert len(other.export().splitlines()) == NO_DOCUMENT
    assert other.import_documents(whole)["added"] == ALL


def test_only_some(interface: Interface, stored: Path) -> None:
    """By collection and by filter; an unknown collection is one."""
    lines = interface.export(collection="other").splitlines()
    assert [json.loads(line)["collection"] for line in lines[1:-1]] == ["other"]
    lines = interface.export(filter={"key": {"eq": "plain"}}).splitlines()
    assert [json.loads(line)["collection"] for line in lines[1:-1]] == ["default", "other"]
    assert json.loads(lines[0])["collections"] == {"default": 1, "other": 1}
    for fields, code in (
        ({"collection": "absent"}, "collection_not_found"),
        ({"collection": "/"}, "field_invalid"),
        ({"filter": {"no": {"eq": 1}}}, "filter_invalid"),
    ):
        with pytest.raises(ContractError) as caught:
            interface.export(**fields)
        assert caught.value.code == code


def test_an_empty_file(opening: Opener, tmp_path: Path) -> None:
    """It has an export, of no document, which can be imported."""
    empty = fresh(opening, tmp_path)
    whole = empty.export()
    assert len(whole.splitlines()) == NO_DOCUMENT
    assert empty.import_documents(whole)["added"] == 0


def test_a_key_that_is_there(interface: Interface, opening: Opener, tmp_path: Path) -> None:
    """It is replaced, and keeps the id that it has there; or it stays, with skip."""
    mine = interface.add("mine", key="k")
    other = fresh(opening, tmp_path)
    theirs = other.add("theirs", key="k")
    whole = interface.export()
    skipped = other.import_documents(whole, on_conflict="skip")
    assert (skipped["skipped"], skipped["replaced"]) == (1, 0)
    assert other.get(theirs["id"])["text"] == "theirs"
    replaced = other.import_documents(whole)
    assert (replaced["replaced"], replaced["other_ids"]) == (1, 1)
    found = other.get(theirs["id"])
    assert (found["text"], found["created"], found["updated"]) == (
        "mine",
        mine["created"],
        mine["updated"],
    )
    assert other.import_documents(whole)["unchanged"] == 1
    error = refused(other, whole, on_conflict="merge")
    assert (error.code, error.pointer) == ("field_invalid", "/on_conflict")


def test_an_id_that_is_taken(interface: Interface) -> None:
    """A document whose id another one has gets a new one, once."""
    mine = interface.add("mine", key="k")
    manifest, document, _ = interface.export().splitlines(keepends=True)
    moved = with_trailer(manifest, document.replace(b'"key":"k"', b'"key":"other"'))
    report = interface.import_documents(moved)
    assert (report["added"], report["other_ids"]) == (1, 1)
    assert interface.get_by_key("other")["id"] != mine["id"]
    assert interface.get(mine["id"])["key"] == "k"
    assert interface.import_documents(moved)["unchanged"] == 1


def with_trailer(*lines: bytes) -> bytes:
    """An export of these lines."""
    told = sha256(b"".join(lines)).hexdigest()
    trailer = {"end": "vstash-export", "documents": len(lines) - 1, "sha256": told}
    return b"".join(lines) + json.dumps(trailer).encode() + b"\n"


def test_a_dry_run(opening: Opener, whole: bytes, tmp_path: Path) -> None:
    """It counts what would be done, and finds what is wrong; nothing is stored."""
    other = fresh(opening, tmp_path)
    report = other.import_documents(whole, dry_run=True)
    assert (report["added"], report["dry_run"], report["chunks"]) == (ALL, True, 0)
    assert other.stats()["documents"] == 0
    error = refused(other, _damaged(whole, "a time was changed"), dry_run=True)
    assert error.code == "import_invalid"


def test_one_collection_alone(opening: Opener, whole: bytes, tmp_path: Path) -> None:
    """An export that holds others is refused before anything is stored."""
    other = fresh(opening, tmp_path)
    error = refused(other, whole, collection="notes")
    assert (error.code, error.status) == ("collection_forbidden", 403)
    assert len(other.export().splitlines()) == NO_DOCUMENT


def test_another_format(interface: Interface, whole: bytes) -> None:
    """A file of another program, a newer version and one that never was are told apart."""
    newer = whole.replace(b'"version":1', b'"version":2')
    older = whole.replace(b'"version":1', b'"version":0')
    for stream, pointer in (
        (b'{"text":"x"}\n', "/format"),
        (newer, "/version"),
        (older, "/version"),
    ):
        error = refused(interface, stream)
        assert (error.code, error.pointer) == ("import_invalid", pointer)


def test_vectors_for_later(opening: Opener, whole: bytes, tmp_path: Path) -> None:
    """Text and words are there at once."""
    other = fresh(opening, tmp_path)
    other.import_documents(whole, embed="later")
    assert other.search("port", collection="notes", mode="keyword")["hits"]
    assert other.check()["findings"] == []


def test_triples(interface: Interface, answer: str, path: Path) -> None:
    """Those of every logged search, the newest first, with texts or without."""
    with Memory(path) as memory:
        memory.add("An elk.", collection="notes")
        # By ranks: the scores of the default would mask one of the two negatives.
        memory.search(QUERY, strategy="rrf")
        memory.search("elk", collection="notes")
        memory.search(f"{QUERY} please")
        memory.search(f"{QUERY} please", strategy="rrf")
    logged = interface.disagreements(texts=True)["items"]
    expected = [triple for item in logged for triple in item["triples"]]
    assert len(expected) == 4
    assert interface.triples() == interface.triples(collection="default") == expected
    assert all(triple["positive_text"] is None for triple in interface.triples(texts=False))
    assert interface.triples(collection="notes") == []
    with pytest.raises(ContractError) as caught:
        interface.triples(collection="absent")
    assert caught.value.code == "collection_not_found"
