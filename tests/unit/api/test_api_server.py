"""The service as a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import apsw
import httpx
import pytest

from vstash import Memory
from vstash.api.hosts import (
    allowed_names,
    checked_origins,
    exposed,
    host_address,
    own_origin,
    split_host,
)
from vstash.api.server import bind, serve
from vstash.errors import SettingsError
from vstash.settings import Settings

SERVE = "from vstash.api.server import serve; from vstash.settings import load_settings; serve(load_settings())"
NO_ADDRESS = ["example.org", "", "127.0.0.1.example", "::1%1", "localhost."]
OUTSIDE = ["0.0.0.0", "::", "192.168.1.1", "10.0.0.1", "::ffff:10.0.0.1"]


@contextmanager
def process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service on a free port, and the address that it printed."""
    environment = {
        **os.environ,
        "VSTASH_MODEL": "fake",
        "VSTASH_DB": str(folder / "own.db"),
        "VSTASH_PORT": "0",
    }
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], env=environment, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            line = "" if child.stderr is None else child.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:[1-9][0-9]+", line)
            assert found, line
            yield child, found[0]
        finally:
            child.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process at once on Windows")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_life(tmp_path: Path, number: signal.Signals) -> None:
    """It says where it listens, serves, and closes its file when it is told to stop."""
    with process(tmp_path) as (child, address):
        with httpx.Client(base_url=address, trust_env=False) as http:
            assert http.post("/v1/documents", json={"text": "Ada prefers tea."}).is_success
            assert http.post("/v1/search", json={"query": "tea"}).is_success
            answer = http.get("/healthz")
        assert "Server" not in answer.headers
        child.send_signal(number)
        assert child.wait(timeout=20) == 0
        assert child.stderr is not None
        _keys, _addresses, *log = child.stderr.read().splitlines()
        told = [json.loads(line) for line in log]
        assert [line["route"] for line in told] == ["/v1/documents", "/v1/search", "/healthz"]
    assert not (tmp_path / "own.db-wal").exists(), "the file was not closed"
    with Memory(tmp_path / "own.db", model="fake") as memory:
        assert (memory.stats().documents, memory.stats().searches_logged) == (1, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process at once on Windows")
def test_what_it_took_is_finished(tmp_path: Path) -> None:
    """A request under way when it is told to stop is answered, and no other is taken."""
    with process(tmp_path) as (child, address), ThreadPoolExecutor(1) as pool:
        port = int(address.rpartition(":")[2])
        with httpx.Client(base_url=address, trust_env=False, timeout=20) as http:
            assert http.post("/v1/documents", json={"text": "one"}).is_success
            other = apsw.Connection(str(tmp_path / "own.db"))
            other.execute("BEGIN IMMEDIATE")
            slow = pool.submit(http.post, "/v1/documents", json={"text": "two"})
            _until(lambda: "vstash_requests_working 1.0" in _metrics(address))
            child.send_signal(signal.SIGTERM)
            _until(lambda: not _listens(port))
            assert child.poll() is None
            assert not slow.done()
            other.close()
            assert slow.result().status_code == 201
        assert child.wait(timeout=20) == 0
    with Memory(tmp_path / "own.db", model="fake") as memory:
        assert memory.stats().documents == 2


def _metrics(address: str) -> str:
    return httpx.get(f"{address}/metrics", trust_env=False).text


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return False
    return True


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("host", NO_ADDRESS)
def test_what_is_no_address(tmp_path: Path, host: str) -> None:
    """A name is not looked up, and what is refused makes no file."""
    settings = Settings(host=host, port=0, model="fake", db=str(tmp_path / "none.db"))
    with pytest.raises(SettingsError, match="localhost or an address") as caught:
        serve(settings)
    assert caught.value.pointer == "/host"
    assert list(tmp_path.iterdir()) == []


def test_port_taken() -> None:
    """A port that is taken is named."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port}") as caught:
            bind(Settings(port=port))
    assert caught.value.pointer == "/port"


def test_no_delay() -> None:
    """The socket says that it is TCP, without which each answer would wait for an acknowledgement."""
    with bind(Settings(port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_addresses() -> None:
    """Loopback addresses of both families are this machine's own; localhost is not looked up."""
    own = ("localhost", "LOCALHOST", "127.0.0.2", "::1", "[::1]")
    assert [str(host_address(host)) for host in own] == [
        *("127.0.0.1", "127.0.0.1", "127.0.0.2", "::1", "::1")
    ]
    assert not any(exposed(Settings(host=host)) for host in own)
    assert all(exposed(Settings(host=host)) for host in OUTSIDE)
    assert not any(exposed(Settings(host=host, uds="/run/x")) for host in OUTSIDE)


def test_names() -> None:
    """Its own names, the address that it listens on, and those that the settings name."""
    always = {"localhost", "127.0.0.1", "[::1]"}
    assert allowed_names("127.0.0.2") == always | {"127.0.0.2"}
    assert allowed_names("0.0.0.0", ["Notes.example"]) == always | {"notes.example"}


@pytest.mark.parametrize("name", ["*", "a:80", "http://a", "a/b", "", "a b", "*.example"])
def test_names_that_are_none(name: str) -> None:
    """A pattern, a port or an address of a page is no host name."""
    with pytest.raises(SettingsError) as caught:
        allowed_names("127.0.0.1", [name])
    assert caught.value.pointer == "/allowed_hosts"


@pytest.mark.parametrize(
    "origin", ["*", "null", "", "localhost", "http://*", "http://a/", "http://", "file://"]
)
def test_origins_that_are_none(origin: str) -> None:
    """Nothing that means everybody can be named."""
    assert checked_origins(["HTTP://LocalHost:3000"]) == {"http://localhost:3000"}
    with pytest.raises(SettingsError) as caught:
        checked_origins([origin])
    assert caught.value.pointer == "/cors_origins"


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("localhost", ("localhost", None)),
        ("LOCALHOST:1", ("localhost", 1)),
        ("[::1]:80", ("[::1]", 80)),
        ("localhost.", ("localhost.", None)),
        ("", None),
        ("localhost:", None),
        ("localhost:x", None),
        ("localhost:-1", None),
        ("localhost:\u0661", None),
        ("a@localhost", None),
        ("localhost ", None),
        ("localhost\n", None),
        ("::1", None),
        ("localhost/x", None),
        ("loca\u017fhost", None),
    ],
)
def test_split(value: str, parts: tuple[str, int | None] | None) -> None:
    """A host header is a name and perhaps a port, and nothing else."""
    assert split_host(value) == parts


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("http://localhost:8765", True),
        ("HTTP://LocalHost:8765", True),
        ("http://[::1]:8765", True),
        ("http://localhost", False),
        ("http://localhost:3000", False),
        ("https://localhost:8765", False),
        ("http://localhost:8765/", False),
        ("http://localhost.example:8765", False),
        ("http://localhost:8765@example.org", False),
        ("http://example.org", False),
        ("null", False),
        ("", False),
        ("file://", False),
    ],
)
def test_origin(origin: str, own: bool) -> None:  # noqa: FBT001 - a table's column
    """An origin is our own only with our scheme, one of our names and our port."""
    names = frozenset({"localhost", "[::1]"})
    assert own_origin(origin, names, "http", 8765) is own
    assert not own_origin(origin, names, "http", None)


def test_https_origin() -> None:
    """A service that speaks HTTPS has its pages there, and not in plain HTTP."""
    names = frozenset({"localhost"})
    assert own_origin("https://localhost:8765", names, "https", 8765)
    assert not own_origin("http://localhost:8765", names, "https", 8765)


def test_default_port() -> None:
    """At its scheme's own port a browser leaves the port out."""
    names = frozenset({"localhost"})
    assert own_origin("http://localhost", names, "http", 80)
    assert own_origin("https://localhost", names, "https", 443)
    assert not own_origin("http://localhost:0", names, "http", 80)
