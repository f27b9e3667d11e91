"""What the fault tests do to a file: steps that say how each changes what the file holds."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from vstash import Memory, NewDocument
from vstash.replies import Reply, Request

__all__ = [
    "Effect",
    "Facts",
    "Step",
    "at_random",
    "fits",
    "hasty",
    "observed",
    "scripted",
    "with_change",
]

# What a file holds, by a name such as ``document default/tea``.
Facts = dict[str, str]
# What a step makes of it; None where it ends.
Change = Mapping[str, str | None]

_WORDS: Final = ("amber", "basil", "cedar", "delta", "ember", "fjord", "grove", "heron")
_KEYS: Final = 12
_JOB_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Effect:
    """What a step makes of a file.

    Attributes:
        change: By the fact's name.
        loose: Whether it is several transactions, so that each fact may come by itself.
    """

    change: Change
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One call, or a few.

    Attributes:
        name: What it is.
        run: Does it; may be repeated when it failed.
        effect: What it makes of the file.
        reads: Whether it only reads; the log may be written all the same.
    """

    name: str
    run: Callable[[Memory], object]
    effect: Effect
    reads: bool = False


def with_change(facts: Facts, change: Change) -> Facts:
    """Facts after a change."""
    return {name: value for name, value in ({**facts, **change}).items() if value is not None}


def fits(seen: Facts, before: Facts, effect: Effect | None) -> bool:
    """Whether a file holds what it may: all of the step that was under way or nothing of it."""
    if seen == before:
        return True
    if effect is None:
        return False
    change = effect.change
    if effect.loose:
        change = {name: value for name, value in change.items() if seen.get(name) == value}
    return seen == with_change(before, change)


def observed(memory: Memory) -> Facts:
    """Everything that steps change, read back."""
    facts: Facts = {}
    for collection in memory.collections():
        for item in memory.list(collection=collection.name, limit=1000).items:
            document = memory.get(item.id)
            mark = item.metadata.get("mark", "")
            facts[f"document {collection.name}/{item.key}"] = f"{mark}|{document.text}"
    if memory.stats().awaiting:
        facts["awaiting"] = "yes"
    for key in memory.keys():  # noqa: SIM118 - it is no mapping
        facts[f"key {key.name}"] = "revoked" if key.revoked_at else key.scope
    for judged in memory.judged_searches(limit=1000).items:
        said = [f"{verdict.document_key} {verdict.verdict}" for verdict in judged.verdicts]
        facts[f"verdict {judged.query}"] = ", ".join(said)
    for job in memory.jobs(limit=1000).items:
        facts[f"job {job.request.paths[0] if job.request else job.kind}"] = "there"
    with memory._engine.store.read() as reader:
        replies = reader._connection.execute("SELECT key, body FROM reply").fetchall()
    facts |= {f"reply {key}": str(body) for key, body in replies}
    return facts


def _add(key: str, text: str, *, collection: str = "default") -> Step:
    return Step(
        "add",
        lambda memory: memory.add(text, key=key, collection=collection),
        Effect({f"document {collection}/{key}": f"|{text}"}),
    )


def _batch(texts: Mapping[str, str]) -> Step:
    rows = [NewDocument(text=text, key=key) for key, text in texts.items()]
    change = {f"document default/{key}": f"|{text}" for key, text in texts.items()}
    return Step("add_batch", lambda memory: memory.add_batch(rows), Effect(change))


def _mark(key: str, text: str, mark: str) -> Step:
    return Step(
        "update",
        lambda memory: memory.update(key=key, metadata={"mark": mark}),
        Effect({f"document default/{key}": f"{mark}|{text}"}),
    )


def _delete(key: str) -> Step:
    # Through a filter: repeated, it finds nothing, which is no error.
    return Step(
        "delete",
        lambda memory: memory.delete_many({"key": {"eq": key}}),
        Effect({f"document default/{key}": None}),
    )


def _later(key: str, text: str) -> Step:
    return Step(
        "add later",
        lambda memory: memory.add(text, key=key, embed="later"),
        Effect({f"document default/{key}": f"|{text}", "awaiting": "yes"}),
    )


def _embed() -> Step:
    return Step("embed", lambda memory: memory.embed(), Effect({"awaiting": None}))


def _search(query: str) -> Step:
    return Step("search", lambda memory: memory.search(query), Effect({}), reads=True)


def _judge(query: str, key: str) -> Step:
    def run(memory: Memory) -> object:
        found = memory.search(query, filter={"key": {"eq": key}})
        return memory.feedback(found.id, found.hits[0].chunk.id, "helpful")

    return Step("feedback", run, Effect({f"verdict {query}": f"{key} helpful"}))


def _grant(name: str) -> Step:
    def run(memory: Memory) -> object:
        # A key has no name of the caller's choice: after an error, look first.
        there = [key for key in memory.keys() if key.name == name]  # noqa: SIM118 - it is no mapping
        return there or memory.create_key(name, scope="write")

    return Step("create_key", run, Effect({f"key {name}": "write"}))


def _revoke(name: str) -> Step:
    def run(memory: Memory) -> object:
        ids = [key.id for key in memory.keys() if key.name == name]  # noqa: SIM118 - it is no mapping
        return memory.revoke_key(ids[0] if ids else "0" * 16)

    return Step("revoke_key", run, Effect({f"key {name}": "revoked"}))


def _once(name: str, text: str) -> Step:
    request = Request("", name, b"\0" * 32)

    def run(memory: Memory) -> object:
        return memory.once(
            request, lambda: memory.add(text, key=name), lambda _: Reply(201, {}, f'"made {name}"')
        )

    change = {f"document default/{name}": f"|{text}", f"reply {name}": f'"made {name}"'}
    return Step("once", run, Effect(change))


def _ingest(file: Path, text: str) -> Step:
    def run(memory: Memory) -> object:
        file.write_text(text, encoding="utf-8")
        return memory.ingest(file)

    return Step("ingest", run, Effect({f"document default/{file.as_posix()}": f"|{text}"}))


def _job(file: Path, text: str) -> Step:
    def run(memory: Memory) -> None:
        file.write_text(text, encoding="utf-8")
        job = memory.start_ingest(file)
        end = time.monotonic() + _JOB_PATIENCE_S
        while not memory.job(job.id).ended and time.monotonic() < end:
            time.sleep(0.005)

    change = {f"document default/{file.as_posix()}": f"|{text}", f"job {file}": "there"}
    return Step("job", run, Effect(change, loose=True))


def _back_up() -> Step:
    def run(memory: Memory) -> None:
        made = memory.backup()
        # Room for the other steps; and what has its name is whole.
        memory.delete_backup(made.name)

    return Step("backup", run, Effect({}))


def _compact() -> Step:
    return Step("compact", lambda memory: memory.compact(), Effect({}))


def scripted(folder: Path) -> list[Step]:
    """The same steps every time, one of each kind and more of those that write."""
    first, second = "amber lamp by the door", "basil and cedar " * 120
    return [
        _add("kept", "the port of the staging server is 8090"),
        _add("target", first),
        _batch({"one": "delta of the river", "two": second, "three": "ember"}),
        _add("target", second),
        _mark("target", second, "m1"),
        _search("port of the server"),
        _judge("which port is it", "kept"),
        _later("late", "fjord and grove"),
        _embed(),
        _once("request", "heron in the reeds"),
        _ingest(folder / "note.txt", "a note on amber"),
        _grant("laptop"),
        _revoke("laptop"),
        _add("other", "in another collection", collection="side"),
        _delete("two"),
        _back_up(),
        _compact(),
        _search("amber"),
        _add("last", "the last word"),
    ]


def hasty(steps: Sequence[Step], *errors: type[Exception]) -> list[Step]:
    """The control: steps that say that they are done whatever came of them; but for the first."""

    def with_haste(step: Step) -> Step:
        def run(memory: Memory) -> None:
            with suppress(*errors):
                step.run(memory)

        return replace(step, run=run)

    return [steps[0], *(with_haste(step) for step in steps[1:])]


def at_random(rng: random.Random, folder: Path) -> Iterator[Step]:
    """Steps without end; what each changes follows from those before."""
    yield _add("kept", "the port of the staging server is 8090")
    texts: dict[str, str] = {}
    number = 0
    while True:
        number += 1
        key = f"key{rng.randrange(_KEYS)}"
        text = f"{number} " + " ".join(rng.choices(_WORDS, k=rng.choice((5, 40, 400))))
        kind = rng.choice(
            ("add", "add", "add", "batch", "mark", "delete", "later", "search", "rare")
        )
        if kind == "add":
            texts[key] = text
            yield _add(key, text)
        elif kind == "batch":
            batch = {f"key{each}": f"{each} {text}" for each in rng.sample(range(_KEYS), 3)}
            texts |= batch
            yield _batch(batch)
        elif kind == "mark" and key in texts:
            yield _mark(key, texts[key], f"m{number}")
        elif kind == "delete" and key in texts:
            del texts[key]
            yield _delete(key)
        elif kind == "later":
            texts[key] = text
            yield from (_later(key, text), _embed())
        elif kind == "search":
            yield _search(rng.choice(_WORDS))
        elif kind == "rare":
            yield from _rare(rng, number, text, folder)


def _rare(rng: random.Random, number: int, text: str, folder: Path) -> Iterator[Step]:
    name = f"name{number}"
    kind = rng.choice(("judge", "key", "once", "ingest", "job", "compact", "side"))
    if kind == "judge":
        yield _judge(f"which port {number}", "kept")
    elif kind == "key":
        yield from (_grant(name), _revoke(name))
    elif kind == "once":
        yield _once(name, text)
    elif kind == "ingest":
        yield _ingest(folder / f"{name}.txt", text)
    elif kind == "job":
        yield _job(folder / f"{name}.txt", text)
    elif kind == "side":
        yield _add(name, text, collection="side")
    else:
        yield _compact()
