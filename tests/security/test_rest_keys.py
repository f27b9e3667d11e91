"""Every route under every combination of host, page, key and media type lets in whom it should.

What should happen is said here a second time, in a few plain rules that share nothing with the
guard but the scope that each route declares.
"""

from __future__ import annotations

import itertools
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.security.wire import Wire
from tests.unit.api.service import serving
from vstash import Memory
from vstash.api.app import create_api
from vstash.api.guard import Guard, Rules
from vstash.api.operations import STREAM, Operations
from vstash.api.server import bind
from vstash.pipeline.engine import open_engine
from vstash.settings import Settings
from vstash.store.documents import to_datetime

PAGE = "http://localhost:3000"
RANK = {"read": 1, "write": 2, "admin": 3}

# Each with whether it may pass: of an origin, None means that it is the page that needs a key.
HOSTS = {"localhost:{port}": True, "127.0.0.1": True, "evil.example": False, "": False}
ORIGINS = {"": True, "http://localhost:{port}": True, PAGE: None, "http://evil.example": False}
SITES = {"": True, "same-origin": True, "cross-site": False}
TYPES = {"application/json": True, "text/plain": False}
# Each with the rank of its rights; None is no key at all.
KEYS: dict[str, int | None] = {
    "none": None,
    **dict.fromkeys(("wrong", "expired", "revoked"), 0),
    **RANK,
    "bound": 3,
}


@dataclass(frozen=True)
class Route:
    """A method of an address, with the rank of what it needs; unknown ones need any key.

    Attributes:
        json: What it takes in place of JSON.
    """

    method: str
    path: str
    rank: int
    json: str = "application/json"

    @property
    def carries(self) -> bool:
        """Whether it is sent a body."""
        return self.method not in {"GET", "HEAD", "OPTIONS"}


class Spy:
    """Counts what gets through to the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.reached = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count and pass on."""
        self.reached += scope["type"] == "http"
        await self._app(scope, receive, send)


@dataclass(frozen=True)
class Case:
    """One request of the matrix."""

    route: Route
    host: str
    origin: str
    site: str
    kind: str
    key: str

    def request(self, port: int, secrets: dict[str, str]) -> bytes:
        """Its bytes."""
        lines = [f"{self.route.method} {self.route.path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"Origin: {self.origin}"] if self.origin else []
        lines += [f"Sec-Fetch-Site: {self.site}"] if self.site else []
        lines += [f"Authorization: Bearer {secrets[self.key]}"] if self.key in secrets else []
        body = ""
        if self.route.carries:
            body = "{}"
            kind = self.route.json if self.kind == "application/json" else self.kind
            lines += [f"Content-Type: {kind}", "Content-Length: 2"]
        return ("\r\n".join(lines) + "\r\n\r\n").replace(
            "{port}", str(port)
        ).encode() + body.encode()

    def welcome(self, *, private: bool) -> bool:
        """Whether it should get in."""
        own_page = ORIGINS[self.origin]
        if not HOSTS[self.host] or own_page is False or (own_page and not SITES[self.site]):
            return False
        if self.route.carries and not TYPES[self.kind]:
            return False
        rank = KEYS[self.key]
        if own_page and self.route.rank == 0:
            return True
        if rank is None:
            return own_page is True and not private
        return rank > 0 and rank >= self.route.rank


def all_routes(memory: Memory) -> list[Route]:
    """Every method of every route of the application, and some that there are not."""
    found = []
    for route in create_api(memory).routes:
        path = str(getattr(route, "path_format", ""))
        for name in ("{chunk_id}", "{id}", "{name}"):
            path = path.replace(name, "1")
        assert "{" not in path, "give it a value here"
        extra = getattr(route, "openapi_extra", None) or {}
        # The description of FastAPI's own says nothing of a scope.
        scope = extra.get("x-vstash-scope", "read" if path == "/openapi.json" else "admin")
        rank = RANK.get(scope, 0)
        found += [
            Route(method, path, rank, *(["application/x-ndjson"] if STREAM in extra else []))
            for method in sorted(getattr(route, "methods", ()))
            if method != "HEAD"
        ]
    unknown = [("GET", "/nowhere"), ("POST", "/nowhere"), ("DELETE", "/v1/stats")]
    unknown += [("OPTIONS", "/v1/search"), ("HEAD", "/v1/stats")]
    assert len(found) > 20
    return [*found, *(Route(method, path, RANK["read"]) for method, path in unknown)]


@dataclass(frozen=True)
class Target:
    """A service to try the matrix on."""

    spy: Spy
    wire: Wire
    port: int
    routes: list[Route]
    secrets: dict[str, str]
    private: bool

    def wrong(self, key: str) -> tuple[int, list[Case], list[Case]]:
        """How many requests with a kind of key were sent, who got in wrongly, and who did not."""
        number = 0
        entered: list[Case] = []
        kept_out: list[Case] = []
        for axes in itertools.product(self.routes, HOSTS, ORIGINS, SITES, TYPES):
            if not axes[0].carries and axes[-1] != "application/json":
                continue
            case = Case(*axes, key)
            before = self.spy.reached
            status = self.wire.ask(case.request(self.port, self.secrets))
            got_in = self.spy.reached > before or status == 204
            number += 1
            if got_in != case.welcome(private=self.private):
                (entered if got_in else kept_out).append(case)
        return number, entered, kept_out


def made_secrets(path: Path, memory: Memory) -> dict[str, str]:
    """A secret of each kind; one had expired yesterday."""
    past = open_engine(path, model="fake", clock=lambda: 1_600_000_000_000_000)
    until = to_datetime(1_600_000_000_000_001)
    expired = past.keys.create("x", scope="admin", collection=None, expires_at=until)
    past.close()
    revoked = memory.create_key("x", scope="admin")
    memory.revoke_key(revoked.key.id)
    return {
        "wrong": f"vstash_{'0' * 16}_{'A' * 43}",
        "expired": expired.secret,
        "revoked": revoked.secret,
        "read": memory.create_key("x", scope="read").secret,
        "write": memory.create_key("x", scope="write").secret,
        "admin": memory.create_key("x", scope="admin").secret,
        "bound": memory.create_key("x", scope="admin", collection="notes").secret,
    }


@pytest.fixture(scope="module", autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VSTASH_CONFIG", str(tmp_path_factory.mktemp("none") / "none.toml"))
        yield


def target(folder: Path, stack: ExitStack, *, private: bool, guarded: bool = True) -> Target:
    """A service that lets one page in, and needs keys from all or from that page alone."""
    settings = Settings(model="fake", port=0, require_key=private, cors_origins=(PAGE,))
    memory = stack.enter_context(Memory(folder / "x.db", settings=settings))
    listener = stack.enter_context(bind(settings))
    secrets = made_secrets(folder / "x.db", memory)
    api = create_api(memory)
    spy = Spy(api)
    guard = Guard(spy, rules=Rules.of(settings), operations=Operations(api), find_key=memory.access)
    stack.enter_context(serving(guard if guarded else spy, listener))
    port = int(listener.getsockname()[1])
    wire = Wire(port)
    stack.callback(wire.close)
    return Target(spy, wire, port, all_routes(memory), secrets, private)


@pytest.fixture(scope="module", params=[True, False], ids=["private", "this machine"])
def guarded(
    _own_settings: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """The service as it is served."""
    with ExitStack() as stack:
        yield target(tmp_path_factory.mktemp("guarded"), stack, private=request.param)


@pytest.mark.parametrize("key", KEYS)
def test_matrix(guarded: Target, key: str) -> None:
    """Nobody gets in who should not, and everybody does who should."""
    number, entered, kept_out = guarded.wrong(key)
    assert number == expected_number(guarded.routes)
    assert (entered, kept_out) == ([], [])


def expected_number(routes: list[Route]) -> int:
    """Requests of one kind of key: media types only where there is a body."""
    kinds = sum(len(TYPES) if route.carries else 1 for route in routes)
    return kinds * len(HOSTS) * len(ORIGINS) * len(SITES)


def test_matrix_without_the_guard(tmp_path: Path) -> None:
    """The control: without the guard the same requests get in, so that it is the guard that is tested."""
    with ExitStack() as stack:
        bare = target(tmp_path, stack, private=True, guarded=False)
        number, entered, _ = bare.wrong("wrong")
    assert len(entered) > number / 2


class Sink:
    """An application that reads what it gets."""

    def __init__(self) -> None:
        self.read = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read all there is, and answer."""
        more = scope["type"] == "http"
        while more:
            message: Message = await receive()
            self.read += len(message.get("body", b""))
            more = message.get("more_body", False)


def resident_bytes() -> int:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux for its memory")
@pytest.mark.parametrize("framing", ["Content-Length: 1073741824", "Transfer-Encoding: chunked"])
def test_a_huge_body_without_a_key(tmp_path: Path, framing: str) -> None:
    """It is answered before a byte of it is read, none reaches the application, none is kept."""
    settings = Settings(model="fake", port=0, require_key=True, max_body_bytes=2**40)
    sink, sent = Sink(), 0
    with Memory(tmp_path / "x.db", settings=settings) as memory, bind(settings) as listener:
        operations = Operations(create_api(memory))
        rules = Rules.of(settings)
        guard = Guard(sink, rules=rules, operations=operations, find_key=memory.access)
        with serving(guard, listener), socket.create_connection(listener.getsockname()) as client:
            head = f"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n"
            client.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode())
            assert client.recv(65_536).startswith(b"HTTP/1.1 401 ")
            before = resident_bytes()
            part = b"10000\r\n" + b" " * 65_536 + b"\r\n" if "chunked" in framing else b" " * 65_536
            with suppress(ConnectionError):
                while sent < 64 * 2**20:
                    client.sendall(part)
                    sent += len(part)
            assert resident_bytes() - before < 20 * 2**20
    assert sink.read == 0


def test_the_control_reads_a_body(tmp_path: Path) -> None:
    """With a key the application gets every byte, so that the sink would have noticed."""
    settings = Settings(model="fake", port=0, require_key=True)
    sink = Sink()
    with Memory(tmp_path / "x.db", settings=settings) as memory, bind(settings) as listener:
        operations = Operations(create_api(memory))
        rules = Rules.of(settings)
        guard = Guard(sink, rules=rules, operations=operations, find_key=memory.access)
        key = memory.create_key("x", scope="write").secret
        with serving(guard, listener), socket.create_connection(listener.getsockname()) as client:
            head = f"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n"
            head += "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
            client.sendall(head.encode() + b" " * 1000)
            client.recv(65_536)
    assert sink.read == 1000


def test_secrets_are_told_to_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in a log, nor on a stream, nor in an answer, whatever becomes of the request."""
    caplog.set_level(logging.DEBUG)
    answers = b""
    with ExitStack() as stack:
        there = target(tmp_path, stack, private=True)
        made = there.secrets["admin"]
        canary = made[24:]
        for path in (
            *(route.path for route in there.routes),
            f"/{canary}",
            f"/v1/stats?key={made}",
        ):
            for header in (
                f"Authorization: Bearer {made}",
                f"X-API-Key: {made}x",
                f"Cookie: {made}",
            ):
                with socket.create_connection(("127.0.0.1", there.port), timeout=30) as client:
                    asked = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n"
                    kind = "Content-Type: application/json\r\nConnection: close\r\n"
                    client.sendall(f"{asked}{kind}Content-Length: 2\r\n\r\n{{}}".encode())
                    while read := client.recv(65_536):
                        answers += read
    told = capfd.readouterr()
    assert answers.count(b"HTTP/1.1 401") > 40
    assert answers.count(b"HTTP/1.1 4") > answers.count(b"HTTP/1.1 401")
    assert canary.encode() not in answers
    assert canary not in caplog.text + told.out + told.err
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(canary.encode() in path.read_bytes() for path in files)
