"""What every answer carries, and what is told of each request."""

from __future__ import annotations

import gzip
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers

from tests.unit.api.service import Service, running
from vstash.api.compression import _accepts
from vstash.api.logs import JsonLines

MADE = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/healthz", {}, 200),
        ("HEAD", "/healthz", {}, 200),
        ("GET", "/nowhere", {}, 404),
        ("DELETE", "/v1/search", {}, 405),
        ("POST", "/v1/search", {"Content-Type": "text/plain"}, 415),
        ("GET", "/healthz", {"Host": "evil.example"}, 403),
        ("GET", "/v1/documents?limit=x", {}, 422),
    ],
)
def test_every_answer_has_an_id(
    shared: Service, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """Its own where it brings one, and otherwise a new one each time; refusals have one, too."""
    content = b"{}" if method == "POST" else None
    ids = []
    for given in ({}, {}, {"X-Request-ID": "job-7.step_2"}):
        answer = shared.http.request(method, path, headers={**headers, **given}, content=content)
        assert answer.status_code == status
        ids.append(answer.headers["X-Request-ID"])
    assert all(MADE.fullmatch(each) for each in ids[:2])
    assert ids[0] != ids[1]
    assert ids[2] == "job-7.step_2"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", "a;b", '{"a":1}', "a\tb"])
def test_an_id_that_cannot_be_logged(shared: Service, given: str) -> None:
    """Is replaced by a new one; so are two."""
    answer = shared.http.get("/healthz", headers=[(b"X-Request-ID", given.encode())])
    assert MADE.fullmatch(answer.headers["X-Request-ID"])
    twice = [("X-Request-ID", "a"), ("X-Request-ID", "b")]
    assert MADE.fullmatch(shared.http.get("/healthz", headers=twice).headers["X-Request-ID"])


def test_the_stages_of_a_search(service: Service) -> None:
    """Search and context tell their stages in Server-Timing, and every answer its whole time."""
    service.add("Ada prefers tea.")

    def stages(path: str) -> dict[str, float]:
        answer = service.http.post(path, json={"query": "tea"})
        told = dict(part.split(";dur=") for part in answer.headers["Server-Timing"].split(", "))
        assert answer.json()["timings_ms"].keys() - {"total"} == told.keys() - {"total", "queue"}
        return {name: float(spent) for name, spent in told.items()}

    found = stages("/v1/search")
    assert {"analyse", "keyword", "embed", "vector", "queue", "total"} <= found.keys()
    assert found["total"] >= found["embed"]
    assert "pack" in stages("/v1/context")
    assert service.http.get("/healthz").headers["Server-Timing"].startswith("queue;dur=0")
    shown = service.http.get("/metrics").text
    assert 'vstash_search_stage_seconds_count{stage="embed"} 2.0' in shown


@contextmanager
def logged() -> Iterator[list[dict[str, Any]]]:
    """The lines of the log, as they are written."""
    found: list[dict[str, Any]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(self.format(record)))

    handler = Kept()
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("vstash.access")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def test_a_line_for_each_request(tmp_path: Path) -> None:
    """It holds id, route, status, code, sizes and times, and nothing else."""
    with logged() as lines, running(tmp_path) as service:
        known = service.add("Ada prefers tea.")
        service.http.get(f"/v1/documents/{known}", headers={"X-Request-ID": "mine"})
        service.http.get("/v1/documents/none")
        service.http.head("/healthz")
        service.http.request("BREW", "/v1/search")
    stored, read, missing, health, brewed = lines
    assert stored.keys() == {
        *("time", "level", "logger", "request", "method", "route", "status", "code"),
        *("bytes_in", "bytes_out", "waited_ms", "ms", "key"),
    }
    assert (stored["status"], stored["code"], stored["bytes_in"]) == (201, "", 27)
    assert (read["request"], read["route"], read["method"]) == ("mine", "/v1/documents/{id}", "GET")
    assert read["bytes_out"] > 100
    assert (missing["status"], missing["code"]) == (404, "document_not_found")
    assert (health["method"], health["route"]) == ("HEAD", "/healthz")
    assert (brewed["method"], brewed["route"], brewed["status"]) == ("other", "none", 405)
    assert re.fullmatch(r"[-0-9]{10}T[0-9:.]{15}Z", stored["time"])


def test_an_exception_is_told_without_its_words() -> None:
    """Its type and the lines that it passed are told; other libraries' details are not."""
    with pytest.raises(ValueError, match="wrote") as caught:
        raise ValueError("what the user wrote")
    found = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("asyncio", 40, "", 1, "It failed\nfuture: private", (), found)
    line = json.loads(JsonLines().format(record))
    assert (line["message"], line["error"]) == ("It failed", "ValueError")
    assert "test_an_exception_is_told" in line["frames"][0]
    assert "wrote" not in str(line)


class TestCompression:
    """gzip, for who asks and where it pays."""

    def get(self, service: Service, path: str, encoding: str) -> tuple[httpx.Headers, bytes]:
        """Headers and body as sent."""
        headers = {"Accept-Encoding": encoding}
        with service.http.stream("GET", path, headers=headers) as answer:
            return answer.headers, b"".join(answer.iter_raw())

    def test_large(self, service: Service) -> None:
        """A large answer is sent smaller, and is the same."""
        for number in range(40):
            service.add(f"text {number}", key=f"key {number}")
        plain_headers, plain = self.get(service, "/v1/documents", "identity")
        headers, small = self.get(service, "/v1/documents", "br, gzip;q=0.5")
        assert headers["Content-Encoding"] == "gzip"
        assert headers["Vary"] == plain_headers["Vary"] == "Accept-Encoding"
        assert len(small) * 3 < len(plain)
        assert gzip.decompress(small) == plain
        assert int(headers["Content-Length"]) == len(small)
        assert "Content-Encoding" not in plain_headers

    def test_small(self, service: Service) -> None:
        """A small one is not."""
        headers, _ = self.get(service, "/healthz", "gzip")
        assert "Content-Encoding" not in headers

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            *(("gzip", True), ("GZIP", True), ("br, gzip", True), ("gzip;q=0.1", True)),
            *(("", False), ("br", False), ("gzip;q=0", False), ("gzip; q=0.0", False)),
            *(("notgzip", False), ("x-gzip", True)),
        ],
    )
    def test_accepted(self, given: str, *, expected: bool) -> None:
        """Gzip has to be named, and not by a weight of 0."""
        assert _accepts(Headers({"Accept-Encoding": given})) is expected


def test_settings_are_masked(tmp_path: Path) -> None:
    """The settings in force are shown, but no path of the machine."""
    with running(tmp_path, max_body_bytes=5000, ingest_roots=(str(tmp_path),)) as service:
        answer = service.http.get("/v1/settings")
    shown = answer.json()["settings"]
    assert (shown["max_body_bytes"], shown["model"]) == (5000, "***")
    assert (shown["ingest_roots"], shown["tls_key"], shown["port"]) == ("***", "", 0)
    assert str(tmp_path) not in answer.text
