"""Kill a writing process again and again, and look whether anything acknowledged was lost.

`python -m tests.faults kill` kills more often than a test has time for.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

# Before numpy: a process that is forked should have one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from vstash import Memory, NewDocument
from vstash.pipeline import prepare
from vstash.pipeline.engine import Engine, open_engine
from vstash.store import codes, documents, keyword, vectors

KEYS = 40
WORDS = ("amber", "basil", "cedar", "delta", "ember", "fjord", "grove", "heron", "islet", "jade")
LONGEST_LIFE_S = 0.2

# What a key holds: its text, or None where it was deleted.
Change = dict[str, str | None]


@dataclass(slots=True)
class Figures:
    """What a run of the loop saw."""

    kills: int = 0
    acknowledged: int = 0
    in_flight: int = 0
    lost: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    recovery_ms: list[float] = field(default_factory=list)


def text_of(rng: random.Random, mark: str) -> str:
    """A text of one to three chunks that no other call writes."""
    count = rng.choice((5, 40, 400))
    return f"{mark} " + " ".join(rng.choice(WORDS) for _ in range(count))


def say(kind: str, change: Change) -> None:
    """Tell the parent; one write, so that a kill leaves a whole line or a torn last one."""
    os.write(1, (json.dumps([kind, change]) + "\n").encode())


def write_for_ever(path: Path, folder: Path, seed: int) -> None:
    """Change documents at random until killed, telling what was asked and what returned."""
    rng = random.Random(seed)
    memory = Memory(path, model="fake")
    known = {document.key for document in memory.list(limit=1000).items}
    for step in range(1_000_000):
        kind = rng.choice(("add", "add", "batch", "ingest", "delete", "search"))
        key = f"key{rng.randrange(KEYS)}"
        if kind == "search":
            memory.search(rng.choice(WORDS))
        elif kind == "delete" and key in known:
            known.discard(key)
            acknowledge({key: None}, lambda key=key: memory.delete(key=key))  # type: ignore[misc]
        elif kind == "ingest":
            files = [folder / f"{name}.txt" for name in rng.sample(range(KEYS), 3)]
            changes: Change = {}
            for file in files:
                changes[file.as_posix()] = text_of(rng, f"{seed}.{step}")
                file.write_text(str(changes[file.as_posix()]), encoding="utf-8")
            acknowledge(changes, lambda files=files: memory.ingest(files))  # type: ignore[misc]
        else:
            count = 3 if kind == "batch" else 1
            chosen = [f"key{number}" for number in rng.sample(range(KEYS), count)]
            changes = {name: text_of(rng, f"{seed}.{step}") for name in chosen}
            known.update(chosen)
            rows = [NewDocument(text=str(text), key=name) for name, text in changes.items()]
            acknowledge(changes, lambda rows=rows: memory.add_batch(rows))  # type: ignore[misc]


def acknowledge(change: Change, run: Callable[[], object]) -> None:
    """Say what is about to happen, do it, and say that it returned."""
    say("asked", change)
    run()
    say("done", change)


def add_planted(engine: Engine, document: NewDocument) -> None:
    """What a store must not do: text and chunks in one transaction, words and vectors in the next."""
    prepared = prepare.prepare(document, engine.settings)
    (ready,) = engine.writing.readying.make_ready([(prepared, None)])
    with engine.store.write() as writer:
        run = writer._connection
        collection = documents.made_collection(run, "default")
        number = documents.insert_document(
            run, ready.row, now=1, collection=collection, replaces=None, chunks=range(0)
        )
        documents.insert_text(run, number, ready.row.text, new=True)
        chunks = {
            documents.last_chunk(run) + 1 + seq: documents.PlacedChunk(number, seq, chunk)
            for seq, chunk in enumerate(ready.chunks)
        }
        documents.insert_chunks(run, chunks)
    with engine.store.write() as writer:
        run = writer._connection
        counter, model = writer.change_counter + 1, writer._model_number()
        words = {chunk: placed.row.words for chunk, placed in chunks.items()}
        keyword.insert_words(run, words.items())
        writer._add_postings(
            [(chunk, " ".join(each).split()) for chunk, each in words.items()], counter
        )
        ids = np.array(list(chunks), dtype=np.int64)
        matrix = np.stack([row.vector for row in ready.chunks if row.vector is not None])
        vectors.insert_vectors(run, model, ids, matrix)
        codes.add_codes(run, model, ids, matrix, counter, late=False)
        run.execute("UPDATE meta SET value = value + ? WHERE name = 'chunk_count'", (len(chunks),))
        writer._changed = True


def write_planted(path: Path, _folder: Path, seed: int) -> None:
    """The control: documents that are stored in two transactions."""
    rng = random.Random(seed)
    engine = open_engine(path, model="fake")
    for step in range(1_000_000):
        key = f"planted{seed}.{step}"
        document = NewDocument(text=text_of(rng, key), key=key)
        acknowledge({key: document.text}, lambda document=document: add_planted(engine, document))  # type: ignore[misc]


def forked(run: Callable[[], None]) -> tuple[int, int]:
    """Run a function in a fresh process; returns its id and the end to read its output from."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    os.close(reading)
    os.dup2(writing, 1)
    try:
        run()
    except BaseException as error:  # noqa: BLE001 - the parent must hear of everything
        os.write(1, (json.dumps(["error", {"error": repr(error)}]) + "\n").encode())
        os._exit(1)
    os._exit(0)


def drained(reading: int, until: float | None) -> bytes:
    """What a child wrote until a moment, or until it ended."""
    parts = []
    while until is None or time.monotonic() < until:
        wait = None if until is None else max(0.0, until - time.monotonic())
        if not select.select([reading], [], [], wait)[0]:
            break
        part = os.read(reading, 1 << 20)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def lines(output: bytes) -> Iterator[tuple[str, Change]]:
    """The whole lines that a child wrote."""
    for line in output.split(b"\n")[:-1]:
        kind, change = json.loads(line)
        yield kind, change


def look(path: Path) -> None:
    """Open the file again and say what it holds and what its check finds."""
    start = time.perf_counter()
    with Memory(path, model="fake") as memory:
        first = memory.list(limit=1000)
        milliseconds = (time.perf_counter() - start) * 1000
        held: Change = {item.key: memory.get(item.id).text for item in first.items}
        report = memory.check()
    say("held", held)
    say("found", {finding.code: finding.message for finding in report.findings})
    say("took", {"ms": str(milliseconds)})


def kill_one(path: Path, folder: Path, rng: random.Random, *, planted: bool) -> bytes:
    """Let a child write and kill it at a random moment; returns what it said."""
    work, seed = (write_planted if planted else write_for_ever), rng.randrange(2**31)
    child, reading = forked(lambda: work(path, folder, seed))
    output = drained(reading, time.monotonic() + rng.uniform(0.0, LONGEST_LIFE_S))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    output += drained(reading, None)
    os.close(reading)
    return output


def judge(figures: Figures, state: Change, output: bytes, path: Path) -> None:
    """Compare what the file holds after a kill with what was acknowledged."""
    pending: Change = {}
    for kind, change in lines(output):
        if kind == "error":
            figures.lost.append(f"the child failed: {change['error']}")
        elif kind == "asked":
            pending = change
        else:
            state.update(pending)
            figures.acknowledged += len(pending)
            pending = {}
    child, reading = forked(lambda: look(path))
    seen = dict(lines(drained(reading, None)))
    os.close(reading)
    os.waitpid(child, 0)
    if "error" in seen:
        figures.findings.append(str(seen["error"]["error"]))
        return
    held = seen["held"]
    figures.in_flight += bool(pending)
    if pending and all(held.get(key) == text for key, text in pending.items()):
        state.update(pending)
    expected = {key: text for key, text in state.items() if text is not None}
    for key in expected.keys() | held.keys():
        if expected.get(key) != held.get(key):
            figures.lost.append(key)
    figures.findings += seen["found"]
    figures.recovery_ms.append(float(str(seen["took"]["ms"])))


def run_loop(base: Path, *, kills: int, seed: int, planted: bool) -> Figures:
    """Kill, reopen and compare, so many times; a control ends at the first finding."""
    path, folder = base / "kill.db", base / "files"
    folder.mkdir()
    rng, figures = random.Random(seed), Figures()
    state: Change = {}
    for _ in range(kills):
        output = kill_one(path, folder, rng, planted=planted)
        if not path.exists():
            continue
        figures.kills += 1
        judge(figures, state, output, path)
        if planted and figures.findings:
            break
    return figures


def printed(figures: Figures) -> dict[str, object]:
    """The figures with the times of recovery summed up."""
    times = sorted(figures.recovery_ms) or [0.0]
    summed = {"p50": round(statistics.median(times), 1), "max": round(times[-1], 1)}
    return asdict(figures) | {"recovery_ms": summed}


def figures_of(kills: int, seed: int, *, planted: bool) -> dict[str, object]:
    """Run the loop in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="vstash-kill-") as base:
        return printed(run_loop(Path(base), kills=kills, seed=seed, planted=planted))


def measure(count: int, seed: int) -> dict[str, object]:
    """Kill so many times, and the control as often as it takes to be caught."""
    return {
        **figures_of(count, seed, planted=False),
        "control": figures_of(60, seed, planted=True),
    }


def main() -> None:
    """Run the loop and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--planted", action="store_true", help="the control that must be caught")
    given = parser.parse_args()
    print(json.dumps(figures_of(given.kills, given.seed, planted=given.planted)))


if __name__ == "__main__":
    main()
