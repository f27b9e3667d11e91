"""The guard by itself, given what no HTTP server would let through to it."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from vstash.api.guard import Guard, Rules
from vstash.api.hosts import allowed_names
from vstash.api.operations import STREAM, Operations

LIMIT = 1024
ROUTES = FastAPI()
ROUTES.add_api_route("/lines", lambda: None, methods=["POST"], openapi_extra={STREAM: True})


class Inner:
    """An application that notes whether it was asked, and how much of the body it got."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.read = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read all there is and answer."""
        self.asked.append(scope["type"])
        if scope["type"] != "http":
            return
        more = True
        while more:
            message = await receive()
            self.read += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


def through(
    headers: list[tuple[bytes, bytes]],
    chunks: list[bytes],
    inner: Inner,
    *,
    kind: str = "http",
    path: str = "/",
) -> list[Message]:
    """What the guard sends for one request that no server has looked at before."""
    guard = Guard(
        inner,
        rules=Rules(allowed_names("127.0.0.1"), max_body_bytes=LIMIT),
        operations=Operations(ROUTES),
        find_key=lambda _: None,
    )
    waiting = list(chunks)
    sent: list[Message] = []

    async def receive() -> Message:
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": kind,
        "method": "POST",
        "path": path,
        "headers": headers,
        "server": ("127.0.0.1", 8765),
    }
    asyncio.run(guard(scope, receive, send))
    return sent


H = (b"host", b"localhost")
T = (b"content-type", b"application/json")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 403),
        ([H, H], 403),
        ([H, (b"host", b"evil.example")], 403),
        ([(b"host", b"localhost\xe9")], 403),
        ([H, (b"origin", b"http://localhost:8765"), (b"origin", b"http://evil.example")], 403),
        ([H, (b"sec-fetch-site", b"none"), (b"sec-fetch-site", b"cross-site")], 403),
        ([H, T, (b"content-length", b"x")], 400),
        ([H, T, (b"content-length", b"")], 400),
        ([H, T, (b"content-length", b"+1")], 400),
        ([H, T, (b"content-length", b"\xb2")], 400),
        ([H, T, (b"content-length", b"1"), (b"content-length", b"1")], 400),
        ([H, T, (b"content-length", b"1"), (b"transfer-encoding", b"chunked")], 400),
        ([H, T, (b"content-length", b"9" * 5000)], 413),
        ([H, T, T, (b"content-length", b"1")], 415),
        ([H, (b"transfer-encoding", b"chunked")], 415),
    ],
)
def test_unread(headers: list[tuple[bytes, bytes]], status: int) -> None:
    """A request that is refused for its headers reaches nothing, and none of its body is read."""
    inner = Inner()
    sent = through(headers, [], inner)
    assert (sent[0]["status"], inner.asked) == (status, [])


def test_counted() -> None:
    """A body is counted as it comes, whatever its headers say, and is cut off at the limit."""
    inner = Inner()
    sent = through([H, T, (b"content-length", b"10")], [b" " * 500] * 100, inner)
    assert (sent[0]["status"], inner.read) == (413, 1000)


def test_leading_zeros() -> None:
    """A length with leading zeros is the same length."""
    inner = Inner()
    sent = through([H, T, (b"content-length", b"0" * 100 + b"2")], [b"{}"], inner)
    assert (sent[0]["status"], inner.read) == (200, 2)


def test_websocket() -> None:
    """A web socket is closed before it is accepted, whoever asks."""
    inner = Inner()
    sent = through([H], [], inner, kind="websocket")
    assert (sent, inner.asked) == ([{"type": "websocket.close", "code": 1008}], [])


def test_lifespan() -> None:
    """Starting and stopping are not requests."""
    inner = Inner()
    through([], [], inner, kind="lifespan")
    assert inner.asked == ["lifespan"]


LINES = (b"content-type", b"application/x-ndjson")


def test_stream() -> None:
    """A route that says so takes lines of any length in all, and nothing else."""
    inner = Inner()
    length = (b"content-length", b"100000")
    sent = through([H, LINES, length], [b" " * 1000] * 100, inner, path="/lines")
    assert (sent[0]["status"], inner.read) == (200, 100_000)
    assert through([H, T, length], [], inner, path="/lines")[0]["status"] == 415
    assert through([H, LINES, (b"content-length", b"2")], [], inner)[0]["status"] == 415
    assert through([H, LINES, length], [], inner)[0]["status"] == 413
