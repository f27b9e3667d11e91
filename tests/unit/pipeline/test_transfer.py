"""Exports and imports: vectors, views, memory, and what a stream may not hold."""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np
import pytest

from tests.generated_documents import generated_documents
from tests.unit.pipeline.conftest import Clock
from vstash import ImportProgress, Memory, NewDocument
from vstash.errors import EmbeddingError, TransferError
from vstash.pipeline.engine import Engine
from vstash.settings import Settings
from vstash.testing import FakeEmbedder

if TYPE_CHECKING:
    from vstash.types import FloatArray

Members = dict[str, Any]
CANARY = "canary7f3a"


class Counting(FakeEmbedder):
    """Counts the passages that it embedded, and fails when it is told to.

    Args:
        dimension: Of its vectors.
        fails_after: How many passages it embeds before it fails.
    """

    def __init__(self, dimension: int = 64, fails_after: int = 1_000_000) -> None:
        super().__init__(dimension)
        self.embedded = 0
        self.fails_after = fails_after

    def embed_passages(self, texts: Any) -> FloatArray:
        """Embed and count."""
        self.embedded += len(texts)
        if self.embedded > self.fails_after:
            raise EmbeddingError("It failed.")
        return super().embed_passages(texts)


def signed(*lines: bytes | Members) -> bytes:
    """An export of these lines, with the trailer that belongs to them."""
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines]
    told = hashlib.sha256(b"".join(raw)).hexdigest()
    trailer = {"end": "vstash-export", "documents": len(raw) - 1, "sha256": told}
    return b"".join(raw) + json.dumps(trailer).encode()


def coded(vector: np.ndarray[Any, Any]) -> str:
    """A vector as it stands in an export."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def parsed(whole: bytes) -> list[Members]:
    """The lines before the trailer."""
    return [json.loads(line) for line in whole.splitlines()[:-1]]


@pytest.fixture
def whole(memory: Memory) -> bytes:
    """An export with vectors, of three documents: one of several chunks, one with its own vector."""
    memory.add(" ".join(f"The amber lamp {n}." for n in range(200)), key="long", title="Lamps")
    memory.add("The cedar door.", key="short")
    memory.add_many(
        [" ".join(f"The jade window {n}." for n in range(200))],
        vectors=np.ones((1, 64)),
        keys=["own"],
    )
    return b"".join(memory.export(include_vectors=True))


@pytest.fixture
def into(tmp_path: Path) -> Iterator[Callable[..., Memory]]:
    """Opens an empty file with a model."""
    opened: list[Memory] = []

    def open_one(model: Any = "fake", **settings: Any) -> Memory:
        path = tmp_path / f"into{len(opened)}.db"
        opened.append(Memory(path, model=model, settings=Settings(model="fake", **settings)))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def vectors_of(memory: Memory) -> list[list[Members]]:
    """The chunks of an export, document by document."""
    return [line["chunks"] for line in parsed(b"".join(memory.export(include_vectors=True)))[1:]]


def test_vectors_of_the_same_model_are_taken(whole: bytes, into: Callable[..., Memory]) -> None:
    """Nothing is embedded; without them in the export everything is, but for what is brought."""
    model = Counting()
    memory = into(model)
    memory.import_documents([whole])
    assert model.embedded == 0
    assert memory.get(key="own").chunk_count == 1
    assert memory.check().findings == ()
    without = b"".join(memory.export())
    model = Counting()
    again = into(model)
    again.import_documents([without])
    assert model.embedded > again.get(key="long").chunk_count > 5
    assert again.get(key="own").chunk_count > 5


def test_vectors_of_another_model_are_made_anew(whole: bytes, into: Callable[..., Memory]) -> None:
    """Another dimension and another hash: the export's vectors serve for nothing."""
    manifest, *documents = parsed(whole)
    manifest["model"]["sha256"] = "0" * 64
    for model, stream in ((Counting(32), whole), (Counting(), signed(manifest, *documents))):
        memory = into(model)
        memory.import_documents([stream])
        assert model.embedded == memory.stats().chunks > 10
        assert memory.check().findings == ()


def test_vectors_of_other_chunks_are_made_anew(whole: bytes, into: Callable[..., Memory]) -> None:
    """Where the settings cut elsewhere, only passages that are the same keep theirs."""
    model = Counting()
    memory = into(model, chunk_tokens=64)
    memory.import_documents([whole])
    assert model.embedded >= memory.get(key="long").chunk_count - 1 > 10
    assert memory.get(key="short").chunk_count == 1


@pytest.mark.parametrize(
    "vector",
    [
        *("", "!", "AAAA", coded(np.zeros(64)), coded(np.full(64, np.nan))),
        *(coded(np.full(64, 0.2)), coded(np.full(65, 0.124))),
    ],
)
def test_a_vector_that_is_none_is_made_anew(
    whole: bytes, into: Callable[..., Memory], vector: str
) -> None:
    """No text, no floats, of the wrong number, zero, not finite, not of length 1."""
    manifest, long, short, own = parsed(whole)
    short["chunks"][0]["vector"] = own["chunks"][0]["vector"] = vector
    model = Counting()
    memory = into(model)
    memory.import_documents([signed(manifest, long, short, own)])
    assert model.embedded == 1 + memory.get(key="own").chunk_count > 5
    assert memory.check().findings == ()


def test_imported_vectors_serve_their_document_alone(
    whole: bytes, into: Callable[..., Memory]
) -> None:
    """Who imports false vectors must not give them to equal texts of others."""
    manifest, _, short, _ = parsed(whole)
    false = coded(np.eye(64)[0])
    short["chunks"][0]["vector"] = false
    model = Counting()
    memory = into(model)
    memory.import_documents([signed(manifest, short)])
    memory.add("The cedar door.", key="short", collection="others")
    assert model.embedded == 1
    mine, theirs = vectors_of(memory)
    assert mine[0]["passage"] == theirs[0]["passage"]
    assert mine[0]["vector"] == false != theirs[0]["vector"]


def test_a_vector_that_is_awaited(memory: Memory, into: Callable[..., Memory]) -> None:
    """It is null in the export, and made on import."""
    memory.add("The amber lamp.", key="later", embed="later")
    whole = b"".join(memory.export(include_vectors=True))
    assert parsed(whole)[1]["chunks"][0]["vector"] is None
    model = Counting()
    other = into(model)
    other.import_documents([whole])
    assert (model.embedded, other.stats().awaiting) == (1, 0)


def test_an_export_is_one_view(memory: Memory) -> None:
    """What is written while it is read is no part of it."""
    for number in range(250):
        memory.add(f"number {number}", key=f"k{number}")
    lines = memory.export()
    first = next(lines)
    memory.add("late", key="late")
    memory.delete(key="k249")
    rest = list(lines)
    assert json.loads(first)["collections"] == {"default": 250}
    assert [json.loads(line)["key"] for line in rest[:-1]] == [f"k{n}" for n in range(250)]


def checkpointed(memory: Memory) -> bool:
    """Whether the write-ahead log could be emptied, which no reader keeps from it."""
    connection = apsw.Connection(str(memory.path))
    try:
        ((busy, _, _),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
    return not busy


@pytest.mark.parametrize("stop", ["close", "forget", "fail"])
def test_who_stops_early_ends_the_transaction(memory: Memory, stop: str) -> None:
    """By closing the stream, by letting it go, or by an error in between."""
    memory.add_batch([NewDocument(f"number {number}") for number in range(5)])
    lines = memory.export()
    next(lines)
    memory.add("written meanwhile")
    assert not checkpointed(memory), "a control: the open stream keeps the log"
    if stop == "close":
        lines.close()
    elif stop == "fail":
        with pytest.raises(KeyError):
            lines.throw(KeyError())
    del lines
    gc.collect()
    assert checkpointed(memory)


def test_memory_stays_bounded(tmp_path: Path, into: Callable[..., Memory]) -> None:
    """Export and import of four thousand documents take a small part of their size."""
    with Memory(tmp_path / "many.db", model="fake") as memory:
        texts = [document.text * 10 for document in generated_documents(4_000)]
        memory.add_many(texts, vectors=np.ones((len(texts), 64)))
        other = into()
        tracemalloc.start()
        size = sum(map(len, memory.export(include_vectors=True)))
        exporting = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        other.import_documents(memory.export(include_vectors=True))
        importing = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert size > 8_000_000
    assert exporting < 1_500_000
    assert importing < 5_000_000


def test_what_has_expired_meanwhile_is_left_out(engine: Engine, clock: Clock) -> None:
    """An import does not bring back what was over before it began."""
    lives, until = engine.writing, None
    stored = lives.add(NewDocument("short of time", key="k"))
    until = stored.created.replace(year=stored.created.year + 1)
    lives.add(NewDocument("short of time", key="k", expires_at=until))
    whole = b"".join(engine.exporting.export(collection=None, where=None, include_vectors=False))
    lives.delete(stored.id, key=None, collection=None)
    clock.now += 400 * 86_400 * 1_000_000
    report = engine.importing.import_documents(
        [whole], collection=None, on_conflict="replace", dry_run=False, embed=True, progress=None
    )
    assert (report.expired, report.added) == (1, 0)


def test_an_import_that_fails_keeps_what_it_stored(memory: Memory, tmp_path: Path) -> None:
    """Whole batches; it says how many, and the next one takes the rest."""
    memory.add_batch([NewDocument(f"number {number}", key=f"k{number}") for number in range(200)])
    whole = b"".join(memory.export())
    model = Counting(fails_after=150)
    seen: list[ImportProgress] = []
    with Memory(tmp_path / "into.db", model=model) as other:
        with pytest.raises(EmbeddingError, match=r"The first 128 documents .* stay") as caught:
            other.import_documents([whole], progress=seen.append)
        assert caught.value.message.startswith("It failed.")
        assert seen == [ImportProgress(64, 200), ImportProgress(128, 200)]
        assert other.stats().documents == 128
        model.fails_after = 1_000_000
        report = other.import_documents([whole])
        assert (report.added, report.unchanged) == (72, 128)
        assert b"".join(other.export()) == whole


def test_a_damaged_end_is_told_with_what_was_stored(
    memory: Memory, into: Callable[..., Memory]
) -> None:
    """The last batch waits for the trailer; those before it do not."""
    memory.add_batch([NewDocument(f"number {number}", key=f"k{number}") for number in range(100)])
    cut = b"".join(list(memory.export())[:-1])
    other = into()
    with pytest.raises(TransferError, match=r"Line 102: .* cut off\. The first 64 documents"):
        other.import_documents([cut])
    assert other.stats().documents == 64


def _replaced(name: str, value: Any) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        members[name] = value

    return change


BAD: dict[str, tuple[Callable[[Members], object], str]] = {
    "text of a number": (_replaced("text", 5), "/text"),
    "empty text": (_replaced("text", " "), "/text"),
    "text with NUL": (_replaced("text", f"{CANARY}\0"), "/text"),
    "long text": (_replaced("text", CANARY * 500), "/text"),
    "key of null": (_replaced("key", None), "/key"),
    "long key": (_replaced("key", CANARY * 1000), "/key"),
    "id of another kind": (_replaced("id", CANARY), "/id"),
    "id in capitals": (_replaced("id", "019B2D0C-1A2B-7C3D-8E4F-5A6B7C8D9E0F"), "/id"),
    "collection that is no name": (_replaced("collection", f"/{CANARY}"), "/collection"),
    "collection of null": (_replaced("collection", None), "/collection"),
    "collection that is not in the manifest": (_replaced("collection", CANARY), "/collection"),
    "title of a list": (_replaced("title", [CANARY]), "/title"),
    "tags of a text": (_replaced("tags", CANARY), "/tags"),
    "a tag of null": (_replaced("tags", [None]), "/tags/0"),
    "metadata of a list": (_replaced("metadata", [CANARY]), "/metadata"),
    "a huge number": (_replaced("metadata", {"n": 2**64}), "/metadata/n"),
    "no time": (_replaced("created", f"{CANARY}"), "/created"),
    "a time of null": (_replaced("updated", None), "/updated"),
    "a time without zone": (_replaced("updated", "2026-01-01T00:00:00"), "/updated"),
    "expiry of a number": (_replaced("expires_at", 5), "/expires_at"),
    "media type with a blank": (_replaced("media_type", f"text/{CANARY} x"), "/media_type"),
    "source of a text": (_replaced("source", CANARY), "/source"),
    "source without time": (_replaced("source", {"size": 1}), "/source/mtime_ns"),
    "negative size": (_replaced("source", {"size": -1, "mtime_ns": 1}), "/source/size"),
    "size of true": (_replaced("source", {"size": True, "mtime_ns": 1}), "/source/size"),
    "huge time": (_replaced("source", {"size": 1, "mtime_ns": 2**63}), "/source/mtime_ns"),
    "another hash": (_replaced("content_hash", "0" * 64), "/content_hash"),
    "chunks of an object": (_replaced("chunks", {CANARY: 1}), "/chunks"),
    "a chunk of a text": (_replaced("chunks", [CANARY]), "/chunks/0"),
    "a chunk without vector": (_replaced("chunks", [{"passage": None}]), "/chunks/0/vector"),
    "a digest of text": (
        _replaced("chunks", [{"passage": CANARY, "vector": None}]),
        "/chunks/0/passage",
    ),
    "a vector of a list": (
        _replaced("chunks", [{"passage": None, "vector": [1.0]}]),
        "/chunks/0/vector",
    ),
    "a member too many": (_replaced(CANARY, 1), ""),
    "a member too few": (lambda members: members.pop("title"), "/title"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_document(whole: bytes, into: Callable[..., Memory], name: str) -> None:
    """It is refused with its line and a pointer, without what it says; nothing is stored."""
    change, pointer = BAD[name]
    manifest, long, short, own = parsed(whole)
    change(short)
    memory = into(max_text_chars=4_900)
    with pytest.raises(TransferError) as caught:
        memory.import_documents([signed(manifest, own, short, long)])
    assert caught.value.message.startswith("Line 3: ")
    assert caught.value.pointer == pointer
    assert CANARY not in caught.value.message
    assert memory.stats().documents == 0
    change_nothing = signed(manifest, own, long)
    assert memory.import_documents([change_nothing]).added == 2, "a control"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (_replaced("format", CANARY), "/format"),
        (_replaced("version", "1"), "/version"),
        (_replaced("version", True), "/version"),
        (_replaced("vstash", 1), "/vstash"),
        (_replaced("collections", ["default"]), "/collections"),
        (_replaced("collections", {CANARY: -1}), "/collections"),
        (_replaced("model", None), "/model"),
        (_replaced("model", {"name": "x", "dimension": 3}), "/model/sha256"),
        (_replaced("model", {"name": 1, "dimension": 3, "sha256": "0" * 64}), "/model/name"),
        (_replaced("vectors", 1), "/vectors"),
        (_replaced(CANARY, 1), ""),
        (lambda members: members.pop("vectors"), "/vectors"),
    ],
)
def test_a_bad_manifest(
    whole: bytes, into: Callable[..., Memory], change: Callable[[Members], object], pointer: str
) -> None:
    """It is refused before anything is read."""
    manifest, *documents = parsed(whole)
    change(manifest)
    with pytest.raises(TransferError) as caught:
        into().import_documents([signed(manifest, *documents)])
    assert caught.value.message.startswith("Line 1: ")
    assert caught.value.pointer == pointer
    assert CANARY not in caught.value.message


@pytest.mark.parametrize(
    "line",
    [
        *(b"\n", b"{}\n", b"[]\n", b"null\n", b'{"a":1,"a":2}\n', b'{"a":NaN}\n', b"\xff\n"),
        *(b"[" * 100_000 + b"\n", b'{"n":' + b"9" * 5_000 + b"}\n", b'{"s":"\\ud800"}\n'),
        *(b'{"end":1}\n', b'{"end":"vstash-export","documents":0}\n'),
    ],
)
def test_a_line_that_is_none(whole: bytes, into: Callable[..., Memory], line: bytes) -> None:
    """Whatever stands in place of a document is refused by its line."""
    manifest, *_ = whole.splitlines(keepends=True)
    memory = into()
    with pytest.raises(TransferError, match=r"^Line 2: "):
        memory.import_documents([signed(manifest, line)])
    with pytest.raises(TransferError, match=r"^Line 1: "):
        memory.import_documents([line])


def test_a_line_that_never_ends(into: Callable[..., Memory]) -> None:
    """It is refused once it is longer than any document can be, not when memory is full."""
    memory = into(max_text_chars=1_000, max_metadata_bytes=1_000)
    given = 0

    def endless() -> Iterator[bytes]:
        nonlocal given
        while True:
            given += 100_000
            yield b"x" * 100_000

    with pytest.raises(TransferError, match=r"Line 1: .* over .* bytes"):
        memory.import_documents(endless())
    assert given < 1_300_000


def test_cut_anywhere(whole: bytes, into: Callable[..., Memory]) -> None:
    """Byte by byte, as text and as lines it is the same export."""
    memory = into()
    assert memory.import_documents(whole[i : i + 1] for i in range(len(whole))).added == 3
    assert memory.import_documents(whole.decode()).unchanged == 3
    assert memory.import_documents(whole.decode().splitlines(keepends=True)).unchanged == 3
    assert memory.import_documents([b"", whole.rstrip(b"\n")]).unchanged == 3
