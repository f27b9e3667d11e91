"""Ends a process at each named point of a write, and says what the file holds afterwards."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from vstash import Feedback, Memory, NewDocument
from vstash.pipeline import prepare
from vstash.pipeline.engine import Engine, open_engine
from vstash.replies import Reply, Request
from vstash.store import documents

BEFORE = {"kept": "the amber lamp stays", "target": "the cedar door before"}
AFTER = "the jade window after"
CRASHED = 9
APPLIED = '"applied"'
REQUEST = Request("", "key", b"\0" * 32)


def added(engine: Engine) -> None:
    """Add a document whose key is new."""
    engine.writing.add(NewDocument(AFTER, key="fresh"))


def replaced(engine: Engine) -> None:
    """Add a document whose key exists."""
    engine.writing.add(NewDocument(AFTER, key="target"))


def in_batch(engine: Engine) -> None:
    """Add a new document and replace one, together."""
    engine.writing.add_batch([NewDocument(AFTER, key="fresh"), NewDocument(AFTER, key="target")])


def deleted(engine: Engine) -> None:
    """Remove a document."""
    engine.writing.delete(None, key="target", collection=None)


def emptied(engine: Engine) -> None:
    """Remove a collection."""
    engine.removing.delete_collection("default", dry_run=False)


def for_later(engine: Engine) -> None:
    """Replace a document by one that awaits its vector."""
    engine.writing.add(NewDocument(AFTER, key="target"), embed=False)


def embedded(engine: Engine) -> None:
    """Give the document that awaits it its vector."""
    engine.embedding.embed()


def judged(engine: Engine) -> None:
    """Say of two chunks together whether they answered a logged search."""
    found = engine.searching.search(
        BEFORE["target"],
        vector=None,
        k=2,
        collection=None,
        where=None,
        mode="hybrid",
        strategy=None,
        explain=False,
        log=True,
    )
    engine.judging.feedback_batch(
        [Feedback(found.id, hit.chunk.id, "helpful") for hit in found.hits]
    )


def calibrated(engine: Engine) -> None:
    """Store what was learnt of relevance."""
    with engine.store.write() as writer:
        writer.calibrate(1, [1.0] * 6, queries=50, now=1)


def repeatable(engine: Engine) -> None:
    """Add a document under an idempotency key."""
    engine.once.apply(REQUEST, lambda: added(engine), lambda _: Reply(201, {}, APPLIED))


def planted(engine: Engine) -> None:
    """The control: text in one transaction; the crash comes before the words in the next."""
    prepared = prepare.prepare(NewDocument(AFTER, key="fresh"), engine.settings)
    (ready,) = engine.writing.readying.make_ready([(prepared, None)])
    with engine.store.write() as writer:
        run = writer._connection
        collection = documents.made_collection(run, "default")
        number = documents.insert_document(
            run, ready.row, now=1, collection=collection, replaces=None, chunks=range(0)
        )
        documents.insert_text(run, number, ready.row.text, new=True)
        chunk = documents.PlacedChunk(number, 0, ready.chunks[0])
        documents.insert_chunks(run, {documents.last_chunk(run) + 1: chunk})
        run.execute("UPDATE meta SET value = value + 1 WHERE name = 'chunk_count'")
    os._exit(CRASHED)


@dataclass(frozen=True)
class Left:
    """What a file holds: texts by key, chunks that await a vector, feedback, calibration."""

    held: dict[str, str]
    awaiting: int = 0
    feedback: int = 0
    calibrated: str | None = None
    reply: str | None = None


@dataclass(frozen=True)
class Work:
    """A write, and what the file holds before it and after it."""

    run: Callable[[Engine], None]
    old: Left
    new: Left


ONCE = Left(BEFORE)
WORK: dict[str, Work] = {
    "added": Work(added, ONCE, Left(BEFORE | {"fresh": AFTER})),
    "replaced": Work(replaced, ONCE, Left(BEFORE | {"target": AFTER})),
    "in_batch": Work(in_batch, ONCE, Left(BEFORE | {"fresh": AFTER, "target": AFTER})),
    "deleted": Work(deleted, ONCE, Left({"kept": BEFORE["kept"]})),
    "emptied": Work(emptied, ONCE, Left({})),
    "for_later": Work(for_later, ONCE, Left(BEFORE | {"target": AFTER}, 1)),
    "embedded": Work(embedded, Left(BEFORE | {"late": AFTER}, 1), Left(BEFORE | {"late": AFTER})),
    "judged": Work(judged, ONCE, Left(BEFORE, feedback=2)),
    "calibrated": Work(calibrated, ONCE, Left(BEFORE, calibrated="own")),
    "repeatable": Work(repeatable, ONCE, Left(BEFORE | {"fresh": AFTER}, reply=APPLIED)),
    "planted": Work(planted, ONCE, Left(BEFORE | {"fresh": AFTER})),
}


def crash(path: Path, work: str, point: str, nth: int) -> None:
    """Do the work and end the process the nth time that the point is passed."""
    passed = 0

    def at(name: str) -> None:
        nonlocal passed
        passed += name == point
        if passed == nth and name == point:
            os._exit(CRASHED)

    # The model is known already, so the only write is the one under test.
    engine = open_engine(path, model="fake", crash_point=at)
    WORK[work].run(engine)
    engine.close()


def one(base: Path, work: str, point: str, nth: int) -> dict[str, object]:
    """Run one case on a file of its own."""
    path = base / f"{work}-{point.replace(':', '-')}-{nth}.db"
    old, new = WORK[work].old, WORK[work].new
    with Memory(path, model="fake") as memory:
        for key, text in old.held.items():
            memory.add(text, key=key, embed="later" if key == "late" else "now")
    child = os.fork()
    if not child:
        try:
            crash(path, work, point, nth)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    with Memory(path, model="fake") as memory:
        held = {item.key: str(memory.get(item.id).text) for item in memory.list(limit=1000).items}
        stats = memory.stats()
        with memory._engine.store.read() as reader:
            reply = reader.reply(REQUEST, now=0)
        kept = reply[1].body if reply and reply[1] else None
        left = Left(held, stats.awaiting, stats.feedback, stats.calibrated, kept)
        found = [finding.code for finding in memory.check().findings]
        # A chunk that awaits its vector is found by its words.
        hits = {hit.document.key: hit.text for hit in memory.search(AFTER).hits}
    return {
        "exit": os.waitstatus_to_exitcode(status),
        "state": "old" if left == old else "new" if left == new else "between",
        "found": found,
        "searched": hits == held,
    }


def main() -> None:
    """Run the cases given as JSON and print what each left behind."""
    base = Path(sys.argv[1])
    for work, point, nth in json.loads(sys.argv[2]):
        print(json.dumps(one(base, work, point, nth)), flush=True)


if __name__ == "__main__":
    main()
