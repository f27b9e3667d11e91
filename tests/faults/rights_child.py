"""Uses a file with few rights, little space, or across a fork, and prints what happened as JSON."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from vstash import Memory, VstashError

CAPABILITY_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
TEXT = "The port of the staging server is 8090."


def outcome(work: Callable[[], object]) -> str:
    """The code of the error that the work raises, "ok" where it raises none of ours."""
    try:
        work()
    except VstashError as error:
        return error.code
    return "ok"


def warm(folder: Path) -> None:
    """Load what opening and searching needs, as long as every file can be read."""
    with Memory(folder / "warm.db", model="fake") as memory:
        memory.add(TEXT)
        memory.search("port")
        memory.check()


def drop() -> None:
    """Give up root's capabilities, so that permissions apply to it as to any owner.

    Its name stays: another user might not be able to reach the environment that this runs in.
    """
    if os.geteuid() == 0:
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
        nothing = (ctypes.c_uint32 * 6)()
        if ctypes.CDLL(None, use_errno=True).capset(header, nothing):
            raise OSError(ctypes.get_errno(), "capset")


def judge(memory: Memory) -> object:
    """Give feedback on the oldest search of the log."""
    logged = [item.search_id for item in memory.disagreements().items]
    return memory.feedback(logged[-1] if logged else "none", 1, "cited")


def use(path: Path) -> dict[str, object]:
    """Open, search, read, check, write; each with its outcome."""
    seen: dict[str, object] = {}
    opened: list[Memory] = []
    seen["open"] = outcome(lambda: opened.append(Memory(path, model="fake")))
    for memory in opened:
        seen["search"] = outcome(lambda: memory.search("port"))  # noqa: B023 - called at once
        seen["hits"] = [hit.text for hit in memory.search("port", log=False).hits]
        seen["check"] = [finding.code for finding in memory.check().findings]
        seen["add"] = outcome(lambda: memory.add("one more", key="more"))  # noqa: B023 - the same
        seen["feedback"] = outcome(lambda: judge(memory))  # noqa: B023 - the same
        seen["dropped"] = memory.stats().log_dropped
        memory.close()
    return seen


def rights(folder: Path) -> dict[str, object]:
    """Use ``x.db`` in a folder, without root's power."""
    warm(folder.parent)
    drop()
    return use(folder / "x.db")


def leave(folder: Path) -> dict[str, object]:
    """End without closing, so that the last write is in the -wal file only."""
    memory = Memory(folder / "x.db", model="fake")
    memory.add(TEXT, key="staging")
    os._exit(0)


def modes(folder: Path) -> dict[str, object]:
    """Under umask 000, the modes of a new folder and of everything in it."""
    os.umask(0)
    path = folder / "made" / "deep" / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add(TEXT)
        memory.search("port")
        memory.stats()
        return {
            item.name: oct(stat.S_IMODE(item.stat().st_mode))
            for item in (path.parent.parent, path.parent, *path.parent.iterdir())
        }


def filled(folder: Path) -> dict[str, object]:
    """Add to a file until there is no space, then make some and add again."""
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(300_000))
    memory = Memory(folder / "x.db", model="fake")
    kept: list[str] = []
    code = "ok"
    while code == "ok" and len(kept) < 500:
        key = f"key{len(kept)}"
        code = outcome(lambda key=key: memory.add(f"{key} " + "cedar " * 500, key=key))  # type: ignore[misc]
        kept += [key] if code == "ok" else []
    seen: dict[str, object] = {"code": code, "added": len(kept)}
    seen["hits"] = len(memory.search("cedar", log=False).hits)
    ballast.unlink()
    seen["again"] = outcome(lambda: memory.add("there is room", key="room"))
    seen["missing"] = [key for key in (*kept, "room") if memory.get(key=key).text is None]
    memory.close()
    with Memory(folder / "x.db", model="fake") as opened:
        seen["documents"] = opened.stats().documents
        seen["check"] = [finding.code for finding in opened.check().findings]
    return seen


def limited(folder: Path) -> dict[str, object]:
    """The same, where the operating system refuses files above a size."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    path = folder / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add(TEXT, key="staging")
    limit = path.stat().st_size + 200_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    memory = Memory(path, model="fake")
    kept, code = ["staging"], "ok"
    while code == "ok" and len(kept) < 500:
        key = f"key{len(kept)}"
        code = outcome(lambda key=key: memory.add(f"{key} " + "cedar " * 500, key=key))  # type: ignore[misc]
        kept += [key] if code == "ok" else []
    seen: dict[str, object] = {"code": code, "added": len(kept)}
    seen["missing"] = [key for key in kept if memory.get(key=key).text is None]
    seen["check"] = [finding.code for finding in memory.check().findings]
    return seen


def forked(folder: Path) -> dict[str, object]:
    """Use a Memory on both sides of a fork."""
    memory = Memory(folder / "x.db", model="fake")
    memory.add(TEXT, key="staging")
    memory.search("port")
    memory.stats()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        calls: dict[str, Callable[[], object]] = {
            "search": lambda: memory.search("port"),
            "add": lambda: memory.add("from the child"),
            "get": lambda: memory.get(key="staging"),
            "check": memory.check,
            "stats": memory.stats,
            "close": memory.close,
            "fresh": lambda: Memory(folder / "x.db", model="fake").add("fresh", key="fresh"),
        }
        inside = {name: outcome(call) for name, call in calls.items()}
        os.write(writing, json.dumps(inside).encode())
        os._exit(0)
    os.waitpid(child, 0)
    seen: dict[str, object] = json.loads(os.read(reading, 10_000))
    memory.add("the parent goes on", key="parent")
    seen["keys"] = sorted(document.key for document in memory.list().items)
    seen["findings"] = [finding.code for finding in memory.check().findings]
    memory.close()
    return seen


def main() -> None:
    """Do what the first argument names, in the folder of the second."""
    work = {
        function.__name__: function for function in (rights, leave, modes, filled, limited, forked)
    }
    print(json.dumps(work[sys.argv[1]](Path(sys.argv[2]))))


if __name__ == "__main__":
    main()
