"""What is sent, in whatever place of a request, is in no log line and in no refusal."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute

from tests.unit.api.service import Service, running
from vstash.api.app import create_api
from vstash.api.logs import JsonLines
from vstash.testing import FakeEmbedder

if TYPE_CHECKING:
    from vstash.types import FloatArray

CANARY = "canary-7f3a91"
# The client of this process logs what it sends; it is not the service.
CLIENT = ("httpx", "httpcore")


class Defective(FakeEmbedder):
    """A model with a defect that repeats what it was given."""

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Vectors, except of texts with a certain word."""
        for text in texts:
            if "defect" in text:
                raise RuntimeError(text)
        return super().embed_passages(texts)


class Kept(logging.Handler):
    """Keeps every line, as the service writes it and as others would."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._forms = (JsonLines(), logging.Formatter("%(name)s %(message)s %(fields)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record in both forms."""
        if record.name.partition(".")[0] not in CLIENT:
            record.fields = getattr(record, "fields", "")
            self.lines += [form.format(record) for form in self._forms]

    def found(self) -> list[str]:
        """Lines that hold the canary."""
        return [line for line in self.lines if CANARY in line]


@pytest.fixture
def log() -> Iterator[Kept]:
    """All that is logged, down to debugging."""
    handler = Kept()
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    levels = {**dict.fromkeys(CLIENT, logging.ERROR), "vstash.access": logging.INFO}
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        for name in levels:
            logging.getLogger(name).setLevel(logging.NOTSET)


def valid(schema: dict[str, Any], models: dict[str, Any]) -> Any:
    """A value that fits a schema of the description, its strings the canary."""
    if "$ref" in schema:
        return valid(models[schema["$ref"].rpartition("/")[2]], models)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if "anyOf" in schema:
        return valid(schema["anyOf"][0], models)
    kind = schema.get("type", "string")
    if kind == "object":
        names = schema.get("required") or list(schema.get("properties", {}))[:1]
        return {name: valid(schema["properties"][name], models) for name in names}
    if kind == "array":
        return [valid(schema.get("items", {}), models)]
    return {"integer": 1, "number": 1.0, "boolean": True}.get(kind, CANARY)


def bodies(operation: dict[str, Any], models: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Bodies of an operation: one that fits, and others that do not."""
    described = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if described is None:
        yield {}
        return
    fits = valid(described["schema"], models)
    broken = f'{{"query": "{CANARY}'.encode()
    yield {"json": fits}
    yield {"json": {**fits, CANARY: CANARY}} if isinstance(fits, dict) else {"json": CANARY}
    yield {"json": {name: [CANARY] for name in fits}} if isinstance(fits, dict) else {"json": 1}
    yield {"json": [CANARY]}
    yield {"content": broken, "headers": {"Content-Type": "application/json"}}
    yield {"content": broken, "headers": {"Content-Type": f"text/{CANARY}"}}


def headers() -> Iterator[dict[str, str]]:
    """Headers that hold the canary."""
    yield {}
    yield {"Authorization": f"Bearer {CANARY}"}
    yield {"X-API-Key": CANARY}
    yield {"User-Agent": CANARY, "Cookie": f"a={CANARY}", "Idempotency-Key": f'"{CANARY}'}
    yield {"X-Request-ID": f"{CANARY} x"}
    yield {"X-Request-ID": f"{CANARY}/", "Request-Timeout": CANARY}
    yield {"If-Match": f'"{CANARY}"', "If-None-Match": CANARY, "Accept-Encoding": CANARY}
    yield {"Host": f"{CANARY}.example"}
    yield {"Origin": f"http://{CANARY}.example"}


def requests(service: Service) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every route of the application, with the canary in every place."""
    api = create_api(service.memory)
    description = api.openapi()
    models = description["components"]["schemas"]
    for route in api.routes:
        if not isinstance(route, APIRoute):
            continue
        for method in sorted(route.methods or ()):
            operation = description["paths"][route.path_format][method.lower()]
            path = route.path_format.replace("{", "").replace("}", "")
            for parameter in route.param_convertors:
                path = path.replace(parameter, CANARY)
            for query in ("", f"?{CANARY}=1", f"?limit={CANARY}&cursor={CANARY}"):
                for body in bodies(operation, models):
                    yield method, path + query, body
            for extra in headers():
                for body in bodies(operation, models):
                    both = {**body.get("headers", {}), **extra}
                    yield method, path, {**body, "headers": both}
    for word in ("query", "text"):
        sent = {"json": {word: f"defect {CANARY}"}}
        yield "POST", "/v1/search" if word == "query" else "/v1/documents", sent
    yield "GET", f"/{CANARY}", {}
    yield CANARY.upper(), "/v1/search", {}


def test_no_canary(tmp_path: Path, log: Kept) -> None:
    """0 occurrences, over every route, in logs, refusals and the headers of refusals."""
    with running(tmp_path, model=Defective()) as service:
        service.add(f"Stored: {CANARY}", title=CANARY, metadata={"note": CANARY}, key=CANARY)
        counts = {"refused": 0, "fine": 0}
        for method, path, request in requests(service):
            answer = service.http.request(method, path, **request)
            counts["refused" if answer.is_error else "fine"] += 1
            if answer.is_error:
                told = answer.text + str(answer.headers)
                assert CANARY not in told.lower(), (method, path, request)
        shown = service.http.get("/metrics").text
    assert counts["refused"] > 300
    assert counts["fine"] > 30
    assert CANARY not in shown.lower()
    assert any('"logger": "vstash.access"' in line for line in log.lines)
    assert any("RuntimeError" in line for line in log.lines), "the defect was not met"
    assert log.found() == []


def test_a_planted_line_is_found(tmp_path: Path, log: Kept) -> None:
    """The control: what is logged with the canary is seen, in the message and in the fields."""
    logging.getLogger("vstash.api").warning("read %s", CANARY)
    logging.getLogger("vstash.access").info("request", extra={"fields": {"path": CANARY}})
    assert len(log.found()) == 4
