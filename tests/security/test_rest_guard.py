"""No web page, no foreign host name and no oversized request gets past the REST API's guard."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.unit.api.service import Service, running
from vstash.api.app import create_api
from vstash.api.operations import STREAM

LIMIT = 1024
JSON = ("Content-Type", "application/json")


@dataclass(frozen=True)
class Request:
    """A request in words; ``{port}`` in a header stands for the service's own."""

    name: str
    headers: tuple[tuple[str, str], ...]
    status: int = 403
    body: bytes = b"{}"
    chunked: bool = False

    @property
    def needs_body(self) -> bool:
        """Whether it means something only where a body may be sent."""
        return self.status in {413, 415}


def host(name: str) -> Request:
    """A request under a host name."""
    return Request(f"host {name}", (("Host", name), JSON))


def origin(value: str) -> Request:
    """A request from a web page."""
    return Request(f"origin {value}", (("Origin", value), JSON))


def site(value: str) -> Request:
    """A request that a browser says where it comes from."""
    return Request(f"site {value}", (("Sec-Fetch-Site", value), JSON))


def kind(value: str) -> Request:
    """A request with a body of some type."""
    return Request(f"type {value}", (("Content-Type", value),), status=415)


ATTACKS = [
    host("evil.example"),
    host("evil.example:{port}"),
    host("localhost.evil.example"),
    host("127.0.0.1.evil.example:{port}"),
    host("localhost."),
    host("localhost:"),
    host("localhost:{port}@evil.example"),
    host("user@localhost:{port}"),
    host("localhost, evil.example"),
    host("localhost evil.example"),
    host("0.0.0.0:{port}"),
    host("[::]:{port}"),
    host("192.168.0.1"),
    host("127.1"),
    host("2130706433"),
    host(""),
    origin("http://evil.example"),
    origin("http://localhost.evil.example:{port}"),
    origin("http://localhost:{port}.evil.example"),
    origin("http://localhost:{port}@evil.example"),
    origin("http://127.0.0.1"),
    origin("http://127.0.0.1:1"),
    origin("https://127.0.0.1:{port}"),
    origin("http://127.0.0.1:{port}, http://evil.example"),
    origin("chrome-extension://abc"),
    origin("file://"),
    origin("null"),
    origin(""),
    site("cross-site"),
    site("same-site"),
    site("none, cross-site"),
    site(""),
    Request("no type", (), status=415),
    kind("text/plain"),
    kind("application/x-www-form-urlencoded"),
    kind("multipart/form-data; boundary=x"),
    kind("text/plain; application/json"),
    kind("application/json, text/plain"),
    kind("application/json; charset=utf-16"),
    kind("application/jsonp"),
    kind("*/*"),
    Request("compressed", (JSON, ("Content-Encoding", "gzip")), status=415),
    Request("large", (JSON,), status=413, body=b" " * (LIMIT + 1)),
    Request("large in chunks", (JSON,), status=413, body=b" " * (LIMIT + 1), chunked=True),
]
WELCOME = [
    Request("plain", (JSON,)),
    Request("localhost", (JSON, ("Host", "localhost:{port}"))),
    Request("no port", (JSON, ("Host", "LOCALHOST"))),
    Request("IPv6", (JSON, ("Host", "[::1]:{port}"))),
    Request("own page", (JSON, ("Origin", "http://localhost:{port}"))),
    Request("own page, IPv6", (JSON, ("Origin", "http://[::1]:{port}"))),
    Request("own fetch", (JSON, ("Sec-Fetch-Site", "same-origin"))),
    Request("address bar", (JSON, ("Sec-Fetch-Site", "none"))),
    Request("charset", (("Content-Type", 'Application/JSON; charset="UTF-8"'),)),
    Request("as large as allowed", (JSON,), body=b" " * LIMIT),
    Request("in chunks", (JSON,), body=b" " * LIMIT, chunked=True),
]


@pytest.fixture(scope="module", autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VSTASH_CONFIG", str(tmp_path_factory.mktemp("none") / "none.toml"))
        yield


@pytest.fixture(scope="module")
def guarded(_own_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as it is served."""
    with running(tmp_path_factory.mktemp("guarded"), max_body_bytes=LIMIT) as service:
        yield service


@pytest.fixture(scope="module")
def bare(_own_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same routes with no guard in front."""
    with running(tmp_path_factory.mktemp("bare"), guarded=False) as service:
        yield service


@dataclass(frozen=True)
class Route:
    """A method of an address, and whether it reads a body, or lines."""

    method: str
    path: str
    reads: bool = False
    lines: bool = False

    @property
    def may_carry(self) -> bool:
        """Whether a body may be sent to it."""
        return self.method not in {"GET", "HEAD", "OPTIONS"}

    def header(self, value: str) -> str:
        """A header's value, with the media type that this route reads in place of JSON's."""
        taken = "application/x-ndjson" if self.lines else JSON[1]
        return re.sub(JSON[1], taken, value, flags=re.IGNORECASE)


@pytest.fixture(scope="module")
def routes(bare: Service) -> list[Route]:
    """Every method of every route, and addresses that there are not."""
    found = [
        Route(
            method,
            str(getattr(route, "path_format", "")).replace("{chunk_id}", "1").replace("{id}", "x"),
            reads=getattr(route, "body_field", None) is not None,
            lines=(getattr(route, "openapi_extra", None) or {}).get(STREAM, False),
        )
        for route in create_api(bare.memory).routes
        for method in sorted(getattr(route, "methods", ()))
    ]
    assert {route.method for route in found if route.reads} == {"POST", "PUT", "PATCH"}
    return [*found, Route("GET", "/nowhere"), Route("POST", "/nowhere"), Route("OPTIONS", "/v1")]


def answers(service: Service, request: Request, routes: list[Route]) -> dict[Route, httpx.Response]:
    """What each route answers to a request, where the request means something."""
    seen = {}
    for route in routes:
        if request.needs_body and not (route.reads if request.chunked else route.may_carry):
            continue
        headers = {
            name: route.header(value.format(port=service.port)) for name, value in request.headers
        }
        content = iter([request.body]) if request.chunked else request.body
        seen[route] = service.http.request(
            route.method,
            route.path,
            headers=headers,
            content=content if route.may_carry else None,
        )
    return seen


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(guarded: Service, routes: list[Route], attack: Request) -> None:
    """Every route refuses every attack, in the same words, and nothing is stored."""
    seen = answers(guarded, attack, routes)
    assert len(seen) >= 5
    for place, answer in seen.items():
        assert answer.status_code == attack.status, place
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert_sealed(answer)
    assert guarded.memory.stats().documents == 0


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_control(bare: Service, routes: list[Route], attack: Request) -> None:
    """Without the guard no route refuses them, so that it is the guard that the matrix tests."""
    seen = {place: answer.status_code for place, answer in answers(bare, attack, routes).items()}
    assert attack.status not in seen.values()


@pytest.mark.parametrize("request_", WELCOME, ids=lambda request_: request_.name)
def test_welcome(guarded: Service, routes: list[Route], request_: Request) -> None:
    """Programs of this machine get past the guard everywhere, and to their answers."""
    seen = answers(guarded, request_, routes)
    for place, answer in seen.items():
        assert answer.status_code not in {403, 413, 415, 500}, place
        assert_sealed(answer)
    assert seen[Route("GET", "/v1/stats")].status_code == 200


def assert_sealed(answer: httpx.Response) -> None:
    """No answer is kept, guessed at, or shared with other origins."""
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "Server" not in answer.headers


def test_preflight(guarded: Service) -> None:
    """A browser that asks whether a page may write is told no."""
    asked = {
        "Origin": "http://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = guarded.http.options("/v1/documents", headers=asked)
    assert answer.status_code == 403
    assert_sealed(answer)


def spoken(port: int, sent: bytes) -> bytes:
    """Send bytes as they are, and read until the service closes or has nothing more to say."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = connection.recv(65_536)
            if not more:
                break
            answer += more
        return answer


HOST = b"Host: localhost\r\n"
RAW = {
    "no Host, 1.0": (b"GET /v1/stats HTTP/1.0\r\n\r\n", b"403"),
    "no Host, 1.1": (b"GET /v1/stats HTTP/1.1\r\n\r\n", b"400"),
    "two Hosts": (b"GET /v1/stats HTTP/1.1\r\nHost: evil.example\r\n" + HOST + b"\r\n", b"400"),
    "two Origins": (
        b"GET /v1/stats HTTP/1.1\r\n" + HOST + b"Origin: http://evil.example\r\n" * 2 + b"\r\n",
        b"403",
    ),
    "a whole address": (
        b"GET http://evil.example/v1/stats HTTP/1.1\r\n" + HOST + b"\r\n",
        b"404",
    ),
    "a folded header": (
        b"GET /v1/stats HTTP/1.1\r\nHost: localhost\r\n .evil.example\r\n\r\n",
        b"40",
    ),
    "an upgrade": (
        (
            b"GET /v1/stats HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ),
        b"403",
    ),
    "a length below 0": (
        b"POST /v1/check HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"400",
    ),
    "a length that is none": (
        b"POST /v1/check HTTP/1.1\r\n" + HOST + b"Content-Length: 0x10\r\n\r\n",
        b"400",
    ),
    "a length and chunks": (
        b"POST /v1/check HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/json\r\nContent-Length: 3\r\n"
        + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"400",
    ),
    "a large length and no body": (
        b"POST /v1/search HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n",
        b"413",
    ),
    "a read with a body that never comes": (
        b"GET /v1/stats HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n",
        b"200",
    ),
    "chunks without an end": (
        b"POST /v1/search HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"400\r\n%b\r\n" % (b" " * 1024) * 2,
        b"413",
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_raw(guarded: Service, name: str) -> None:
    """What no client library would send is refused as well, without waiting for what never comes."""
    sent, status = RAW[name]
    answer = spoken(guarded.port, sent)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert guarded.http.get("/healthz").status_code == 200
