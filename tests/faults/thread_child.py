"""Eight threads do everything to one Memory until it is closed under them; prints what they were told."""

from __future__ import annotations

import faulthandler
import json
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from tests.faults.operations import Acting
from vstash import Memory, VstashError
from vstash.errors import ClosedError

THREADS = 8


def main() -> None:
    """Work on the file of the first argument for as many seconds as the second says."""
    faulthandler.enable()
    # A hang is told by its stacks.
    faulthandler.dump_traceback_later(90, exit=True)
    path, seconds = Path(sys.argv[1]), float(sys.argv[2])
    memory = Memory(path, model="fake")
    told: Counter[str] = Counter()
    done: Counter[str] = Counter()

    def work(number: int) -> None:
        files = path.parent / f"files{number}"
        files.mkdir()
        acting = Acting(memory, files, {}, random.Random(number), f"thread{number}")
        while outcome(acting) != ClosedError.code:
            pass

    def outcome(acting: Acting) -> str:
        try:
            done[acting.act()] += 1
        except VstashError as error:
            told[error.code] += error.code != ClosedError.code
            return error.code
        except BaseException as error:  # noqa: BLE001 - what has no type of ours is what is looked for
            told[f"untyped {error!r}"] += 1
            return ClosedError.code
        return ""

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    memory.close()
    for thread in threads:
        thread.join(60)
    alive = sum(thread.is_alive() for thread in threads)
    with Memory(path, model="fake") as reopened:
        findings = [finding.code for finding in reopened.check().findings]
    print(json.dumps({"told": +told, "done": done, "alive": alive, "findings": findings}))


if __name__ == "__main__":
    main()
