"""Connections: slow clients are cut, too many are closed, and meanwhile the service answers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.unit.api.service import Service, running

HEAD = b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
PATIENCE_S = 0.4


@pytest.fixture(scope="module")
def impatient(_own_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that waits for nobody for long."""
    with running(tmp_path_factory.mktemp("x"), client_timeout_s=PATIENCE_S) as service:
        service.add("word " * 200_000, key="large")
        yield service


@contextmanager
def connected(service: Service) -> Iterator[socket.socket]:
    """A connection of our own."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
        yield raw


def rest(raw: socket.socket) -> bytes:
    """All that the service sends until it closes; a reset is an end, too."""
    found = b""
    try:
        while piece := raw.recv(65_536):
            found += piece
    except ConnectionError:
        pass
    return found


def trickle(raw: socket.socket, data: bytes, stopped: threading.Event) -> None:
    """Send a byte now and then, as long as somebody listens."""
    try:
        for byte in data:
            if stopped.wait(PATIENCE_S / 10):
                return
            raw.sendall(bytes([byte]))
    except OSError:
        pass


def cut(service: Service, reason: str) -> float:
    """How many connections were closed for a reason."""
    start = f'vstash_connections_cut_total{{reason="{reason}"}}'
    lines = service.http.get("/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(start)), 0.0)


@pytest.mark.parametrize("begun", [b"", b"POST /v1/se", HEAD])
def test_a_head_that_does_not_end(impatient: Service, begun: bytes) -> None:
    """It is closed without an answer."""
    before = cut(impatient, "slow_head")
    with connected(impatient) as raw:
        raw.sendall(begun)
        assert rest(raw) == b""
    assert cut(impatient, "slow_head") == before + 1


def test_a_second_head_that_does_not_end(impatient: Service) -> None:
    """Nor may the next request of a connection take longer."""
    with connected(impatient) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healt")
        answer = rest(raw)
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_byte_at_a_time(impatient: Service) -> None:
    """Twenty clients that send a byte now and then are cut, and health is answered meanwhile."""
    stopped = threading.Event()
    with ExitStack() as stack:
        raws = [stack.enter_context(connected(impatient)) for _ in range(20)]
        slow = [
            threading.Thread(target=trickle, args=(raw, HEAD, stopped), daemon=True) for raw in raws
        ]
        for thread in slow:
            thread.start()
        for _ in range(20):
            assert impatient.http.get("/healthz").status_code == 200
        assert [rest(raw) for raw in raws] == [b""] * 20
        stopped.set()


@pytest.mark.parametrize(
    "length", [b"Content-Length: 50\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]
)
def test_a_body_that_does_not_end(impatient: Service, length: bytes) -> None:
    """It is answered that it came too slowly, and the connection is closed."""
    with connected(impatient) as raw:
        raw.sendall(HEAD + length)
        answer = rest(raw)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["code"] == "request_timeout"


def test_a_refused_body_that_does_not_end(impatient: Service) -> None:
    """Nor does who was refused keep the connection by sending on."""
    stopped = threading.Event()
    with connected(impatient) as raw:
        raw.sendall(HEAD.replace(b"localhost", b"evil.example") + b"Content-Length: 5000\r\n\r\n")
        thread = threading.Thread(target=trickle, args=(raw, b"x" * 5000, stopped), daemon=True)
        thread.start()
        assert rest(raw).startswith(b"HTTP/1.1 403 ")
        stopped.set()


def test_who_does_not_read(impatient: Service) -> None:
    """A client that does not read a large answer is cut; the control reads it, and is not."""
    path = "/v1/documents?key=large&limit=1"
    known = impatient.http.get(path).json()["items"][0]["id"]
    before = cut(impatient, "slow_reader")
    with connected(impatient) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(20):
            raw.sendall(f"GET /v1/documents/{known} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        end = time.monotonic() + 20
        while cut(impatient, "slow_reader") == before:
            assert time.monotonic() < end
            time.sleep(PATIENCE_S / 4)
    whole = impatient.http.get(f"/v1/documents/{known}")
    assert len(whole.content) > 1_000_000
    assert cut(impatient, "slow_reader") == before + 1


def test_an_idle_connection_stays(impatient: Service) -> None:
    """Between requests a connection may rest for longer than it may take over one."""
    with httpx.Client(base_url=impatient.http.base_url, trust_env=False) as http:
        assert http.get("/healthz").is_success
        time.sleep(PATIENCE_S * 2)
        assert http.get("/healthz").is_success


def test_too_many(tmp_path: Path) -> None:
    """Those beyond the limit are closed at once; when one leaves, another may come."""
    with running(tmp_path, max_connections=3) as service:
        service.http.close()
        with connected(service) as first, connected(service) as second, connected(service) as third:
            for raw in (first, second, third):
                raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert raw.recv(65_536).startswith(b"HTTP/1.1 200 ")
            with connected(service) as fourth:
                assert rest(fourth) == b""
        with connected(service) as raw:
            raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert rest(raw).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"A" * 70_000,
    ],
)
def test_what_is_not_http(impatient: Service, sent: bytes) -> None:
    """It gets a problem, too, and the connection is closed."""
    with connected(impatient) as raw:
        raw.sendall(sent)
        head, _, body = rest(raw).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert b"nosniff" in head
    assert json.loads(body)["code"] == "request_invalid"
