"""Bodies of lines that are sent and taken as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from itertools import chain
from typing import Final

from anyio import CancelScope, from_thread
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from vstash.errors import RequestError, RequestTooLargeError

__all__ = ["NDJSON", "IncomingBody", "LinesResponse"]

NDJSON: Final = "application/x-ndjson"
# What is sent at a time: each time costs a hop between threads.
_PIECE_BYTES: Final = 65_536


class LinesResponse(StreamingResponse):
    """An answer of lines, each made when the reader has room for it.

    What fails before the first line is an error like any; after that the connection ends early.

    Args:
        lines: Made in a thread of the pool, and closed when the answer is over, however it ends.
    """

    media_type = NDJSON

    def __init__(self, lines: Generator[bytes, None, None]) -> None:
        self._lines = lines
        first = next(lines, b"")
        super().__init__(_pieces(chain((first,), lines)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; see the ASGI specification 3.0."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(self._lines.close)


def _pieces(lines: Iterator[bytes]) -> Iterator[bytes]:
    held, size = [], 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= _PIECE_BYTES:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


class IncomingBody:
    """The body of a request, for work in another thread that takes it bit by bit.

    Args:
        request: Of which nothing was read yet.
        max_line_bytes: Longest line that is let through.
    """

    def __init__(self, request: Request, max_line_bytes: int) -> None:
        self._stream: AsyncGenerator[bytes, None] = request.stream()
        self._limit = max_line_bytes

    def pieces(self) -> Iterator[bytes]:
        """What comes, as it comes; to be called in a thread of the pool.

        Raises:
            RequestTooLargeError: When a line is over the limit.
            RequestError: When the client went away.
        """
        since_end = 0
        for piece in iter(lambda: from_thread.run(self._more), b""):
            sizes = [len(part) for part in piece.split(b"\n")]
            sizes[0] += since_end
            since_end = sizes[-1]
            if max(sizes) > self._limit:
                raise RequestTooLargeError(
                    f"A line is over {self._limit:,} bytes: raise the setting max_body_bytes."
                )
            yield piece

    async def _more(self) -> bytes:
        try:
            return await anext(self._stream, b"")
        except ClientDisconnect as error:
            raise RequestError("The request ended before its body did.") from error

    async def pass_over(self) -> None:
        """Read what a request of usual size still holds, so that its sender gets to see the answer."""
        left = self._limit
        while left > 0 and (piece := await self._more()):
            left -= len(piece)
