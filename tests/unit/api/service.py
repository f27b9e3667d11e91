"""The real service for tests: uvicorn on a free port of 127.0.0.1, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from vstash import Memory
from vstash.api.app import create_api, create_app
from vstash.api.server import address_of, bind, make_server
from vstash.settings import Settings

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder

__all__ = ["Service", "running"]


@dataclass(frozen=True, slots=True)
class Service:
    """A service that runs.

    Attributes:
        http: A client whose addresses start at the service's root.
        port: Where it listens on 127.0.0.1.
        memory: What it serves.
    """

    http: httpx.Client
    port: int
    memory: Memory

    def add(self, text: str, **fields: object) -> str:
        """Store a document and return its id."""
        answer = self.http.post("/v1/documents", json={"text": text, **fields})
        assert answer.is_success, answer.text
        return str(answer.json()["id"])


@contextmanager
def running(
    folder: Path,
    *,
    model: Embedder | None = None,
    guarded: bool = True,
    max_body_bytes: int = 16_777_216,
    busy_timeout_s: float = 5.0,
) -> Iterator[Service]:
    """Serve a new file in ``folder`` until the block ends."""
    settings = Settings(
        model="fake",
        host="127.0.0.1",
        port=0,
        max_body_bytes=max_body_bytes,
        busy_timeout_s=busy_timeout_s,
    )
    with (
        Memory(folder / "served.db", model=model, settings=settings) as memory,
        bind(settings) as listener,
    ):
        app = create_app(memory, settings) if guarded else create_api(memory)
        server = make_server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        address = address_of(listener)
        thread.start()
        try:
            # trust_env: a proxy of the machine must not stand between a test and its server.
            with httpx.Client(base_url=address, timeout=30, trust_env=False) as http:
                yield Service(http, int(address.rpartition(":")[2]), memory)
        finally:
            server.should_exit = True
            thread.join()
