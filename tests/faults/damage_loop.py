"""Damages copies of a file and says what vstash makes of each, in processes that may crash."""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

# Before numpy: a process that is forked should have one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import apsw

import vstash
from tests.faults.damaged_pages import KINDS, PAGES, UNTOLD, in_use, whole
from vstash import Memory, NewDocument, VstashError

QUERIES = ("amber lamp", "the port", "basil")
WORDS = [
    "amber",
    "lamp",
    "basil",
    "leaf",
    "cedar",
    "door",
    "the",
    "port",
    "of",
    "the",
    "server",
    "is",
    "open",
]
COUNT = 30
CHANGED = 8
# Texts that a key may rightly have.
Allowed = dict[str, list[str]]
# What `in_use` tells of the whole file.
Held = Counter[tuple[str, object]]


def text_of(number: int, step: int = 5) -> str:
    """A text of one to some chunks; one is long and has parts that take more than a page."""
    length = 3000 if number == 9 else 30 + number * 9
    words = (WORDS[(number * step + place) % len(WORDS)] for place in range(length))
    return ("ü" if number == 9 else " ").join(words)


def documents(texts: dict[str, str]) -> list[NewDocument]:
    """With a title, a tag and metadata each."""
    return [
        NewDocument(text, key=key, title=key, tags=["t"], metadata={"n": key})
        for key, text in texts.items()
    ]


def left_open(path: Path, texts: dict[str, str]) -> None:
    """Write in a process that ends without closing, so that it stands in the log only."""
    child = os.fork()
    if not child:
        memory = Memory(path, model="fake")
        memory.add_batch(documents(texts))
        os._exit(0)
    os.waitpid(child, 0)


def prepare(base: Path) -> tuple[Allowed, Allowed]:
    """Make the files that are damaged; returns what the whole one holds, and with a log."""
    old = {f"key{number}": text_of(number) for number in range(COUNT)}
    new = {f"key{number}": text_of(number, 7) for number in range(0, COUNT, COUNT // CHANGED)}
    with Memory(base / "whole.db", model="fake") as memory:
        memory.add_batch(documents(old))
        memory.feedback(memory.search("amber lamp").id, 1, "helpful")
    (base / "older.db").write_bytes((base / "whole.db").read_bytes())
    with Memory(base / "whole.db", model="fake") as memory:
        memory.add_batch(documents(new))
    with Memory(base / "other.db", model="fake") as memory:
        memory.add_batch(documents({f"key{n}": f"other {text_of(n, 3)}" for n in range(COUNT)}))
    held = old | new
    logged = {f"key{number}": text_of(number, 11) for number in range(20, COUNT + 5)}
    (base / "logged.db").write_bytes((base / "whole.db").read_bytes())
    left_open(base / "logged.db", logged)
    left_open(base / "strange.db", {f"strange{n}": f"strange {text_of(n)}" for n in range(COUNT)})
    with closing(apsw.Connection(str(base / "foreign.db"))) as connection:
        connection.execute("CREATE TABLE bookmark (url TEXT, title TEXT)")
        connection.execute("INSERT INTO bookmark VALUES ('https://example.org', 'amber lamp')")
    either = {
        key: [texts[key] for texts in (held, logged) if key in texts] for key in held | logged
    }
    return {key: [text] for key, text in held.items()}, either


def tried(path: Path, allowed: Allowed) -> dict[str, object]:
    """Open, search, read everything, add and check; anything but our errors is untyped."""
    typed: list[str] = []
    untyped: list[str] = []
    wrong: list[str] = []
    found: list[str] | None = None

    def attempt(name: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except VstashError as error:
            typed.append(f"{name}: {error.code}")
        except Exception as error:  # noqa: BLE001 - what escaped is what the test is about
            untyped.append(f"{name}: {error!r}")
        return None

    memory = attempt("open", lambda: Memory(path, model="fake"))
    if memory is not None:
        report = attempt("check", memory.check)
        found = None if report is None else [item.code for item in report.findings]
        for query in QUERIES:
            for mode in ("hybrid", "vector", "keyword"):
                attempt(
                    f"search {mode}",
                    partial(memory.search, query, mode=mode, log=False),
                )
        for key, texts in allowed.items():
            document = attempt("get", partial(memory.get, key=key))
            if document is not None and document.text not in texts:
                wrong.append(key)
        attempt("list", lambda: memory.list(limit=1000))
        attempt("disagreements", memory.disagreements)
        attempt("judged searches", memory.judged_searches)
        attempt("feedback", lambda: memory.feedback(memory.search("port").id, 1, "cited"))
        attempt("add", lambda: memory.add("one more", key="more"))
        attempt("delete", lambda: memory.delete(key=next(iter(allowed))))
        attempt("close", memory.close)
    return {"typed": typed, "untyped": untyped, "wrong": wrong, "found": found}


def saved(path: Path, allowed: Allowed) -> dict[str, object]:
    """Salvage it, and look whether what is called whole is."""
    before = path.read_bytes() if path.is_file() else b""
    target = path.with_name(f"{path.name}-saved")
    try:
        report = vstash.salvage(path, target, model="fake")
    except VstashError as error:
        return {"saved": error.code, "whole": 0, "unlike": [], "left": target.exists()}
    except Exception as error:  # noqa: BLE001 - what escaped is what the test is about
        return {"saved": repr(error), "whole": 0, "unlike": ["all"]}
    with Memory(target, model="fake") as memory:
        listed = [memory.get(item.id) for item in memory.list(limit=1000).items]
        unlike = [item.key for item in listed if item.text not in allowed.get(item.key, ())]
        unlike += [f"check: {item.code}" for item in memory.check().findings]
        unlike += ["documents"] if len(listed) != report.whole else []
    unlike += ["the source"] if path.read_bytes() != before else []
    return {"saved": "ok", "whole": report.whole, "unlike": unlike, "told": len(report.documents)}


def one(base: Path, kind: str, seed: int, allowed: Allowed, held: Held) -> dict[str, Any]:
    """Damage a copy and try it in a child, so that a crash is seen as one."""
    path = base / f"{kind}-{seed}.db"
    (KINDS | {"control": whole})[kind](base, path, random.Random(seed))
    if kind == "log_of_another":
        # With all pages of another file in its log, that other file is what it is now.
        allowed = {**allowed, **{f"strange{n}": [f"strange {text_of(n)}"] for n in range(COUNT)}}
    lost = held - in_use(path) if kind in PAGES else Counter()
    touched = sorted({shape for shape, _ in lost})
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            with os.fdopen(writing, "w") as out:
                out.write(json.dumps(saved(path, allowed) | tried(path, allowed)))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as out:
        text = out.read()
    _, status = os.waitpid(child, 0)
    exit_code = os.waitstatus_to_exitcode(status)
    case: dict[str, Any] = {"kind": kind, "seed": seed, "exit": exit_code, "touched": touched}
    outcome: dict[str, Any] = json.loads(text or "{}")
    return case | outcome


def run(count: int, seed: int) -> list[dict[str, Any]]:
    """Damage as many copies, of all kinds in turn, and before all the control."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        held, either = prepare(base)
        # What is loaded on first use would else be loaded again in every child.
        with Memory(base / "other.db", model="fake") as memory:
            memory.search("amber", log=False)
            memory.check()
        cells = in_use(base / "whole.db")
        cases = [one(base, "control", 0, held, cells)]
        kinds = list(KINDS)
        for number in range(count):
            kind = kinds[number % len(kinds)]
            logged = kind.startswith("log") or kind == "shared_garbage"
            texts = either if logged else held
            cases.append(one(base, kind, seed * 10_000 + number, texts, cells))
    return cases


def measure(count: int, seed: int) -> dict[str, object]:
    """What became of so many damaged copies; the control is an undamaged one."""
    control, *cases = run(count, seed)
    in_sight = [case for case in cases if case["touched"]]
    unseen = [case for case in in_sight if not case.get("typed") and not case.get("found")]
    return {
        "crashed": [name_of(case) for case in cases if case["exit"]],
        "untyped": [name_of(case) for case in cases if case.get("untyped")],
        "silently_wrong": [
            name_of(case) for case in cases if case.get("wrong") and case["found"] == []
        ],
        "live": len(in_sight),
        "unseen": [name_of(case) for case in unseen if set(case["touched"]) - UNTOLD],
        "unseen_untold": [name_of(case) for case in unseen if not set(case["touched"]) - UNTOLD],
        "salvaged": sum(case.get("saved") == "ok" for case in cases),
        "salvage_untyped": [name_of(case) for case in cases if "(" in case.get("saved", "(")],
        "salvage_unlike": [name_of(case) for case in cases if case.get("unlike")],
        "whole_by_kind": {
            kind: round(sum(wholes) / len(wholes), 2)
            for kind in KINDS
            if (wholes := [case.get("whole", 0) for case in cases if case["kind"] == kind])
        },
        "control": {key: value for key, value in control.items() if key not in {"kind", "seed"}},
        "cases": [
            case for case in cases if case.get("unlike") or case.get("untyped") or case in unseen
        ][:20],
    }


def name_of(case: dict[str, Any]) -> str:
    """A case, to be found again."""
    return f"{case['kind']}-{case['seed']}"
