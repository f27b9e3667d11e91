"""The real service for tests: uvicorn on a free port of 127.0.0.1, in a thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from vstash import Memory
from vstash.api.app import create_api, create_app
from vstash.api.server import address_of, bind, make_server
from vstash.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from vstash.embed.protocol import Embedder

__all__ = ["Service", "running", "serving"]


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
    behind: Callable[[ASGIApp], ASGIApp] = lambda app: app,
    **chosen: Any,
) -> Iterator[Service]:
    """Serve a new file in ``folder`` until the block ends.

    Args:
        folder: Where the file is.
        model: To embed with, None for the fake one.
        guarded: Whether behind the guard.
        behind: Puts something else in front.
        chosen: Further settings.
    """
    settings = Settings(**{"model": "fake", "host": "127.0.0.1", "port": 0, **chosen})
    with (
        Memory(folder / "served.db", model=model, settings=settings) as memory,
        bind(settings) as listener,
    ):
        app = create_app(memory, settings) if guarded else create_api(memory)
        address = address_of(listener)
        with (
            serving(behind(app), listener, settings),
            # trust_env: a proxy of the machine must not stand between a test and its server.
            httpx.Client(base_url=address, timeout=30, trust_env=False) as http,
        ):
            yield Service(http, int(address.rpartition(":")[2]), memory)


@contextmanager
def serving(
    app: ASGIApp, listener: socket.socket, settings: Settings | None = None
) -> Iterator[None]:
    """Serve an application from a thread until the block ends."""
    server = make_server(app, settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.001)
        yield
    finally:
        server.should_exit = True
        thread.join()
