"""Streams over HTTP: of any size, at the reader's pace, ended by whoever goes away."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import apsw
import httpx
import numpy as np
import pytest

from tests.unit.api.service import Service, running
from vstash import Memory, NewDocument
from vstash.api.access import STATE, Access
from vstash.api.app import create_api
from vstash.settings import Settings

NDJSON = {"Content-Type": "application/x-ndjson"}
PATIENCE_S = 20


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Service]:
    """A service that takes bodies, and lines, of 4,000 bytes."""
    with running(tmp_path, max_body_bytes=4_000) as started:
        yield started


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """An export of 200 documents, in two collections."""
    with Memory(tmp_path / "whole.db", model="fake") as memory:
        memory.add_batch(
            [
                NewDocument(f"number {n} " * 20, key=f"k{n}", collection="ab"[n % 2])
                for n in range(200)
            ]
        )
        return b"".join(memory.export())


def until(true: Callable[[], bool]) -> None:
    """Wait for something that happens soon."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def checkpointed(memory: Memory) -> bool:
    """Whether the write-ahead log could be emptied, which no reader keeps from it."""
    connection = apsw.Connection(str(memory.path))
    try:
        ((busy, _, _),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
    return not busy


def filled(service: Service) -> None:
    """Store eight megabytes."""
    texts = [f"document {n} " + "lorem " * 1_300 for n in range(1_000)]
    service.memory.add_many(texts, vectors=np.ones((1_000, 64)))


def asked(service: Service) -> socket.socket:
    """A connection over which an export was asked for, and the first bytes came."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE_S)
    connection.sendall(b"GET /v1/export HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert connection.recv(16) == b"HTTP/1.1 200 OK\r"
    return connection


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Level and words of what the service logged of its own failures."""
    return [
        (each.levelname, each.getMessage()) for each in caplog.records if each.name == "vstash.api"
    ]


def test_a_reader_that_goes_away_ends_the_transaction(service: Service) -> None:
    """The log of the file is free again, and the service goes on."""
    filled(service)
    with asked(service):
        service.add("written meanwhile")
        assert not checkpointed(service.memory), "a control: the open stream keeps the log"
    until(lambda: checkpointed(service.memory))
    assert service.http.get("/healthz").is_success


def test_a_slow_reader_costs_no_memory(service: Service) -> None:
    """What is not read is not made; others are answered, and in the end all of it comes."""
    filled(service)
    expected = sum(map(len, service.memory.export()))
    tracemalloc.start()
    with asked(service) as connection:
        before = tracemalloc.get_traced_memory()[1]
        for _ in range(20):
            assert service.http.get("/healthz").is_success
            time.sleep(0.02)
        assert tracemalloc.get_traced_memory()[1] - before < 3_000_000
        tracemalloc.stop()
        size = 0
        while piece := connection.recv(1 << 20):
            size += len(piece)
    assert size > expected > 7_000_000


def test_an_export_that_fails_on_the_way(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection ends before the answer does; of what failed before it began, the status tells."""
    texts = [f"document {n} " + "lorem " * 300 for n in range(150)]
    service.memory.add_many(texts, vectors=np.ones((150, 64)))
    connection = apsw.Connection(str(service.memory.path))
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("UPDATE document SET metadata = x'ff' WHERE number = 140")
    connection.close()
    with service.http.stream("GET", "/v1/export") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-ndjson"
        got: list[bytes] = []
        with pytest.raises(httpx.RemoteProtocolError):
            got.extend(answer.iter_bytes())
    assert sum(map(len, got)) > 100_000
    assert b'"end"' not in b"".join(got)
    assert told(caplog) == [("WARNING", "GET: store_corrupt, in the midst of an answer")]
    assert service.http.get("/v1/export?collection=absent").status_code == 404
    assert service.http.get("/v1/export?filter={").json()["code"] == "filter_invalid"
    assert service.http.get("/v1/export?colection=x").status_code == 422


@pytest.mark.parametrize("chunked", [False, True])
def test_an_import_of_any_size(small: Service, whole: bytes, *, chunked: bool) -> None:
    """The limit on bodies holds for each line, however the body is sent."""
    assert len(whole) > 10 * 4_000
    pieces = (whole[start : start + 777] for start in range(0, len(whole), 777))
    answer = small.http.post("/v1/import", content=pieces if chunked else whole, headers=NDJSON)
    assert answer.status_code == 200, answer.text
    assert answer.json()["added"] == 200
    assert small.http.get("/v1/export").content == whole
    assert small.http.post("/v1/documents", content=whole, headers=NDJSON).status_code == 413


def test_a_line_over_the_limit(small: Service, whole: bytes) -> None:
    """It is refused as a body of its size would be."""
    manifest, *_ = whole.splitlines(keepends=True)
    for body in (b"x" * 4_001, manifest + b"x" * 4_001, manifest + b"x" * 100_000 + b"\n"):
        answer = small.http.post("/v1/import", content=body, headers=NDJSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")
    answer = small.http.post("/v1/import", content=manifest + b"x" * 3_999, headers=NDJSON)
    assert answer.json()["code"] == "import_invalid", "a control"


@pytest.mark.parametrize(
    "headers",
    [
        *({"Content-Type": "application/json"}, {"Content-Type": "text/plain"}, {}),
        NDJSON | {"Content-Encoding": "gzip"},
        {"Content-Type": "application/x-ndjson; charset=latin-1"},
    ],
)
def test_other_media_types(service: Service, whole: bytes, headers: dict[str, str]) -> None:
    """An import is lines of JSON in UTF-8; a control is taken."""
    answer = service.http.post("/v1/import", content=whole, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "media_type_unsupported")
    assert service.http.post("/v1/documents", content=b"{}", headers=NDJSON).status_code == 415
    taken = NDJSON | {"Content-Type": "application/x-ndjson; charset=utf-8"}
    assert service.http.post("/v1/import", content=whole, headers=taken).status_code == 200


def test_a_refusal_is_seen_by_who_still_sends(service: Service) -> None:
    """The answer comes though the body was not needed to its end."""
    body = b"no export\n" + b"x" * 8_000_000
    assert service.http.post("/v1/import", content=body, headers=NDJSON).status_code == 422
    connection = HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE_S)
    connection.request("POST", "/v1/import", body=body, headers=NDJSON)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    assert (answer.status, told["code"]) == (422, "import_invalid")
    assert told["errors"] == []


def test_a_sender_that_goes_away(service: Service, whole: bytes) -> None:
    """Whole batches are stored, and importing again takes the rest."""
    head = f"POST /v1/import HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(whole)}\r\n"
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(head.encode() + b"Content-Type: application/x-ndjson\r\n\r\n")
        connection.sendall(whole[: len(whole) * 2 // 3])
        until(lambda: service.memory.stats().documents > 0)
        assert service.http.get("/healthz").is_success
    assert service.memory.stats().documents % 64 == 0
    answer = service.http.post("/v1/import", content=whole, headers=NDJSON)
    assert sum(answer.json()[name] for name in ("added", "unchanged")) == 200
    assert service.http.get("/v1/export").content == whole


def through(memory: Memory, only: str, method: str, target: str, body: bytes = b"") -> Any:
    """The answer to a caller whose key is bound to a collection."""
    api = create_api(memory)

    async def bound(scope: Any, receive: Any, send: Any) -> None:
        await api({**scope, STATE: Access("id", "write", only)}, receive, send)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(bound)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.request(method, target, content=body)

    return asyncio.run(ask())


def test_a_bound_caller(tmp_path: Path, whole: bytes) -> None:
    """It exports its collection alone, and imports into no other."""
    with Memory(tmp_path / "x.db", settings=Settings(model="fake")) as memory:
        refused = through(memory, "a", "POST", "/v1/import", whole)
        assert (refused.status_code, refused.json()["code"]) == (403, "collection_forbidden")
        assert memory.stats().documents == 0
        memory.import_documents([whole])
        own = through(memory, "a", "GET", "/v1/export")
        assert own.content == b"".join(memory.export(collection="a"))
        assert through(memory, "a", "POST", "/v1/import", own.content).json()["unchanged"] == 100
        for target in ("/v1/export", "/v1/triples"):
            assert through(memory, "a", "GET", f"{target}?collection=b").status_code == 403
        answer = through(memory, "a", "POST", "/v1/import?collection=b", own.content)
        assert answer.status_code == 403
