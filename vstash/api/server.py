"""Serving the REST API on this machine."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final

import uvicorn

from vstash.api.app import create_app
from vstash.api.hosts import loopback
from vstash.errors import SettingsError
from vstash.memory import Memory

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import ASGIApp

    from vstash.settings import Settings

__all__ = ["address_of", "bind", "make_server", "serve"]

_KEEP_ALIVE_S: Final = 15
# How long requests under way may take after the service was told to stop.
_GRACE_S: Final = 10
_BACKLOG: Final = 128
_MAX_HEAD_BYTES: Final = 65_536


def serve(settings: Settings) -> None:
    """Open the file and serve it until SIGINT or SIGTERM, then close it.

    Requests under way are finished first. The address is written to stderr.

    Args:
        settings: ``host`` and ``port``, where port 0 picks a free one, and all that `Memory` needs.

    Raises:
        SettingsError: When ``host`` is not an address of this machine alone, or the port is taken.
        StoreError: When the file cannot be used.
        ModelError: When the model cannot be used.
    """
    # First of all, so that a refused address opens and makes no file.
    loopback(settings.host)
    with (
        Memory(settings.db_path(), settings=settings, warm=True) as memory,
        bind(settings) as listener,
    ):
        server = make_server(create_app(memory, settings))
        with _signals_stop(server):
            sys.stderr.write(f"vstash listens on {address_of(listener)}\n")
            sys.stderr.flush()
            server.run(sockets=[listener])


def bind(settings: Settings) -> socket.socket:
    """A listening socket at ``host`` and ``port``.

    Raises:
        SettingsError: When ``host`` is not an address of this machine alone, or the port is taken.
    """
    address = loopback(settings.host)
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    # asyncio turns Nagle's algorithm off only for sockets that say they are TCP; without that every
    # answer waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((str(address), settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"vstash cannot listen on port {settings.port}: it is taken or not allowed. Choose "
            "another, or 0 for any that is free.",
            pointer="/port",
            local_detail=f"{address}: {error.strerror}",
        ) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """The address of a listening socket, such as ``http://127.0.0.1:8765``."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(app: ASGIApp) -> uvicorn.Server:
    """The HTTP server for an application, with everything that uvicorn leaves open decided.

    Args:
        app: From `create_app`.
    """
    # Its lines hold addresses with filters and keys; access_log alone gives way to any handler that
    # somebody adds.
    logging.getLogger("uvicorn.access").disabled = True
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            # Fixed, so that what is refused does not depend on which parsers are installed.
            http="h11",
            ws="none",
            lifespan="on",
            workers=1,
            log_config=None,
            access_log=False,
            server_header=False,
            # Nobody stands in front of the service whose word on addresses would count.
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
            h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
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
