"""Damages copies of a file and says what vstash makes of each, in a process that may crash."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from vstash import Memory, VstashError

QUERIES = ("amber lamp", "the port", "basil")


def flipped(whole: bytes, seed: int) -> bytes:
    """Some bytes changed, anywhere but in the first page half the time."""
    rng = random.Random(seed)
    broken = bytearray(whole)
    first = rng.choice((0, 8192))
    for _ in range(rng.choice((1, 8, 64))):
        broken[rng.randrange(first, len(broken))] ^= rng.randrange(1, 256)
    return bytes(broken)


def zeroed(whole: bytes, seed: int) -> bytes:
    """One page lost."""
    page = random.Random(seed).randrange(1, len(whole) // 8192) * 8192
    return whole[:page] + bytes(8192) + whole[page + 8192 :]


def truncated(whole: bytes, seed: int) -> bytes:
    """The end cut off."""
    return whole[: random.Random(seed).choice((100, 8192, len(whole) // 2, len(whole) - 8192))]


def tried(path: Path, held: dict[str, str]) -> dict[str, object]:
    """Open, search, read everything, add and check; anything but our errors is untyped."""
    typed: list[str] = []
    untyped: list[str] = []
    wrong: list[str] = []
    found: list[str] | None = None

    def attempt(name: str, work: object) -> object:
        try:
            return work()  # type: ignore[operator]
        except VstashError as error:
            typed.append(f"{name}: {error.code}")
        except Exception as error:  # noqa: BLE001 - what escaped is what the test is about
            untyped.append(f"{name}: {error!r}")
        return None

    memory = attempt("open", lambda: Memory(path, model="fake"))
    if isinstance(memory, Memory):
        report = attempt("check", memory.check)
        found = None if report is None else [item.code for item in report.findings]  # type: ignore[attr-defined]
        for query in QUERIES:
            for mode in ("hybrid", "vector", "keyword"):
                attempt(
                    f"search {mode}",
                    lambda query=query, mode=mode: memory.search(query, mode=mode, log=False),
                )
        for key, text in held.items():
            document = attempt("get", lambda key=key: memory.get(key=key))
            if document is not None and document.text != text:  # type: ignore[attr-defined]
                wrong.append(key)
        attempt("list", lambda: memory.list(limit=1000))
        attempt("disagreements", memory.disagreements)
        attempt("judged searches", memory.judged_searches)
        attempt("feedback", lambda: memory.feedback(memory.search("port").id, 1, "cited"))
        attempt("add", lambda: memory.add("one more", key="more"))
        attempt("delete", lambda: memory.delete(key=next(iter(held))))
        attempt("close", memory.close)
    return {"typed": typed, "untyped": untyped, "wrong": wrong, "found": found}


def one(base: Path, kind: str, seed: int) -> dict[str, object]:
    """Damage a copy and try it in a child, so that a crash is seen as one."""
    whole = (base / "whole.db").read_bytes()
    held = json.loads((base / "held.json").read_text(encoding="utf-8"))
    damage = {"flipped": flipped, "zeroed": zeroed, "truncated": truncated, "whole": _same}[kind]
    path = base / f"{kind}-{seed}.db"
    path.write_bytes(damage(whole, seed))
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            with os.fdopen(writing, "w") as out:
                out.write(json.dumps(tried(path, held)))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as out:
        text = out.read()
    _, status = os.waitpid(child, 0)
    exit_code = os.waitstatus_to_exitcode(status)
    return {"kind": kind, "seed": seed, "exit": exit_code, **json.loads(text or "{}")}


def _same(whole: bytes, _seed: int) -> bytes:
    return whole


def main() -> None:
    """Run the cases given as JSON and print what became of each."""
    base = Path(sys.argv[1])
    # What is loaded on first use would else be loaded again in every child.
    with Memory(base / "warm.db", model="fake") as memory:
        memory.add("amber")
        memory.search("amber", log=False)
        memory.check()
    for kind, seed in json.loads(sys.argv[2]):
        print(json.dumps(one(base, kind, seed)), flush=True)


if __name__ == "__main__":
    main()
