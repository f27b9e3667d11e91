"""Forget documents out of a file that was used in every way, and search its raw bytes for what they held.

`python -m tests.faults forget` forgets more of them than a test has time for.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from vstash import Memory
from vstash.replies import Reply, Request
from vstash.wire import to_json

WayOut = Literal["forget", "delete", "delete, insecure"]
WAYS: Final = ("document_id", "key", "where", "source")
_SYLLABLES: Final = ("ka", "lo", "mi", "ne", "pu", "ra", "si", "to", "vu", "we", "xa", "zo")
# Each document that is forgotten has one neighbour that stays.
_STAYING: Final = 1


@dataclass(frozen=True, slots=True)
class Marked:
    """A document with words that nothing else has.

    Attributes:
        words: Of its text, title, key, tags, metadata and earlier version; each in one place.
        id: Of the document.
        key: With one of the words in it.
    """

    words: tuple[str, ...]
    id: str
    key: str


def mark(rng: random.Random) -> str:
    """A word that occurs nowhere else and that no stemmer changes."""
    return "q" + "".join(rng.choice(_SYLLABLES) for _ in range(7)) + "q"


def filler(rng: random.Random) -> str:
    """Words that many documents share."""
    count = rng.choice((8, 60, 400))
    return " ".join(f"{rng.choice(_SYLLABLES)}{rng.randrange(300)}" for _ in range(count))


def stored(memory: Memory, rng: random.Random, folder: Path, number: int) -> Marked:
    """Store a document by one of the ways there are, use it, and say what it is known by."""
    old, text, title, tag, value, name, accent = (mark(rng) for _ in range(7))
    told = f'{text} {filler(rng)} É{accent}é 東京{number:06}都 "{text}\\'
    key = f"{folder.as_posix()}/{name}.txt"
    if number % 3 == 0:
        file = Path(key)
        file.write_text(f"{old} {filler(rng)}", encoding="utf-8")
        memory.ingest([file], tags=[tag])
        memory.search(old)
        file.write_text(f"{told} {title}", encoding="utf-8")
        memory.ingest([file], tags=[tag])
        document = memory.update(key=key, metadata={"about": [value]})
    else:
        fields: dict[str, Any] = {
            "key": key,
            "title": f"T {title}",
            "tags": [tag],
            "metadata": {"about": value},
        }
        once(memory, f"{old} {filler(rng)}", fields)
        memory.search(old)
        document = memory.add(told, embed="later" if number % 3 == 1 else "now", **fields)
        memory.embed()
    for word in (text, title, text.upper()):
        result = memory.search(f"{word} {rng.choice(_SYLLABLES)}1")
        if result.hits and result.hits[0].document.id == document.id:
            memory.feedback(result.id, result.hits[0].chunk.id, "helpful")
    return Marked((old, text, title, tag, value, name, accent), document.id, key)


def once(memory: Memory, text: str, fields: dict[str, Any]) -> None:
    """Store a document as an idempotent request does, whose reply is kept."""
    memory.once(
        Request("", str(fields["key"]).rpartition("/")[2], bytes(32)),
        lambda: memory.add(text, **fields),
        lambda document: Reply(200, {}, json.dumps(to_json(document))),
    )


def needles(marked: Marked) -> Iterator[bytes]:
    """What must not be in the file: each word as it was written and as it is indexed; the key."""
    for word in marked.words:
        yield word.encode()
        yield word.upper().encode()
    yield marked.key.encode()
    yield json.dumps(marked.key).encode()
    yield marked.id.encode()


def vectors_of(path: Path, ids: Sequence[str]) -> list[bytes]:
    """The float32 bytes of the vectors of documents, and those of their signs."""
    from vstash.store.sqlite import SqliteStore

    store = SqliteStore(path)
    with store.read() as reader:
        assert reader.model is not None
        chunks = np.concatenate([reader.chunk_ids(each) for each in ids])
        _, matrix = reader.vectors(reader.model[0], chunks)
    store.close()
    whole = [row.astype("<f4").tobytes() for row in matrix]
    return whole + [row[len(row) // 4 :][: len(row) // 2] for row in whole]


def left_in(path: Path, sought: Sequence[bytes]) -> list[str]:
    """Those that the file's raw bytes still hold, in it or beside it; nobody has it open."""
    raw = b"".join(
        path.with_name(path.name + ending).read_bytes()
        for ending in ("", "-wal", "-shm", "-journal")
        if path.with_name(path.name + ending).exists()
    )
    return [each.decode(errors="replace") for each in sought if each in raw]


def forgotten(memory: Memory, going: Sequence[Marked], way_out: WayOut) -> None:
    """Forget documents, a quarter of them in each way; a control only deletes them."""
    if way_out != "forget":
        if way_out == "delete, insecure":
            memory._engine.store._write_connection().execute("PRAGMA secure_delete = OFF")  # type: ignore[attr-defined]
        for each in going:
            memory.delete(each.id)
        return
    quarter = -(-len(going) // len(WAYS))
    parts = [going[start : start + quarter] for start in range(0, len(going), quarter)]
    for way, part in zip(WAYS, parts, strict=False):
        if way == "where":
            where = {"or": [{"key": {"eq": each.key}} for each in part]}
            reports = [memory.forget(where=where)]
        elif way == "document_id":
            reports = [memory.forget(each.id) for each in part]
        else:
            reports = [memory.forget(**{way: each.key}) for each in part]  # type: ignore[arg-type]
        assert sum(report.documents for report in reports) == len(part)
        assert all(report.purged and report.log_emptied for report in reports), reports


def figures_of(count: int, seed: int, way_out: WayOut = "forget") -> dict[str, object]:
    """Make a file, forget so many documents of it, and look for what is left."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="vstash-forget-") as base:
        path, folder = Path(base) / "forget.db", Path(base) / "files"
        folder.mkdir()
        with Memory(path, model="fake") as memory:
            every = [
                stored(memory, rng, folder, number) for number in range(count * (1 + _STAYING))
            ]
            rng.shuffle(every)
            going, staying = every[:count], every[count:]
        vectors = vectors_of(path, [each.id for each in going])
        with Memory(path, model="fake") as memory:
            forgotten(memory, going, way_out)
            size, findings = memory.stats().file_bytes, memory.check().findings
        words = left_in(path, [each for marked in going for each in needles(marked)])
        found = left_in(path, [marked.words[1].encode() for marked in staying])
        return {
            "forgotten": count,
            "words_left": len(words),
            "vectors_left": len(left_in(path, vectors)),
            "first_left": words[:5],
            "staying_lost": len(staying) - len(found),
            "findings": [finding.code for finding in findings],
            "bytes_after": size,
        }


def measure(count: int, seed: int) -> dict[str, object]:
    """Forget so many documents, and as a control delete some, with SQLite's own erasing and without."""
    return {
        **figures_of(count, seed),
        "control": figures_of(min(count, 100), seed, "delete"),
        "control_insecure": figures_of(min(count, 100), seed, "delete, insecure"),
    }
