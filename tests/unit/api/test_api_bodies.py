"""JSON that could mean two things, or nothing, is refused."""

from __future__ import annotations

import json

import pytest

from tests.unit.api.service import Service
from vstash.errors import FilterError, RequestError
from vstash.strict_json import parse_json

HOSTILE = {
    "empty": b" ",
    "not JSON": b"{query: 1}",
    "two values": b"{} {}",
    "byte order mark": b'\xef\xbb\xbf{"query": "a"}',
    "not UTF-8": b'{"query": "\xff"}',
    "UTF-16": '{"query": "a"}'.encode("utf-16"),
    "NaN": b'{"query": "a", "k": NaN}',
    "Infinity": b'{"query": "a", "k": -Infinity}',
    "float overflow": b'{"query": "a", "k": 1e999}',
    "long integer": b'{"query": "a", "k": 1' + b"0" * 5000 + b"}",
    "repeated name": b'{"query": "a", "query": "b"}',
    "repeated name below": b'{"query": "a", "filter": {"key": {"eq": 1, "eq": 2}}}',
    "repeated name by escape": b'{"query": "a", "qu\\u0065ry": "b"}',
    "half pair": b'{"query": "\\ud800"}',
    "half pair, other half": b'{"query": "\\uDFFF"}',
    "half pair in a name": b'{"query": "a", "\\ud800": 1}',
    "half pair deep below": b'{"query": "a", "filter": {"not": {"x": {"eq": "\\udc00x"}}}}',
    "65 levels": b"[" * 65 + b"]" * 65,
    "900 levels": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a million levels": b"[" * 1_000_000,
    "a control character": b'{"query": "a\x00"}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refused(name: str) -> None:
    """A body that is not strict JSON is a RequestError."""
    with pytest.raises(RequestError):
        parse_json(HOSTILE[name])


def test_refused_over_http(service: Service) -> None:
    """None of them ends in a server error, and the service goes on."""
    for name, body in HOSTILE.items():
        for path in ("/v1/search", "/v1/documents", "/v1/documents:batch"):
            answer = service.http.post(
                path, content=body, headers={"Content-Type": "application/json"}
            )
            assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid"), name
    assert service.http.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, -2.5, True, None, "é", "\U0001f375", "\ud83c\udf75"], "": {"b": []}},
        "text",
        10**900,
        [[]] * 100,
    ],
)
def test_read(value: object) -> None:
    """Everything else is read as Python's parser reads it."""
    text = json.dumps(value)
    assert parse_json(text.encode()) == parse_json(text) == json.loads(text)


def test_depth() -> None:
    """64 levels are read."""
    text = "[" * 64 + "]" * 64
    assert parse_json(text) == json.loads(text)


def test_other_error() -> None:
    """The caller chooses the error and the field that it names."""
    with pytest.raises(FilterError) as caught:
        parse_json("{", refuse=FilterError, pointer="/filter")
    assert caught.value.pointer == "/filter"


def test_large_body(service: Service) -> None:
    """A body beyond what is parsed at once is read as strictly, and is stored whole."""
    text = "tea " * 50_000
    known = service.add(text)
    assert service.memory.get(known).text == text
    body = json.dumps({"text": text}).encode()[:-1] + b', "text": "b"}'
    answer = service.http.post(
        "/v1/documents", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.json()["code"] == "request_invalid"


@pytest.mark.parametrize(
    ("path", "before"),
    [
        ("/v1/documents", b'{"text": "a", "tags": ['),
        ("/v1/documents:batch", b'{"documents": [{"text": "a", "tags": ['),
        ("/v1/jobs", b'{"kind": "ingest", "paths": ['),
        ("/v1/jobs", b'{"kind": "ingest", "paths": [], "ignore": ['),
        ("/v1/search", b'{"query": "a", "vector": ['),
    ],
)
def test_many_wrong_items(shared: Service, path: str, before: bytes) -> None:
    """However many items of a list are wrong, the answer is short."""
    after = b"]}]}" if path.endswith("batch") else b"]}"
    body = before + b",".join([b"{}"] * 10_000) + after
    answer = shared.http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert len(answer.content) < 1_000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/documents/none"),
        ("PATCH", "/v1/documents/none"),
        ("DELETE", "/v1/documents/none"),
        ("GET", "/v1/chunks/1"),
        ("GET", "/v1/stats"),
        ("POST", "/v1/search"),
        ("POST", "/v1/jobs/none:cancel"),
    ],
)
def test_unknown_parameter(shared: Service, method: str, path: str) -> None:
    """A query parameter where none is taken is refused, and what it says with it."""
    patch = "application/merge-patch+json" if method == "PATCH" else "application/json"
    body = b'{"text": "a"}' if method in {"PUT", "PATCH"} else b""
    answer = shared.http.request(
        method, f"{path}?dry_run=true", headers={"Content-Type": patch}, content=body
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid")
    assert "dry_run" not in answer.text


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/v1/collections/kept"), ("POST", "/v1/compact")]
)
def test_body_in_the_wrong_place(shared: Service, method: str, path: str) -> None:
    """A body where none is taken is refused, for it may say not to do it; an empty object is none."""
    shared.add("a", collection="kept", key="kept")
    told = {"Content-Type": "application/json"}
    answer = shared.http.request(method, path, content=b'{"dry_run": true}', headers=told)
    assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid")
    assert shared.memory.collection("kept").documents == 1
    assert shared.http.request(method, path, content=b"{}", headers=told).is_success
