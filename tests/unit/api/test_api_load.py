"""What the service takes on: turns, a queue with an end, rates, deadlines, clients that leave."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.unit.api.service import Service, running
from vstash import deadlines
from vstash.api.load import Load
from vstash.api.rates import Rates, TooManyError
from vstash.errors import OverloadError
from vstash.settings import Settings
from vstash.testing import FakeEmbedder

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from vstash.types import FloatArray

HEALTH = ["/healthz", "/readyz", "/metrics", "/openapi.json"]


class Slow(FakeEmbedder):
    """A model that holds texts with the word ``gate`` back, and takes its time over ``slow`` ones."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.waiting = threading.Semaphore(0)
        self.steps = 0

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """As the fake one does, later."""
        for text in texts:
            if "gate" in text:
                self.waiting.release()
                assert self.gate.wait(30)
            if "slow" in text:
                for _ in range(100):
                    self.steps += 1
                    time.sleep(0.02)
                    deadlines.check()
        return super().embed_passages(texts)


@pytest.fixture
def model() -> Iterator[Slow]:
    """The model, whose gate opens at the end."""
    made = Slow()
    yield made
    made.gate.set()


def until(true: Callable[[], bool]) -> None:
    """Wait for what is going to be true."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def gauge(service: Service, name: str) -> float:
    """A value of /metrics."""
    lines = service.http.get("/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def add(service: Service, text: str, **headers: str) -> httpx.Response:
    """Store a text."""
    return service.http.post("/v1/documents", json={"text": text}, headers=headers)


def test_the_queue_has_an_end(tmp_path: Path, model: Slow) -> None:
    """One is worked on, one waits, the third is refused at once; whoever asks for health is not."""
    limits: dict[str, Any] = {"work_threads": 1, "queue_size": 1}
    with running(tmp_path, model=model, **limits) as service, ThreadPoolExecutor(2) as pool:
        first = pool.submit(add, service, "gate one")
        model.waiting.acquire()
        second = pool.submit(add, service, "two")
        until(lambda: gauge(service, "vstash_queue_waiting") == 1)
        assert gauge(service, "vstash_requests_working") == 1
        refused = add(service, "three")
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert refused.headers["Retry-After"] == "1"
        for path in HEALTH:
            assert service.http.get(path).status_code == 200
        with socket.create_connection(("127.0.0.1", service.port)) as raw:
            head = b"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n"
            raw.sendall(head + b"Content-Type: application/json\r\n\r\n")
            raw.settimeout(10)
            assert b" 503 " in raw.recv(4096), "it waited for the body"
        model.gate.set()
        assert (first.result().status_code, second.result().status_code) == (201, 201)
        assert service.memory.stats().documents == 2
        assert 'vstash_shed_total{reason="queue"} 2.0' in service.http.get("/metrics").text


def test_a_deadline_while_waiting(tmp_path: Path, model: Slow) -> None:
    """Who cannot wait as long leaves the queue; without a deadline the same request is answered."""
    with (
        running(tmp_path, model=model, work_threads=1) as service,
        ThreadPoolExecutor(2) as pool,
    ):
        first = pool.submit(add, service, "gate one")
        model.waiting.acquire()
        late = add(service, "two", **{"Request-Timeout": "0.2"})
        assert (late.status_code, late.json()["code"]) == (503, "deadline_exceeded")
        control = pool.submit(add, service, "three")
        model.gate.set()
        assert (first.result().status_code, control.result().status_code) == (201, 201)
        assert service.memory.stats().documents == 2


def test_a_deadline_stops_the_work(tmp_path: Path, model: Slow) -> None:
    """What is under way ends soon and stores nothing, and others are answered; the control goes on."""
    with running(tmp_path, model=model) as service:
        late = add(service, "slow one", **{"Request-Timeout": "0.2"})
        assert (late.status_code, late.json()["code"]) == (503, "deadline_exceeded")
        assert late.json()["retryable"] is True
        assert late.headers["Retry-After"] == "1"
        assert model.steps < 100
        assert service.memory.stats().documents == 0
        model.steps = 0
        assert add(service, "slow two").status_code == 201
        assert model.steps == 100


def test_the_setting_is_the_most(tmp_path: Path, model: Slow) -> None:
    """The header lowers the service's own limit and cannot raise it."""
    with running(tmp_path, model=model, request_timeout_s=0.2) as service:
        late = add(service, "slow one", **{"Request-Timeout": "1000"})
        assert late.json()["code"] == "deadline_exceeded"


@pytest.mark.parametrize("given", ["", "0", "-1", "1e3", "nan", "1,5", "soon", "1 2", "٣"])
def test_a_malformed_timeout(shared: Service, given: str) -> None:
    """What is no number of seconds above 0 is refused by name."""
    headers = [("Request-Timeout", given.encode())]
    answer = shared.http.get("/v1/stats", headers=headers)  # type: ignore[arg-type]  # bytes do
    assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid")
    assert answer.json()["errors"][0]["pointer"] == "/Request-Timeout"


def test_a_client_that_leaves(tmp_path: Path, model: Slow) -> None:
    """The work for a client that went away is stopped, and leaves nothing behind."""
    body = json.dumps({"text": "slow one"}).encode()
    head = f"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    with running(tmp_path, model=model, work_threads=1) as service:
        with socket.create_connection(("127.0.0.1", service.port)) as raw:
            raw.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
            until(lambda: model.steps > 0)
        until(lambda: gauge(service, "vstash_requests_working") == 0)
        assert model.steps < 100
        assert service.memory.stats().documents == 0
        assert 'status="499"' in service.http.get("/metrics").text
        assert add(service, "two").status_code == 201


def test_long_work_has_no_deadline(tmp_path: Path) -> None:
    """A check takes as long as it takes; a search with the same limit is stopped."""
    with running(tmp_path, request_timeout_s=0.01) as service:
        service.memory.add_many([f"text number {number}" for number in range(3000)])
        answer = service.http.post("/v1/check")
        assert answer.status_code == 200
        assert answer.json()["seconds"] > 0.01


def test_a_rate(tmp_path: Path) -> None:
    """Beyond its rate a key is told when to come again; health is not counted."""
    with running(tmp_path, requests_per_s=0.2) as service:
        allowed = [service.http.get("/v1/stats").status_code for _ in range(2)]
        refused = service.http.get("/v1/stats")
        assert allowed == [200, 200]
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(refused.headers["Retry-After"]) <= 5
        assert service.http.get("/healthz").status_code == 200
        assert 'vstash_shed_total{reason="rate"} 1.0' in service.http.get("/metrics").text


def test_at_once(tmp_path: Path, model: Slow) -> None:
    """One key has so many requests under way, and the next when one is answered."""
    with (
        running(tmp_path, model=model, requests_at_once=1) as service,
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(add, service, "gate one")
        model.waiting.acquire()
        refused = add(service, "two")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        model.gate.set()
        assert first.result().status_code == 201
        assert add(service, "two").status_code == 201


def test_a_server_that_is_stopped() -> None:
    """Who is still waited for at the end is told so, and its work is stopped."""
    limits: list[Any] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        limits.append(deadlines._current.get())
        await asyncio.sleep(1000)

    async def receive() -> Message:
        await asyncio.sleep(1000)
        raise AssertionError

    async def send(_message: Message) -> None:
        raise AssertionError

    async def stopped() -> None:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        task = asyncio.ensure_future(Load(app, Settings())(scope, receive, send))
        await asyncio.wait({task}, timeout=0.1)
        assert not limits[0].passed()
        task.cancel()
        with pytest.raises(OverloadError, match="stopped"):
            await task

    asyncio.run(stopped())
    assert limits[0].passed()


def test_tokens() -> None:
    """A key has ten seconds' worth of tokens, gets them back at its rate, and has its own."""
    now = [0.0]
    rates = Rates(2.0, 0, lambda: now[0])

    def sent(key: str) -> int:
        number = 0
        with suppress(TooManyError):
            while number < 100:
                with rates.under_way(key):
                    number += 1
        return number

    assert sent("a") == 20
    assert sent("a") == 0
    assert sent("b") == 20
    now[0] = 3.0
    assert sent("a") == 6
    now[0] = 1000.0
    assert sent("a") == 20


def test_requests_that_come_early_have_deadlines_of_their_own(tmp_path: Path) -> None:
    """Sent before the one before them is answered, they are not stopped together with it."""
    with running(tmp_path) as service:
        body = json.dumps({"text": "One of many."}).encode()
        head = (
            f"POST /v1/documents HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        sent = (head.encode() + body) * 20
        with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
            connection.sendall(sent)
            answers = b""
            while answers.count(b"HTTP/1.1 ") < 20 or not answers.endswith(b"}"):
                more = connection.recv(65_536)
                assert more
                answers += more
        assert answers.count(b"HTTP/1.1 201 ") == 20
        assert service.memory.stats().documents == 20
