"""Serving the REST API."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn

from vstash.api.app import create_app
from vstash.api.connections import connections
from vstash.api.hosts import exposed
from vstash.api.listening import BACKLOG, address_of, bind, check_tls, listening
from vstash.api.logs import log_to_stderr
from vstash.api.outer import Outer
from vstash.errors import SettingsError
from vstash.memory import Memory
from vstash.settings import Settings

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import ASGIApp

__all__ = ["address_of", "bind", "make_server", "serve"]

_KEEP_ALIVE_S: Final = 15
# How long requests under way may take after the service was told to stop.
_GRACE_S: Final = 10
_MAX_HEAD_BYTES: Final = 65_536


def serve(settings: Settings) -> None:
    """Open the file and serve it until SIGINT or SIGTERM, then close it.

    Requests under way are finished first. The address, and who needs a key, are written to stderr.

    Args:
        settings: ``host`` and ``port``, where port 0 picks a free one, or ``uds``; a socket passed by
            systemd wins over both. All that `Memory` needs.

    Raises:
        SettingsError: When the address cannot be used, when others than this machine could reach it
            and there is no access key, or when the certificate or a folder of ``ingest_roots`` cannot
            be used.
        StoreError: When the file cannot be used.
        ModelError: When the model cannot be used.
    """
    check_tls(settings)
    _check_roots(settings)
    with listening(settings) as (listener, in_force), _opened(in_force) as memory:
        log_to_stderr(requests=in_force.access_log)
        server = make_server(create_app(memory, in_force), in_force)
        with _signals_stop(server):
            _tell(listener, in_force, memory)
            server.run(sockets=[listener])


def _check_roots(settings: Settings) -> None:
    for root in map(Path, settings.ingest_roots):
        if not (root.is_absolute() and root.is_dir()):
            raise SettingsError(
                "ingest_roots are absolute paths of folders that are there.",
                pointer="/ingest_roots",
                local_detail=str(root),
            )


@contextmanager
def _opened(settings: Settings) -> Iterator[Memory]:
    path = settings.db_path()
    outside = exposed(settings)
    # A service that is refused makes no file.
    if outside and not path.exists():
        raise _no_key()
    with Memory(path, settings=settings, warm=True) as memory:
        if outside and not memory.has_living_key():
            raise _no_key()
        yield memory


def _no_key() -> SettingsError:
    return SettingsError(
        "Others can reach this address, and the file has no access key: make one with `vstash keys "
        "create`, or listen on 127.0.0.1.",
        pointer="/host",
    )


def _tell(listener: socket.socket, settings: Settings, memory: Memory) -> None:
    tls, outside = bool(settings.tls_cert), exposed(settings)
    needed = outside or settings.require_key
    lines = [
        f"vstash listens on {address_of(listener, tls=tls)}",
        f"access keys: {'needed by everybody' if needed else 'not needed on this machine'}",
        "description at /openapi.json, health at /readyz, metrics at /metrics",
    ]
    if needed and not memory.has_living_key():
        lines.append("warning: the file has no access key: make one with `vstash keys create`")
    if outside and not tls:
        lines.append(
            "warning: without tls_cert and tls_key, access keys and texts cross the network readable"
        )
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def make_server(app: ASGIApp, settings: Settings | None = None) -> uvicorn.Server:
    """The HTTP server for an application, with everything that uvicorn leaves open decided.

    Args:
        app: From `create_app`.
        settings: ``tls_cert`` and ``tls_key``, and the limits of connections; None for the defaults.
    """
    settings = settings or Settings()
    # Its lines hold addresses with filters and keys; access_log alone gives way to any handler that
    # somebody adds.
    logging.getLogger("uvicorn.access").disabled = True
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            # Fixed, so that what is refused does not depend on which parsers are installed.
            http=connections(settings, app.metrics.cut if isinstance(app, Outer) else None),
            ws="none",
            lifespan="on",
            workers=1,
            log_config=None,
            access_log=False,
            server_header=False,
            # Nobody stands in front of the service whose word on addresses would count.
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
            h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
            ssl_certfile=settings.tls_cert or None,
            ssl_keyfile=settings.tls_key or None,
        )
    )


@contextmanager
def _signals_stop(server: uvicorn.Server) -> Iterator[None]:
    # After its shutdown uvicorn raises the signal again, which by default would end the process
    # before the file is closed.
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
