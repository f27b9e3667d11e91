"""Everything that can be done to a file, at random, told before and after it is done.

The fault loops share it: the one that kills, and the one that goes on for long.
"""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from vstash import Document, Memory, NewDocument
from vstash.errors import CollectionNotFoundError, JobFinishedError, ModelNotFoundError
from vstash.replies import Reply, Request
from vstash.switching import ReindexProgress
from vstash.types import JsonObject

__all__ = ["ACTIONS", "Acting", "Change", "applied", "background", "held"]

WORDS: Final = (
    *("amber", "basil", "cedar", "delta", "ember"),
    *("fjord", "grove", "heron", "islet", "jade"),
)
_KEYS: Final = 24
_FILES: Final = 12
_JOB_FILES: Final = 8
_ACCESS_KEYS: Final = 12
_JOBS: Final = 60
_VERDICTS: Final = 200
_BACKUPS: Final = 3

# So many chunks are left without a vector of the other model: with fewer it would take over.
_NOT_BUILT: Final = 64


class _EnoughError(Exception):
    """The index stays half built."""


# What a name stands for in the file, None where there is nothing. Names are "document COLLECTION KEY",
# "access NAME", "verdict SEARCH CHUNK" and "job ID".
Change = dict[str, object]


def applied(state: Change, change: Change) -> None:
    """Bring what a file holds up to date."""
    state.update(change)
    for name in [name for name, value in state.items() if value is None]:
        del state[name]


@dataclass
class Acting:
    """Whoever does it.

    Attributes:
        state: What the file holds.
        mark: In every text; no other has it.
        tell: Hears ``asked`` and ``done`` with what is changed.
    """

    memory: Memory
    folder: Path
    state: Change
    rng: random.Random
    mark: str
    tell: Callable[[str, Change], None] = lambda _kind, _change: None
    step: int = 0

    def act(self) -> str:
        """Do one thing; returns its name."""
        self.step += 1
        names, weights = list(ACTIONS), [weight for _, weight in ACTIONS.values()]
        (name,) = self.rng.choices(names, weights)
        ACTIONS[name][0](self)
        return name

    def change(self, change: Change, run: Callable[[], object]) -> None:
        """Say what is about to happen, do it, and say that it returned."""
        self.tell("asked", change)
        run()
        applied(self.state, change)
        self.tell("done", change)

    def text(self) -> str:
        """One of one to three chunks that no other call writes."""
        count = self.rng.choice((5, 40, 400))
        words = " ".join(self.rng.choice(WORDS) for _ in range(count))
        return f"{self.mark}.{self.step}.{self.rng.randrange(10**9)} {words}"

    def keys(self, count: int) -> list[str]:
        """Different ones, in use or not."""
        return [f"key{number}" for number in self.rng.sample(range(_KEYS), count)]

    def present(self, collection: str) -> list[str]:
        """Keys that a collection has."""
        start = f"document {collection} "
        return [name.removeprefix(start) for name in self.state if name.startswith(start)]

    def some(self, most: int) -> list[str]:
        """Keys of the collection ``default``, at most so many."""
        keys = self.present("default")
        return self.rng.sample(keys, min(most, len(keys)))


def document(text: str, *, tags: tuple[str, ...] = (), **metadata: object) -> list[object]:
    """How a document is told."""
    return [text, list(tags), metadata]


def _add(acting: Acting) -> None:
    (key,), text = acting.keys(1), acting.text()
    change: Change = {f"document default {key}": document(text, tags=("red",), n=acting.step)}
    acting.change(
        change,
        lambda: acting.memory.add(text, key=key, tags=["red"], metadata={"n": acting.step}),
    )


def _add_later(acting: Acting) -> None:
    (key,), text = acting.keys(1), acting.text()
    acting.change(
        {f"document default {key}": document(text)},
        lambda: acting.memory.add(text, key=key, embed="later"),
    )
    if acting.rng.random() < 0.7:
        acting.memory.embed()


def _add_batch(acting: Acting) -> None:
    rows = [NewDocument(acting.text(), key=key) for key in acting.keys(3)]
    acting.change(
        {f"document default {row.key}": document(row.text) for row in rows},
        lambda: acting.memory.add_batch(rows),
    )


def _add_many(acting: Acting) -> None:
    keys, collection = acting.keys(8), acting.rng.choice(("default", "other"))
    texts = [acting.text() for _ in keys]
    acting.change(
        {
            f"document {collection} {key}": document(text)
            for key, text in zip(keys, texts, strict=True)
        },
        lambda: acting.memory.add_many(texts, keys=keys, collection=collection),
    )


def _update(acting: Acting) -> None:
    for key in acting.some(1):
        _update_one(acting, key)


def _update_one(acting: Acting, key: str) -> None:
    read, text, name = acting.memory.get(key=key), acting.text(), f"document default {key}"
    if acting.rng.random() < 0.5:
        kept = {field: value for field, value in read.metadata.items() if field != "n"}
        told = document(str(read.text), tags=read.tags, **kept | {"patched": acting.step})
        patch: JsonObject = {"n": None, "patched": acting.step}
        acting.change(
            {name: told},
            lambda: acting.memory.update(read.id, metadata=patch, if_match=read.etag),
        )
    else:
        acting.change(
            {name: document(text)}, lambda: acting.memory.replace(read.id, text, if_match="*")
        )


def _delete(acting: Acting) -> None:
    for key in acting.some(1):
        gone: Change = {f"document default {key}": None}
        acting.change(gone, partial(acting.memory.delete, key=key))


def _delete_many(acting: Acting) -> None:
    keys = acting.some(3)
    if keys:
        gone: Change = {f"document default {key}": None for key in keys}
        acting.change(gone, lambda: acting.memory.delete_many(_which(keys)))


def _which(keys: list[str]) -> JsonObject:
    return {"key": {"in": list(keys)}}


def _delete_collection(acting: Acting) -> None:
    gone: Change = {f"document other {key}": None for key in acting.present("other")}
    with suppress(CollectionNotFoundError):
        acting.change(gone, lambda: acting.memory.delete_collection("other"))


def _ingest(acting: Acting) -> None:
    change: Change = {}
    files = [acting.folder / f"{name}.txt" for name in acting.rng.sample(range(_FILES), 3)]
    for file in files:
        text = acting.text()
        file.write_text(text, encoding="utf-8")
        change[f"document files {file.as_posix()}"] = document(text)
    acting.change(change, lambda: acting.memory.ingest(files, collection="files"))


def _transfer(acting: Acting) -> None:
    keys = acting.some(4)
    if not keys:
        return
    names = [f"document default {key}" for key in keys]
    kept: Change = {name: acting.state[name] for name in names}
    vectors = acting.rng.random() < 0.5
    lines = list(acting.memory.export(filter=_which(keys), include_vectors=vectors))
    acting.change(dict.fromkeys(names), lambda: acting.memory.delete_many(_which(keys)))
    acting.change(kept, lambda: acting.memory.import_documents(lines))


def _once(acting: Acting) -> None:
    (key,), text = acting.keys(1), acting.text()
    request = Request("", f"{acting.mark}.{acting.step}", text.encode()[:32].ljust(32))

    def once() -> Reply:
        return acting.memory.once(request, lambda: acting.memory.add(text, key=key), _reply)

    acting.change({f"document default {key}": document(text)}, once)
    if not once().repeated:
        message = "a request that was applied was applied again"
        raise AssertionError(message)


def _reply(stored: Document) -> Reply:
    return Reply(201, {}, json.dumps({"id": stored.id}))


def _search(acting: Acting) -> None:
    acting.memory.search(acting.rng.choice(WORDS), k=5)
    acting.memory.search(acting.rng.choice(WORDS), log=False, mode="keyword")


def _feedback(acting: Acting) -> None:
    # Of a document that is never changed: feedback goes with the document that it is of.
    steady = "document steady steady"
    if steady not in acting.state:
        # It holds the words of the queries, so that no forgetting takes these along.
        text = f"amber cedar {acting.text()}"
        acting.change(
            {steady: document(text)},
            lambda: acting.memory.add(text, key="steady", collection="steady"),
        )
    if sum(name.startswith("verdict ") for name in acting.state) < _VERDICTS:
        # What is asked again takes the place of the search before, and its verdicts along.
        # In letters alone: of digits and letters, parts could be words that are forgotten.
        query = "amber cedar " + "".join(secrets.choice("jqwxz") for _ in range(12))
        result = acting.memory.search(query, collection="steady")
        chunk = result.hits[0].chunk.id
        acting.change(
            {f"verdict {result.id} {chunk}": "helpful"},
            lambda: acting.memory.feedback(result.id, chunk, "helpful"),
        )


def _access_key(acting: Acting) -> None:
    names = [name for name in acting.state if name.startswith("access ")]
    if len(names) < _ACCESS_KEYS:
        name = f"{acting.mark}.{acting.step}"
        acting.change({f"access {name}": "living"}, lambda: acting.memory.create_key(name))
    else:
        name = acting.rng.choice(names)
        keys = acting.memory.keys()
        (found,) = [key for key in keys if f"access {key.name}" == name]
        acting.change({name: "revoked"}, lambda: acting.memory.revoke_key(found.id))


def _job(acting: Acting) -> None:
    jobs = [name.split()[1] for name in acting.state if name.startswith("job ")]
    if len(jobs) < _JOBS:
        job = acting.memory.start_ingest(list(job_files(acting.folder)), collection="jobs")
        acting.change({f"job {job.id}": "there"}, lambda: acting.memory.job(job.id))
    else:
        with suppress(JobFinishedError):
            acting.memory.cancel_job(acting.rng.choice(jobs))
    acting.memory.work_in_background()


def job_files(folder: Path) -> list[Path]:
    """What jobs ingest; its texts stay, so that a job which is late changes nothing."""
    files = [folder / f"job{number}.txt" for number in range(_JOB_FILES)]
    for file in files:
        if not file.exists():
            file.write_text(f"{file.name} holds the jade lamp", encoding="utf-8")
    return files


def _compact(acting: Acting) -> None:
    acting.memory.compact(full=acting.rng.random() < 0.3)


def _forget(acting: Acting) -> None:
    for key in acting.some(1):
        gone: Change = {f"document default {key}": None}
        acting.change(gone, partial(acting.memory.forget, key=key))


def _backup(acting: Acting) -> None:
    for old in acting.memory.backups()[_BACKUPS:]:
        acting.memory.delete_backup(old.name)
    acting.memory.backup()


def _restore(acting: Acting) -> None:
    name = acting.memory.backup().name
    (key,), text = acting.keys(1), acting.text()
    told = f"document default {key}"
    before: Change = {told: acting.state.get(told)}
    acting.change({told: document(text)}, lambda: acting.memory.add(text, key=key))
    acting.change(before, lambda: acting.memory.restore(name, force=True))


def _index(acting: Acting) -> None:
    """Begin the index of another model, or go on with it, or remove it; it is never switched to."""

    def enough(told: ReindexProgress) -> None:
        if told.chunks - told.done <= _NOT_BUILT or not acting.rng.randrange(3):
            raise _EnoughError

    # Others may do the same meanwhile.
    with suppress(ModelNotFoundError, _EnoughError):
        if acting.rng.randrange(2):
            acting.memory.reindex("fake-32", progress=enough)
        else:
            acting.memory.remove_model("fake-32")


def _repair(acting: Acting) -> None:
    if not acting.memory.check(level="quick").ok or not acting.memory.repair().ok:
        message = "the file does not agree with itself"
        raise AssertionError(message)


# How often each is done, beside the others.
ACTIONS: Final[dict[str, tuple[Callable[[Acting], None], float]]] = {
    "add": (_add, 6),
    "add_later": (_add_later, 2),
    "add_batch": (_add_batch, 3),
    "add_many": (_add_many, 2),
    "update": (_update, 4),
    "delete": (_delete, 3),
    "delete_many": (_delete_many, 1),
    "delete_collection": (_delete_collection, 1),
    "ingest": (_ingest, 3),
    "transfer": (_transfer, 2),
    "once": (_once, 2),
    "search": (_search, 3),
    "feedback": (_feedback, 2),
    "access_key": (_access_key, 1),
    "job": (_job, 1),
    "compact": (_compact, 1),
    "forget": (_forget, 1),
    "backup": (_backup, 0.5),
    "restore": (_restore, 0.5),
    "repair": (_repair, 0.5),
    "index": (_index, 0.5),
}


def held(memory: Memory) -> Change:
    """What a file holds, told as above."""
    seen: Change = {}
    for collection in memory.collections():
        for item in memory.list(collection=collection.name, limit=1000).items:
            name = f"document {collection.name} {item.key}"
            text = str(memory.get(item.id).text)
            seen[name] = document(text, tags=item.tags, **item.metadata)
    keys = memory.keys()
    for key in keys:
        seen[f"access {key.name}"] = "living" if key.revoked_at is None else "revoked"
    for search in memory.judged_searches(limit=1000).items:
        for verdict in search.verdicts:
            seen[f"verdict {search.search_id} {verdict.chunk_id}"] = verdict.verdict
    for job in memory.jobs(limit=1000).items:
        seen[f"job {job.id}"] = "there"
    return seen


def background(found: Change, folder: Path) -> Change:
    """What jobs may have done without a word: their own records, and whole documents of theirs."""
    texts = {f"document jobs {file}": [file.read_text(), [], {}] for file in job_files(folder)}
    return {
        name: texts.get(name, "there") for name in found if name in texts or name.startswith("job ")
    }
