"""Connections: how many there may be, and how long one may keep the service waiting."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from vstash.api.guard import ALWAYS
from vstash.api.problems import PROBLEM_TYPE, problem
from vstash.errors import RequestError
from vstash.settings import Settings

__all__ = ["Connection", "connections"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What connections are held to.

    Attributes:
        patience_s: How long a client may take to send a head, or to read what it gets.
        most: Open connections.
        cut: Told why one was closed.
    """

    patience_s: float
    most: int
    cut: Callable[[str], None]


class Connection(H11Protocol):
    """uvicorn's connection with an end to its patience.

    uvicorn waits for the head of a request, for the rest of a body that was refused, and for a client
    that does not read, for as long as they like. Its own limit on connections answers 503 to whoever
    is beyond it, which keeps as many open as come.
    """

    limits: ClassVar[Limits]

    _waiting: asyncio.TimerHandle | None = None
    _paused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Take a connection, or close it when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.most:
            self.limits.cut("too_many")
            transport.abort()
        else:
            self._wait("slow_head")

    def data_received(self, data: bytes) -> None:
        """Read on; a head that has begun has to end in time."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait("slow_head")
        else:
            self._go_on()

    def on_response_complete(self) -> None:
        """After an answer: what is left of the request, and who does not read, has to hurry."""
        super().on_response_complete()
        if not self.cycle.response_complete:
            self._go_on()
        elif self.conn.their_state is h11.SEND_BODY:
            self._wait("slow_body")
        elif self.transport.get_write_buffer_size():
            self._wait("slow_reader")

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered."""
        super().pause_writing()
        self._paused = True
        self._wait("slow_reader")

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        self._paused = False
        if not self.cycle.response_complete:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._paused = False
        self._go_on()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        """Refuse what is not HTTP in the form of every other refusal."""
        self.limits.cut("not_http")
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            # An answer is under way, and nothing can be said in the midst of it.
            self.transport.abort()
            return
        body = json.dumps(problem(RequestError("This is not a request of HTTP/1.1."))).encode()
        headers = [
            (b"content-type", PROBLEM_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *((name.encode(), value.encode()) for name, value in ALWAYS),
            (b"x-request-id", uuid.uuid4().hex.encode()),
        ]
        answer = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _wait(self, reason: str) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(self.limits.patience_s, self._give_up, reason)

    def _go_on(self) -> None:
        # Who does not read does not begin anew with the next request.
        if self._waiting is not None and not self._paused:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self, reason: str) -> None:
        self._waiting = None
        if reason == "slow_reader" and not self.transport.get_write_buffer_size():
            return
        self.limits.cut(reason)
        self.transport.abort()


def connections(settings: Settings, cut: Callable[[str], None] | None) -> type[Connection]:
    """The class of connections for one server.

    Args:
        settings: Their limits.
        cut: Told why one was closed; None where nobody counts.
    """
    told = (lambda _reason: None) if cut is None else cut
    limits = Limits(settings.client_timeout_s, settings.max_connections, told)
    return type("Connection", (Connection,), {"limits": limits})
