"""Uses a file where the system gives no threads, and prints what happened as JSON."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from vstash import Memory

# A thread whose stack is larger than any address space cannot be started.
NO_STACK = 2**46


def main() -> None:
    """Search, embed and queue work without threads, then with."""
    folder = Path(sys.argv[1])
    (folder / "note.txt").write_text("basil", encoding="utf-8")
    seen: dict[str, object] = {}
    with Memory(folder / "x.db", model="fake") as memory:
        memory.add("amber lamp", key="first")
        usual = threading.stack_size(NO_STACK)
        seen["hits"] = len(memory.search("amber").hits)
        seen["dropped"] = memory.stats().log_dropped
        memory.add("cedar", key="late", embed="later")
        seen["embedded"] = memory.embed().embedded
        seen["ingested"] = memory.ingest(folder / "note.txt").added
        job = memory.start_ingest(folder / "note.txt")
        seen["job"] = memory.job(job.id).state
        threading.stack_size(usual)
        found = memory.search("amber")
        seen["verdict"] = memory.feedback(found.id, found.hits[0].chunk.id, "helpful").verdict
        memory.work_in_background()
        end = time.monotonic() + 20
        while not memory.job(job.id).ended and time.monotonic() < end:
            time.sleep(0.01)
        seen["job_later"] = memory.job(job.id).state
        seen["findings"] = len(memory.check().findings)
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
