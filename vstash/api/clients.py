"""The client of one request: what it sends, in time, and whether it is still there."""

from __future__ import annotations

import asyncio

import anyio
from starlette.types import Message, Receive

from vstash.errors import OverloadError, SlowClientError

__all__ = ["Bodies", "Client"]


class Bodies:
    """Room for the bodies that are held until there is a thread for them.

    Args:
        limit: In bytes, of all together.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit

    def hold(self, size: int) -> None:
        """Take room.

        Raises:
            OverloadError: When there is not as much.
        """
        if size > self._left:
            raise OverloadError("The service holds too many requests already: try again later.")
        self._left -= size

    def release(self, size: int) -> None:
        """Give room back."""
        self._left += size


class Client:
    """Receives what the client of one request sends.

    Args:
        receive: From the server.
        patience_s: How long the body may take; where it is not read as a whole, each piece of it.
        bodies: Where what is read as a whole takes its room.

    Attributes:
        gone: Done once the client went away.
    """

    def __init__(self, receive: Receive, patience_s: float, bodies: Bodies) -> None:
        self._receive = receive
        self._patience_s = patience_s
        self._bodies = bodies
        self._held = 0
        self._body: Message | None = None
        self._watching: asyncio.Task[None] | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ignore(self) -> None:
        """Wait for no body: where one comes it means nothing."""
        self._body = {"type": "http.request", "body": b"", "more_body": False}
        self._watching = asyncio.ensure_future(self._watch())

    async def read(self) -> None:
        """Read the body as a whole, before any thread is asked for.

        Raises:
            SlowClientError: When it does not come in time.
            OverloadError: When too much is held already.
        """
        pieces: list[bytes] = []
        with anyio.move_on_after(self._patience_s) as scope:
            more = True
            while more and not self.gone.done():
                message = await self._receive()
                more = self._more(message)
                piece = message.get("body", b"")
                self._bodies.hold(len(piece))
                self._held += len(piece)
                pieces.append(piece)
        if scope.cancelled_caught:
            raise self._slow()
        self._body = {"type": "http.request", "body": b"".join(pieces), "more_body": False}

    async def receive(self) -> Message:
        """The next message: of a body that was read as a whole, that one, then its end."""
        if self._body is not None:
            body, self._body = self._body, None
            return body
        if self._watching is None and not self.gone.done():
            with anyio.move_on_after(self._patience_s):
                message = await self._receive()
                self._more(message)
                return message
            raise self._slow()
        await asyncio.wait((self.gone,))
        return {"type": "http.disconnect"}

    def leave(self) -> None:
        """Stop listening, and give back what its body took."""
        if self._watching is not None:
            self._watching.cancel()
        self._bodies.release(self._held)

    def _more(self, message: Message) -> bool:
        """Whether more of the body is to come; when not, wait for the client to go away."""
        if message["type"] == "http.disconnect":
            self._left()
            return False
        if message.get("more_body", False):
            return True
        self._watching = asyncio.ensure_future(self._watch())
        return False

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left()

    def _left(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    def _slow(self) -> SlowClientError:
        return SlowClientError(
            f"The body did not come within {self._patience_s:g} seconds: send it faster, or raise "
            "the setting client_timeout_s."
        )
