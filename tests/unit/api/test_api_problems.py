"""Every error is a problem, and none tells what users wrote."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import httpx
import pytest

from tests.unit.api.service import Service, running
from vstash import errors
from vstash.api.problems import log_late, problem
from vstash.api.replies import Problem
from vstash.testing import FakeEmbedder

if TYPE_CHECKING:
    from vstash.types import FloatArray

CANARY = "xyzzy-4711-canary"
CLASSES = [getattr(errors, name) for name in errors.__all__]


class Talkative(FakeEmbedder):
    """An embedder that fails on some texts, with the text in its message."""

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Embed, or fail."""
        for text in texts:
            if "unembeddable" in text:
                raise RuntimeError(f"cannot embed {text}")
        return super().embed_passages(texts)


def checked(answer: httpx.Response) -> Problem:
    """The problem in an answer, after what must hold for every one."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    found = Problem.model_validate(answer.json())
    assert found.status == answer.status_code
    assert found.type == f"urn:vstash:error:{found.code}"
    return found


@pytest.mark.parametrize("kind", CLASSES)
def test_problem(kind: type[errors.VstashError]) -> None:
    """Every class of errors has a problem with a title, and its local detail stays away."""
    found = problem(kind("What to do.", pointer="/text", local_detail="/home/ada"))
    assert "/home/ada" not in json.dumps(found)
    Problem.model_validate(found)
    assert found["title"]
    assert (found["code"], found["status"]) == (kind.code, kind.status)
    assert found["errors"] == [{"pointer": "/text", "message": "What to do."}]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "route_not_found"),
        ("GET", "/docs", 404, "route_not_found"),
        ("GET", "/redoc", 404, "route_not_found"),
        ("GET", "/v1/documents/", 404, "route_not_found"),
        ("GET", f"/{CANARY}", 404, "route_not_found"),
        ("POST", "/v1/documents/a/b", 404, "route_not_found"),
        ("DELETE", "/v1/documents", 405, "method_not_allowed"),
        ("POST", "/v1/stats", 405, "method_not_allowed"),
        ("OPTIONS", "/v1/nowhere", 404, "route_not_found"),
        ("TRACE", "/v1/search", 405, "method_not_allowed"),
        ("BREW", "/v1/search", 405, "method_not_allowed"),
    ],
)
def test_routes(shared: Service, method: str, path: str, status: int, code: str) -> None:
    """An address or method that there is not is a problem, too."""
    answer = shared.http.request(method, path)
    assert (answer.status_code, checked(answer).code) == (status, code)
    assert CANARY not in answer.text


@pytest.mark.parametrize("path", ["/healthz", "/v1/stats", "/v1/documents/x", "/openapi.json"])
def test_head(shared: Service, path: str) -> None:
    """HEAD is answered as GET is, without the body."""
    asked, got = shared.http.head(path), shared.http.get(path)
    assert (asked.status_code, asked.content) == (got.status_code, b"")
    assert asked.headers["Content-Type"] == got.headers["Content-Type"]
    assert shared.http.head("/v1/search").status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "start"),
    [
        ("POST", "/v1/search", "The request's body: "),
        ("GET", "/v1/documents?colection=a", "The request's query: "),
    ],
)
def test_what_is_at_fault(shared: Service, method: str, path: str, start: str) -> None:
    """Where no field is at fault, the message names the part of the request that is."""
    assert checked(shared.http.request(method, path)).detail.startswith(start)


def test_allow(service: Service) -> None:
    """A 405 says all methods of the address, not those of its first route alone."""
    assert service.http.delete("/v1/documents").headers["Allow"] == "GET, HEAD, OPTIONS, POST, PUT"
    answer = service.http.post("/v1/documents/x", json={})
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"


def test_options(shared: Service) -> None:
    """OPTIONS says what an address takes, and does nothing."""
    answer = shared.http.options("/v1/search")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Allow"] == "OPTIONS, POST"
    assert "Content-Type" not in answer.headers


def test_busy(tmp_path: Path) -> None:
    """While another process writes, a write is 503 with Retry-After, and reads go on."""
    with running(tmp_path, busy_timeout_s=0.05) as service:
        known = service.add("one")
        other = apsw.Connection(str(service.memory.path))
        try:
            other.execute("BEGIN IMMEDIATE")
            answer = service.http.post("/v1/documents", json={"text": "two"})
            assert service.http.get(f"/v1/documents/{known}").status_code == 200
        finally:
            other.close()
        found = checked(answer)
        assert (answer.status_code, found.code, found.retryable) == (503, "store_busy", True)
        assert answer.headers["Retry-After"] == "1"
        assert service.http.post("/v1/documents", json={"text": "two"}).status_code == 201


def test_unexpected(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An exception that nobody expected is a bare 500; the log names its type and lines only."""
    with caplog.at_level(logging.INFO), running(tmp_path, model=Talkative()) as service:
        answer = service.http.post("/v1/documents", json={"text": f"unembeddable {CANARY}"})
        found = checked(answer)
        assert (found.status, found.code, found.errors) == (500, "internal", [])
        assert service.http.post("/v1/documents", json={"text": "fine"}).status_code == 201
    assert "RuntimeError" in caplog.text
    assert "embed_passages" in caplog.text
    assert CANARY not in answer.text + caplog.text


def refused_requests(known: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Requests that hold the canary and that cannot be obeyed."""
    secret = {"query": CANARY, "k": 10}
    body = {"content": f'{{"query": "{CANARY}'.encode()}
    typed = {"headers": {"Content-Type": "application/json"}}
    return [
        ("POST", "/v1/search", {"json": {**secret, "k": CANARY}}),
        ("POST", "/v1/search", {"json": {**secret, "k": -1}}),
        ("POST", "/v1/search", {"json": {**secret, "mode": CANARY}}),
        ("POST", "/v1/search", {"json": {**secret, CANARY: 1}}),
        ("POST", "/v1/search", {"json": {**secret, "collection": CANARY}}),
        ("POST", "/v1/search", {"json": {**secret, "filter": {"key": {"eq": [CANARY]}}}}),
        ("POST", "/v1/search", {"json": [CANARY]}),
        ("POST", "/v1/search", {**body, **typed}),
        ("POST", "/v1/search", {**body, "headers": {"Content-Type": "text/plain"}}),
        ("POST", "/v1/search", {"json": secret, "headers": {"Host": f"{CANARY}.example"}}),
        ("POST", "/v1/search", {"json": secret, "headers": {"Origin": f"http://{CANARY}"}}),
        ("POST", "/v1/documents", {"json": {"text": [CANARY]}}),
        ("POST", "/v1/documents", {"json": {"text": CANARY, "tags": CANARY}}),
        ("POST", "/v1/documents", {"json": {"text": CANARY, "expires_at": CANARY}}),
        ("POST", "/v1/documents", {"json": {"text": f"unembeddable {CANARY}"}}),
        ("POST", "/v1/documents", {"json": {"text": f"{CANARY}\0"}}),
        ("PATCH", f"/v1/documents/{known}", {"json": {"metadata": CANARY}}),
        ("PUT", f"/v1/documents/{CANARY}", {"json": {"text": CANARY}}),
        ("GET", f"/v1/documents/{CANARY}", {}),
        ("GET", f"/v1/chunks/{CANARY}", {}),
        ("GET", f"/v1/documents?cursor={CANARY}", {}),
        ("GET", f"/v1/documents?limit={CANARY}", {}),
        ("GET", f"/v1/documents?filter={CANARY}", {}),
        ("GET", f"/v1/documents?{CANARY}=1", {}),
        ("GET", f"/v1/{CANARY}", {}),
    ]


def test_canary(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither stored texts nor what was asked appear in any error or in any log."""
    caplog.set_level(logging.DEBUG)
    # The log of the client in this process is not the service's.
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.ERROR, logger=name)
    with running(tmp_path, model=Talkative()) as service:
        known = service.add(f"Stored: {CANARY}", title=CANARY, metadata={"note": CANARY})
        assert service.http.post("/v1/search", json={"query": CANARY}).is_success
        for method, path, request in refused_requests(known):
            answer = service.http.request(method, path, **request)
            assert answer.is_error, (method, path, request)
            checked(answer)
            assert CANARY not in answer.text, (method, path, request)
            assert CANARY not in str(answer.headers)
    assert "vstash.api" in {record.name for record in caplog.records}
    assert CANARY not in caplog.text


def test_paths_stay(tmp_path: Path) -> None:
    """An error of the file itself does not say where the file is."""
    with running(tmp_path) as service:
        service.memory.close()
        for path in ("/v1/stats", "/v1/documents"):
            answer = service.http.get(path)
            checked(answer)
            assert answer.status_code >= 500
            assert str(tmp_path) not in answer.text
        ready = service.http.get("/readyz")
        assert ready.status_code == 503
        assert str(tmp_path) not in ready.text


def test_memory_agrees(service: Service) -> None:
    """The code and pointer of a wrong type are those that Python's interface gives."""
    wrong: dict[str, Any] = {"title": 5, "key": 5, "tags": "work", "metadata": [1], "text": 5}
    for name, value in wrong.items():
        fields: dict[str, Any] = {"text": "good", name: value}
        answer = service.http.post("/v1/documents", json=fields)
        with pytest.raises(errors.InputError) as caught:
            service.memory.add(**fields)
        found = checked(answer)
        assert (found.code, found.errors[0].pointer) == (caught.value.code, caught.value.pointer)


def test_what_comes_too_late(caplog: pytest.LogCaptureFixture) -> None:
    """That a client went away in the midst of an answer is no failure; a damaged file is."""
    log_late("GET", errors.DeadlineError("Nobody waits."))
    assert not caplog.records
    log_late("GET", errors.StoreCorruptError("Damaged.", local_detail=CANARY))
    assert [each.levelname for each in caplog.records] == ["WARNING"]
    assert CANARY not in caplog.text
