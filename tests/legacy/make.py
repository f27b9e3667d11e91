"""Makes the files of this folder: for each schema one file, by the last program that wrote it.

    python -m tests.legacy.make [SCHEMA ...]

Each program is taken from the history of this repository, and writes with the libraries of this Python. Beside each
file lies what it must still hold once it was migrated: documents, chunks, log, and what searches found.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from vstash import Memory, VstashError

FOLDER: Final = Path(__file__).resolve().parent
COMMITS: Final = {
    1: "77dec36",
    2: "045f2a0",
    3: "426718e",
    4: "15a1e1f",
    5: "ce59d77",
    6: "9447d0f",
    7: "5d72c49",
}
"""By schema the last commit of which it was the newest."""

LAMPS: Final = ("amber lamp", "cedar door", "jade window", "basil leaf")
SEARCHES: Final[list[dict[str, Any]]] = [
    {"query": "staging port", "mode": "keyword"},
    {"query": "Passwörter", "mode": "keyword"},
    {"query": "東京の図書館", "mode": "keyword"},
    {"query": "quokka", "mode": "keyword", "collection": "other"},
    {"query": "amber", "mode": "keyword", "filter": {"metadata.n": {"gte": 3}}},
    {"query": "cedar door", "mode": "keyword", "filter": {"tags": {"contains": "long"}}},
    {"query": "The staging server listens on port 8090.", "mode": "vector"},
    {"query": "jade window", "mode": "vector", "filter": {"tags": {"contains": "note"}}},
]


FIELDS: Final = (
    *("id", "key", "collection", "title", "text", "metadata", "tags", "content_hash"),
    *("created", "updated", "expires_at", "chunk_count", "char_count"),
)
# The last two make triples: legs disagree.
QUERIES: Final = (
    "amber lamp",
    "staging port",
    "Straße of the staging server",
    "leaves of basil and the tresor",
)


def book(number: int) -> str:
    """A text of several chunks under headings."""
    parts = [f"# Book {number}\n"]
    for chapter in range(4):
        thing = LAMPS[(number + chapter) % 4]
        lines = " ".join(f"Line {line} is about the {thing}." for line in range(30))
        parts.append(f"## Chapter {chapter}\n\n{lines}\n")
    return "\n".join(parts)


def fill(memory: Any, schema: int) -> None:
    """Write everything that a program with this schema can."""
    memory.add(
        "The staging server listens on port 8090.",
        key="staging",
        title="Ports",
        tags=["ops"],
        metadata={"author": "Ada", "n": 3, "nested": {"é": [1, None, 0.5]}},
    )
    for number in range(5):
        memory.add(
            f"Old note {number} about the {LAMPS[number % 4]}.", key=f"note-{number}", tags=["note"]
        )
        memory.add(
            book(number),
            key=f"long-{number}",
            title=f"Book {number}",
            tags=["long", "b"],
            metadata={"n": number},
        )
    memory.add("東京の図書館は朝九時に開きます。", key="東京", title="図書館")
    memory.add("Alle Passwörter liegen im Tresor. Straße, naïve, Ångström.", key="tresor")
    memory.add("The quokka eats leaves.", key="quokka", collection="other")
    memory.add(
        "This one is gone one day.",
        key="expires",
        collection="other",
        expires_at=datetime(2999, 1, 1, tzinfo=timezone.utc),
    )
    memory.add("Replaced text about the jade window.", key="note-3", tags=["note"])
    memory.add("To be deleted.", key="deleted")
    memory.delete(key="deleted")
    if schema >= 2:
        memory.add("This passage awaits its vector.", key="later", embed="later")
    if schema >= 6:
        memory.search("glass of the amber lamp", session="s")
        for query in ("amber glass lamp", "Amber Glass Lamp!"):
            again = memory.search(query, session="s")
        memory.feedback(again.id, again.hits[0].chunk.id, "opened")
    if schema >= 7:
        memory.mine(forms=["heading", "cloze"], limit=20)
        memory.label({"q": "which port"}, {"q": {"staging": 1}})
    found = [memory.search(query, k=3) for query in QUERIES]
    if schema >= 3:
        memory.feedback(found[0].id, found[0].hits[0].chunk.id, "helpful")
        memory.feedback(found[1].id, found[1].hits[0].chunk.id, "cited")
    if schema >= 5:
        memory.create_key("laptop", scope="write")
        memory.revoke_key(memory.create_key("lost", collection="other").key.id)


def expected(memory: Any, schema: int) -> dict[str, Any]:
    """What the file holds, as the program that wrote it tells."""
    stats = memory.stats()
    facts = dataclasses.asdict(stats)
    names = ("documents", "chunks", "vectors", "collections", "searches_logged", "triples")
    listed = [
        memory.get(item.id)
        for collection in stats.collections
        for item in memory.list(collection=collection, limit=100).items
    ]
    return {
        "stats": {name: facts[name] for name in names}
        | {"awaiting": facts.get("awaiting", 0), "feedback": facts.get("feedback", 0)},
        "documents": [fields_of(document) for document in listed],
        "chunks": {
            str(number): [chunk.document_id, chunk.seq, list(chunk.heading), chunk.start, chunk.end]
            for number, chunk in chunks_of(memory)
        },
        "searches": [{**search, "keys": found(memory, search)} for search in SEARCHES],
        "logged": [[item.search_id, item.query] for item in memory.disagreements().items],
        "asked": asked_of(memory) if schema >= 6 else [],
        "verdicts": verdicts_of(memory) if schema >= 3 else [],
        "keys": [[key.id, key.name, key.scope] for key in list(memory.keys())]
        if schema >= 5
        else [],
    }


def fields_of(document: Any) -> dict[str, Any]:
    """A document with its text; times as text."""
    fields = {name: getattr(document, name) for name in FIELDS}
    for name in ("created", "updated", "expires_at"):
        fields[name] = None if fields[name] is None else fields[name].isoformat()
    return fields | {"tags": list(fields["tags"])}


def chunks_of(memory: Any) -> Iterator[tuple[int, Any]]:
    """All chunks by id."""
    for number in range(1, memory.stats().chunks + 20):
        with suppress(VstashError):
            yield number, memory.get_chunk(number)


def found(memory: Any, search: dict[str, Any]) -> list[str]:
    """The keys that a search finds, best first."""
    options = {"collection": None, "filter": None, "k": 50, "log": False} | search
    hits = memory.search(options.pop("query"), **options).hits
    return list(dict.fromkeys(hit.document.key for hit in hits))


def verdicts_of(memory: Any) -> list[list[Any]]:
    """What was said of logged searches."""
    return [
        [judged.search_id, verdict.chunk_id, verdict.verdict]
        for judged in memory.judged_searches().items
        for verdict in judged.verdicts
    ]


def asked_of(memory: Any) -> list[list[Any]]:
    """How often each logged search was asked, and in which session."""
    return [
        [item.search_id, item.asked, item.session, item.reformulates]
        for item in memory.disagreements().items
    ]


def write(schema: int, path: Path) -> None:
    """Make the file, in a process that imports the old program."""
    with Memory(path, model="fake") as memory:
        fill(memory, schema)
        facts = expected(memory, schema)
        assert memory.check().findings == ()
    text = json.dumps(facts, ensure_ascii=False)
    path.with_suffix(".json").write_text(text, encoding="utf-8")


def make(schema: int) -> None:
    """Run `write` with the program of a schema, and keep its file and what it must hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = subprocess.run(
            ["git", "archive", COMMITS[schema]],
            cwd=FOLDER.parents[1],
            capture_output=True,
            check=True,
        )
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tree:
            tree.extractall(folder / "tree")
        made = folder / f"schema-{schema}.db"
        subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), str(schema), "--write", str(made)],
            env=os.environ | {"PYTHONPATH": str(folder / "tree"), "VSTASH_CONFIG": os.devnull},
            cwd=folder,
            check=True,
        )
        packed = lzma.compress(made.read_bytes(), preset=9 | lzma.PRESET_EXTREME)
        (FOLDER / f"{made.name}.xz").write_bytes(packed)
        facts = lzma.compress(made.with_suffix(".json").read_bytes(), preset=9)
        (FOLDER / f"schema-{schema}.json.xz").write_bytes(facts)


def main() -> None:
    """Make what is asked for, all for nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.legacy.make", description=__doc__)
    parser.add_argument("schemas", type=int, nargs="*", metavar="SCHEMA")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write:
        write(given.schemas[0], given.write)
        return
    for schema in given.schemas or COMMITS:
        make(schema)


if __name__ == "__main__":
    main()
