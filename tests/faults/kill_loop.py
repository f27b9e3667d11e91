"""Kill a writing process again and again, and look whether anything acknowledged was lost.

`python -m tests.faults kill` kills more often than a test has time for.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

# Before numpy: a process that is forked should have one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from tests.faults.operations import Acting, Change, applied, background, held
from tests.faults.waiting import middle_and_most
from vstash import Memory, NewDocument
from vstash.pipeline import prepare
from vstash.pipeline.engine import Engine, open_engine
from vstash.store import codes, documents, keyword, vectors

# A child is killed so long after it said so many lines: what it did before does not depend on the machine.
MOST_LINES = 30
LONGEST_AFTER_S = 0.02
# Of so many kills one falls into the migration of a file that an earlier schema left.
MIGRATES = 10
LEGACY = sorted((Path(__file__).parents[1] / "legacy").glob("schema-*.db.xz"))
LONGEST_MIGRATION_S = 0.08


@dataclass(slots=True)
class Figures:
    """What a run of the loop saw."""

    kills: int = 0
    acknowledged: int = 0
    in_flight: int = 0
    migrations: int = 0
    done: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    recovery_ms: list[float] = field(default_factory=list)


def say(kind: str, change: Change) -> None:
    """Tell the parent; one write, so that a kill leaves a whole line or a torn last one."""
    line = (json.dumps([kind, change]) + "\n").encode()
    while line:
        line = line[os.write(1, line) :]


def write_for_ever(path: Path, folder: Path, seed: int, state: Change) -> None:
    """Do everything at random until killed, telling what was asked and what returned."""
    memory = Memory(path, model="fake")
    acting = Acting(memory, folder, state, random.Random(seed), str(seed), say)
    while True:
        say("did", {acting.act(): True})


def migrate_for_ever(path: Path) -> None:
    """Bring a file up to date, as a start of the program does, and wait for the end."""
    say("asked", {})
    Memory(path, model="fake").close()
    say("done", {})
    time.sleep(LONGEST_MIGRATION_S)


def add_planted(engine: Engine, document: NewDocument) -> None:
    """What a store must not do: text and chunks in one transaction, words and vectors in the next."""
    prepared = prepare.prepare(document, engine.settings)
    (ready,) = engine.writing.readying.make_ready([(prepared, None)])
    with engine.store.write() as writer:
        run = writer._connection
        collection = documents.made_collection(run, "default")
        first = documents.last_chunk(run) + 1
        ids = range(first, first + len(ready.chunks))
        number = documents.insert_document(
            run, ready.row, now=1, collection=collection, replaces=None, chunks=ids
        )
        documents.insert_text(run, number, ready.row.text, new=True)
        chunks = {
            chunk: documents.PlacedChunk(number, seq, row)
            for seq, (chunk, row) in enumerate(zip(ids, ready.chunks, strict=True))
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
        matrix = np.stack([row.vector for row in ready.chunks if row.vector is not None])
        numbers = np.array(ids, dtype=np.int64)
        vectors.insert_vectors(run, model, numbers, matrix)
        codes.add_codes(run, model, numbers, matrix, counter, late=False)
        run.execute("UPDATE meta SET value = value + ? WHERE name = 'chunk_count'", (len(chunks),))
        writer._changed = True


def write_planted(path: Path, _folder: Path, seed: int, _state: Change) -> None:
    """The control: text and chunks in one transaction, words and vectors in the next."""
    rng = random.Random(seed)
    engine = open_engine(path, model="fake")
    for step in range(1_000_000):
        key = f"planted{seed}.{step}"
        document = NewDocument(text=f"{key} amber {rng.random()}", key=key)
        say("asked", {f"document default {key}": [document.text, [], {}]})
        add_planted(engine, document)
        say("done", {})


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


def drained_lines(reading: int, count: int) -> bytes:
    """What a child wrote until there were so many lines, or until it ended."""
    output = b""
    while output.count(b"\n") < count and (part := os.read(reading, 1 << 10)):
        output += part
    return output


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
        memory.list(limit=1000)
        milliseconds = (time.perf_counter() - start) * 1000
        say("held", held(memory))
        findings = memory.check().findings
    say("found", {finding.code: finding.message for finding in findings})
    say("took", {"ms": milliseconds})


def looked(path: Path) -> dict[str, Change]:
    """What a fresh process sees."""
    child, reading = forked(lambda: look(path))
    seen = dict(lines(drained(reading, None)))
    os.close(reading)
    os.waitpid(child, 0)
    return seen


def killed(work: Callable[[], None], count: int, after_s: float) -> bytes:
    """Let a child say so many lines and kill it so long after them; returns what it said."""
    child, reading = forked(work)
    output = drained_lines(reading, count)
    output += drained(reading, time.monotonic() + after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    output += drained(reading, None)
    os.close(reading)
    return output


def judge(figures: Figures, state: Change, output: bytes, path: Path) -> Change:
    """Compare what the file holds after a kill with what was acknowledged; returns what it holds."""
    pending: Change = {}
    for kind, change in lines(output):
        if kind == "error":
            figures.lost.append(f"the child failed: {change['error']}")
        elif kind == "asked":
            pending = change
        elif kind == "done":
            applied(state, pending | change)
            figures.acknowledged += len(pending)
            pending = {}
        else:
            figures.done = dict(Counter(figures.done) + Counter(dict.fromkeys(change, 1)))
    seen = looked(path)
    if "error" in seen:
        figures.findings.append(str(seen["error"]["error"]))
        return state
    found = seen["held"]
    figures.in_flight += bool(pending)
    if pending and all(found.get(name) == value for name, value in pending.items()):
        applied(state, pending)
    expected = background(found, path.parent / "files") | state
    figures.lost += [
        name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
    ]
    figures.findings += seen["found"]
    figures.recovery_ms.append(float(str(seen["took"]["ms"])))
    return found


def run_loop(base: Path, *, kills: int, seed: int, planted: bool) -> Figures:
    """Kill, reopen and compare, so many times; a control ends at the first finding."""
    path, folder = base / "kill.db", base / "files"
    folder.mkdir()
    rng, figures = random.Random(seed), Figures()
    work = write_planted if planted else write_for_ever
    state: Change = {}
    olds = [] if planted else [Old.of(file, base) for file in LEGACY]
    for number in range(kills):
        if olds and number % MIGRATES == 0:
            olds[number // MIGRATES % len(olds)].kill(base, rng, figures)
            continue
        chosen = rng.randrange(2**31)
        output = killed(
            lambda chosen=chosen, state=state: work(path, folder, chosen, state),  # type: ignore[misc]
            rng.randrange(MOST_LINES),
            rng.uniform(0.0, LONGEST_AFTER_S),
        )
        if not path.exists():
            continue
        figures.kills += 1
        state = judge(figures, state, output, path)
        if planted and figures.findings:
            break
    return figures


@dataclass(frozen=True)
class Old:
    """A file of an earlier schema, and what it holds once it is brought up to date."""

    content: bytes
    state: Change

    @classmethod
    def of(cls, packed: Path, base: Path) -> Old:
        """Unpack one and look at a copy."""
        content = lzma.decompress(packed.read_bytes())
        path = base / packed.stem
        path.write_bytes(content)
        return cls(content, looked(path)["held"])

    def kill(self, base: Path, rng: random.Random, figures: Figures) -> None:
        """Kill a process that brings a copy up to date."""
        path = base / f"old{figures.kills}.db"
        path.write_bytes(self.content)
        output = killed(lambda: migrate_for_ever(path), 1, rng.uniform(0.0, LONGEST_MIGRATION_S))
        figures.kills += 1
        figures.migrations += 1
        judge(figures, dict(self.state), output, path)
        for file in base.glob(f"{path.name}*"):
            file.unlink()


def printed(figures: Figures) -> dict[str, object]:
    """The figures with the times of recovery summed up."""
    return asdict(figures) | {"recovery_ms": middle_and_most(figures.recovery_ms)}


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
