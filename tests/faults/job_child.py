"""Serves a file whose model waits, after some texts, until a file of a given name is there."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vstash import Memory
from vstash.api.app import create_app
from vstash.api.server import address_of, bind, make_server
from vstash.settings import Settings
from vstash.testing import FakeEmbedder

if TYPE_CHECKING:
    from vstash.types import FloatArray

FREE = 130


class Held(FakeEmbedder):
    """An embedder that is held up in the middle of a job."""

    def __init__(self, gate: Path) -> None:
        super().__init__()
        self.gate = gate
        self.seen = 0

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Embed, the first ones at once."""
        self.seen += len(texts)
        while self.seen > FREE and not self.gate.exists():
            time.sleep(0.01)
        return super().embed_passages(texts)


def main() -> None:
    """Serve the file of the first argument, with files below the second, until a signal comes."""
    path, root, gate = map(Path, sys.argv[1:])
    settings = Settings(model="fake", port=0, ingest_roots=(str(root),))
    with Memory(path, model=Held(gate), settings=settings) as memory, bind(settings) as listener:
        # uvicorn raises the signal again once it is down, which must not end the process there.
        signal.signal(signal.SIGTERM, lambda _number, _frame: None)
        server = make_server(create_app(memory, settings))
        print(address_of(listener), flush=True)
        server.run(sockets=[listener])


if __name__ == "__main__":
    main()
